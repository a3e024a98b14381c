"""The OpenAPI document against the service: schemathesis makes calls of it, good and bad, and checks every answer."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings as django_settings
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shipmend.api.openapi import document, routes
from shipmend.wsgi import application
from tests.faults.figures import note
from tests.faults.scale import rounds
from tests.gitworld import GitRepo
from tests.security.things import Household

pytestmark = pytest.mark.database

CASES = rounds(5000, least=4)
"""Of each operation, good ones, and as many bad ones."""
OPERATIONS = sorted(f"{route.operation.method} {route.path}" for route in routes())
NDJSON = "application/x-ndjson"


@functools.cache
def schemathesis() -> Any:
    """Imported late: it takes seconds, and every run of any test would pay them."""
    import schemathesis

    @schemathesis.serializer(NDJSON)
    def lines(_: Any, value: Any) -> bytes:
        each = value if isinstance(value, list) else [value]
        return "\n".join(json.dumps(line) for line in each).encode(errors="replace")

    return schemathesis


@pytest.fixture(scope="module", autouse=True)
def _no_waiting_for_fetches() -> Iterator[None]:
    """No worker fetches here, so every commit that is not known would be waited for in vain."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(django_settings, "CONFIG", replace(django_settings.CONFIG, fetch_wait=0.0))
        yield


@pytest.fixture(scope="module")
def home(instance: object, tmp_path_factory: pytest.TempPathFactory) -> Household:
    git = GitRepo(tmp_path_factory.mktemp("upstream") / "upstream.git")
    git.commit("Start", at="2024-01-01T10:00:00Z")
    home = Household.make(git)
    home.world.repo("bare")
    return home


@pytest.fixture(scope="module")
def operations(home: Household) -> dict[str, Any]:
    """By method and path."""
    from django.http import HttpResponse
    from django.test import RequestFactory

    response = document(RequestFactory().get("/"))
    assert isinstance(response, HttpResponse)
    # Parameters that nobody has heard of are ignored, as some deploy hooks send several: they make no call a bad one.
    config = schemathesis().Config.from_dict({"generation": {"allow-extra-parameters": False}})
    schema = schemathesis().openapi.from_dict(json.loads(response.content), config=config)
    schema.app = application
    return {each.ok().label: each.ok() for each in schema.get_all_operations()}


def test_every_operation_is_tried(operations: dict[str, Any]) -> None:
    assert sorted(operations) == OPERATIONS


@pytest.mark.parametrize("kind", ["positive", "negative"])
@pytest.mark.parametrize("label", OPERATIONS)
def test_answers_are_as_the_document_says(label: str, kind: str, operations: dict[str, Any], home: Household) -> None:
    from schemathesis import GenerationMode
    from schemathesis.checks import CHECKS

    operation = operations[label]
    # What a date may look like, or which parameters need each other, is more than a JSON schema can tell.
    without = [CHECKS.get_one("positive_data_acceptance")]
    if label == "POST /batch":  # a bad line is refused on a line of the answer
        without.append(CHECKS.get_one("negative_data_rejection"))
    headers = {"Authorization": f"Bearer {home.api.token}"}
    known = _known(home)

    @settings(max_examples=CASES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(operation.as_strategy(generation_mode=GenerationMode(kind)), st.integers(0, 7))
    def tried(case: Any, chosen: int) -> None:
        if kind == "positive":
            _name_what_is_there(case, known, chosen)
        case.call_and_validate(headers=headers, excluded_checks=without)

    tried()
    note(f"schemathesis: {kind} calls", f"{CASES} of {label}", "0 answers that the document does not allow")


def _known(home: Household) -> dict[str, list[str]]:
    return {
        "resource_path": [home.path(), home.path("bare"), str(home.world.path), f"{home.world.path}/x/y"],
        "release_id": [home.release(), home.release("bare"), str(uuid4())],
        "defect_key": [home.defect(), "K-1", "K/2 ü"],
    }


def _name_what_is_there(case: Any, known: dict[str, list[str]], chosen: int) -> None:
    """Most calls would else be lost on things that are not there."""
    if chosen == 7:
        return
    places = [case.path_parameters, case.query, case.body]
    lines = case.body if isinstance(case.body, list) else []
    for place in [*places, *lines]:
        if isinstance(place, dict):
            for name, names in known.items():
                if name in place:
                    place[name] = names[chosen % len(names)]

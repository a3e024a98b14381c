"""The cause of a defect in the API: told with every read, said by one call."""

from __future__ import annotations

from typing import Any

import pytest

from shipmend.core.moments import iso
from shipmend.core.values import DEFAULT_SCOPES, Scope
from tests.delivery.blame import HOUR, NOON, Scene
from tests.questions import asked
from tests.world import World

pytestmark = pytest.mark.database


@pytest.fixture
def scene(world: World) -> Scene:
    return Scene(world)


def told(scene: Scene, key: str = "K-1") -> dict[str, Any]:
    """A defect's cause, which the list must tell as the defect itself does."""
    cause: dict[str, Any] = scene.api.get(f"critical_defects/{key}").json["defect"]["cause"]
    listed = scene.api.get("critical_defects", resource_path=scene.world.path).json["critical_defects"]
    assert [each["cause"] for each in listed if each["defect_key"] == key] == [cause]
    return cause


def test_a_cause_is_guessed_accepted_named_denied_and_cleared(scene: Scene) -> None:
    path = scene.world.repo().path
    early, late = (str(scene.release(path, at)) for at in (NOON, NOON + HOUR))
    scene.defect(path, NOON + 2 * HOUR)
    guessed = told(scene)
    assert (guessed["kind"], guessed["release_id"]) == ("guess", late)
    assert guessed["reason"].endswith("at or before the detection: 1 h before it.")
    for said, kind, release in (
        ({"accept": "true"}, "accepted", late),
        ({"release": early}, "named", early),
        ({"none": "true"}, "unattributed", None),
        ({"clear": "true"}, "guess", late),
        ({"accept": "true", "release": late}, "accepted", late),
    ):
        reply = scene.api.post("critical_defect_causes/K-1", said)
        assert reply.json["action_em"] == "action_defect_updated"
        cause = reply.json["defect"]["cause"]
        assert (cause["kind"], cause["release_id"]) == (kind, release)
        assert cause == told(scene)
    assert scene.api.post("critical_defect_causes/K-1", accept="true").json["action_em"] == "action_defect_unchanged"


@pytest.mark.parametrize(
    ("said", "parameter"),
    [
        ({}, "release"),
        ({"accept": "false"}, "release"),
        ({"release": "v1"}, "release"),
        ({"accept": "true", "none": "true"}, "none"),
        ({"release": "01939f3c-7a6e-7c1b-9d52-3f0e6a1b2c4d", "clear": "true"}, "release"),
        ({"release": "01939f3c-7a6e-7c1b-9d52-3f0e6a1b2c4d"}, "release"),
        ({"accept": "true"}, "accept"),
    ],
)
def test_what_says_nothing_or_two_things_is_refused(scene: Scene, said: dict[str, str], parameter: str) -> None:
    scene.defect(scene.world.path, NOON)
    reply = scene.api.post("critical_defect_causes/K-1", said)
    assert reply.words == (400, "response_invalid_params")
    assert reply.json["response_detail"].startswith(parameter)


def test_the_guess_that_a_caller_saw_must_still_be_the_guess(scene: Scene) -> None:
    path = scene.world.repo().path
    seen = scene.release(path, NOON)
    scene.defect(path, NOON + 2 * HOUR)
    scene.release(path, NOON + HOUR)
    refused = scene.api.post("critical_defect_causes/K-1", accept="true", release=seen)
    assert refused.status == 400
    assert "is not the guess any more" in refused.json["response_detail"]


def test_a_release_that_changed_nothing_cannot_be_named(scene: Scene) -> None:
    path = scene.world.repo().path
    sha = f"{NOON:040x}"
    scene.release(path, NOON)
    failed = scene.release(path, NOON + 1, status="failed")
    cancelled = scene.release(path, NOON + 2, status="cancelled")
    again = scene.release(path, NOON + 3, release_sha=sha)
    scene.defect(path, NOON + HOUR)
    for release, why in ((failed, "it was failed"), (cancelled, "it was cancelled"), (again, "only did again")):
        refused = scene.api.post("critical_defect_causes/K-1", release=str(release))
        assert refused.words == (400, "response_invalid_params")
        assert why in refused.json["response_detail"]


def test_a_key_that_ends_in_cause_is_a_key(scene: Scene) -> None:
    for key in ("A/cause", "A"):
        scene.defect(scene.world.path, NOON, key)
    assert scene.api.post("critical_defect_causes/A/cause", none="true").json["defect"]["defect_key"] == "A/cause"
    assert told(scene, "A")["reason"] == "No repo is concerned yet."


def test_scopes_and_reach_bound_who_may_say_it(scene: Scene, stranger: World) -> None:
    path = scene.world.repo().path
    scene.defect(scene.world.path, NOON)
    scene.defect(path, NOON, fix_released_at=iso(NOON + HOUR))
    say = {"none": "true"}
    reader = scene.world.api(scopes=DEFAULT_SCOPES - {Scope.DEFECTS_WRITE})
    assert reader.post("critical_defect_causes/K-1", say).status == 403
    assert scene.world.api(at=path).post("critical_defect_causes/K-1", say).status == 403
    assert stranger.api().post("critical_defect_causes/K-1", say).status == 404
    assert told(scene)["kind"] == "unattributed"


def test_a_dry_run_tells_the_cause_and_stores_nothing(scene: Scene) -> None:
    path = scene.world.repo().path
    made = scene.release(path, NOON)
    scene.defect(path, NOON + HOUR)
    reply = scene.api.post("critical_defect_causes/K-1", none="true", dry_run="true")
    assert reply.json["dry_run"] is True
    assert reply.json["defect"]["cause"]["kind"] == "unattributed"
    assert told(scene)["release_id"] == str(made)


def test_a_list_with_causes_costs_as_many_questions_with_many_defects_as_with_few(scene: Scene) -> None:
    path = scene.world.repo().path
    counts = []
    for n in (2, 30):
        for each in range(n):
            scene.release(path, NOON + each)
            scene.defect(path, NOON + each, f"K-{each}", fix_released_at=iso(NOON + each + 1))
        with asked() as questions:
            assert scene.api.get("critical_defects", resource_path=scene.world.path).json["total"] == n
        counts.append(questions.count)
    assert counts[0] == counts[1]

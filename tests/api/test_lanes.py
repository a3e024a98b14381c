"""Calls that share a thread of the server: each has its own answer, and none waits for another one's fetch."""

from __future__ import annotations

import json
import sys
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from email.message import Message
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode

import pytest
from django.urls import resolve

from shipmend.catalog.queries import find_place
from shipmend.db.writes import short_calls
from shipmend.delivery import queries
from shipmend.lanes import lanes
from shipmend.worker import make_worker
from tests.gitworld import GitRepo
from tests.serving import serve
from tests.world import FIRST_DAY, World

pytestmark = pytest.mark.database

PATIENCE = 60
DAY = 24 * 3600


@pytest.fixture
def address(instance: Path) -> Iterator[str]:
    """A server that waits long for a fetch, and no worker that would do it."""
    with serve(instance, python=sys.executable, environ={"SHIPMEND_FETCH_WAIT": str(PATIENCE)}) as address:
        yield address


def posted(address: str, token: str, request_id: str, **form: object) -> tuple[int, Message, Any]:
    """POST a release."""
    headers = {"Authorization": f"Bearer {token}", "X-Request-Id": request_id}
    request = urllib.request.Request(f"{address}/api/v1/releases", urlencode(form).encode(), headers)  # noqa: S310 -- loopback
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:  # noqa: S310 -- loopback
            return answer.status, answer.headers, json.load(answer)
    except HTTPError as refused:
        return refused.code, refused.headers, json.load(refused)


def test_a_call_that_waits_for_a_fetch_keeps_no_other_waiting(address: str, world: World, git_repo: GitRepo) -> None:
    git_repo.commit("start", at=FIRST_DAY)
    mirrored, plain = world.repo("mirrored", git=git_repo), world.repo("plain")
    token = world.api().token
    fresh = git_repo.commit("fresh", at=FIRST_DAY + DAY)
    with ThreadPoolExecutor(3) as clients:
        slow = [
            clients.submit(posted, address, token, f"slow{n}", resource_path=mirrored.path, release_sha=fresh)
            for n in range(3)
        ]
        for n in range(5):
            status, _, _ = posted(
                address, token, f"quick{n}", resource_path=plain.path, release_sha=f"{n:040x}", released_at=FIRST_DAY
            )
            assert status == 200
        assert not any(each.done() for each in slow), "nothing was fetched yet"
        worker = make_worker()
        worker.start()
        answers = [each.result(PATIENCE) for each in slow]
        worker.stop()
    assert {status for status, _, _ in answers} == {200}
    assert {body["release"]["release_sha"] for _, _, body in answers} == {fresh}
    assert {body["action_em"] for _, _, body in answers} == {"action_release_created", "action_release_unchanged"}


def test_calls_at_once_have_each_their_own_answer(address: str, world: World) -> None:
    repo, token = world.repo(), world.api().token
    wanted = {
        "good": (200, "action_release_created"),
        "bad": (400, "action_create_release"),
        "unknown": (404, "action_create_release"),
        "token": (401, "action_create_release"),
    }

    def call(n: int) -> None:
        kind = list(wanted)[n % 4]
        form = {
            "resource_path": repo.path if kind != "unknown" else f"{world.tenant.slug}/acme/none{n}",
            "release_sha": f"{n:040x}" if kind != "bad" else f"never {n}",
            "released_at": FIRST_DAY + n,
        }
        status, headers, body = posted(address, token if kind != "token" else f"{token}x", f"r{n}", **form)
        assert (status, body["action_em"]) == wanted[kind]
        assert headers["X-Request-Id"] == f"r{n}"
        if kind == "good":
            assert body["release"]["release_sha"] == form["release_sha"]
        if kind in ("bad", "unknown"):
            assert str(form["release_sha" if kind == "bad" else "resource_path"]) in body["response_detail"]

    with ThreadPoolExecutor(24) as clients:
        list(clients.map(call, range(240)))
    place = find_place(world.tenant, world.path)
    stored = queries.list_releases(place, start=None, end=None, environment=None, page=1)
    assert stored.total == 60


def test_only_what_is_short_takes_a_lane(instance: Path) -> None:
    def reads(_: Callable[[], None]) -> None:
        """The lane of reads."""

    lane_of, writes = lanes(reads), short_calls()
    one = "/api/v1/releases/01a21520-a909-729c-b1bd-7f622635e402"
    wanted = {
        ("POST", "/api/v1/releases"): writes,
        ("POST", "/api/v1/critical_defects"): writes,
        ("GET", one): reads,
        ("GET", "/api/v1/api_tokens"): reads,
        ("GET", "/api/v1/releases"): None,
        ("GET", f"{one}/changes"): None,
        ("POST", "/api/v1/batch"): None,
        ("DELETE", one): None,
        ("GET", "/readyz"): None,
        ("GET", "/"): None,
    }
    if writes is None:  # on PostgreSQL, where a lane would only wait
        wanted = dict.fromkeys(wanted)
    assert {call: lane_of({"REQUEST_METHOD": call[0], "PATH_INFO": call[1]}) for call in wanted} == wanted
    alive = lane_of({"REQUEST_METHOD": "GET", "PATH_INFO": "/healthz"})
    assert alive not in (None, reads, writes), "whoever asks that waits for nobody"
    for method, path in wanted:
        served = getattr(resolve(path).func, "operations", ())
        assert not path.startswith("/api/") or method in {operation.method for operation in served}

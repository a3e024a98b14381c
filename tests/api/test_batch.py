"""Batches: many lines in one call, each answered as a call of its own would be."""

from __future__ import annotations

import json
import random
import time
from typing import Any

import pytest
from django.test import Client

from shipmend.api import batch
from shipmend.audit.models import AuditEvent
from shipmend.core.moments import iso
from shipmend.core.values import Scope
from shipmend.db import writes
from shipmend.delivery import commits
from shipmend.delivery.models import Release
from tests.gitworld import GitRepo
from tests.world import FIRST_DAY, Api, World

pytestmark = pytest.mark.database

DAY = 24 * 3600


def send(api: Api, lines: list[object] | str, query: str = "", key: str = "") -> tuple[int, str]:
    """POST lines; a str is sent as it is."""
    text = lines if isinstance(lines, str) else "\n".join(json.dumps(line) for line in lines)
    headers = {"Authorization": f"Bearer {api.token}"} | ({"Idempotency-Key": key} if key else {})
    client = Client(raise_request_exception=False)
    response = client.post(f"/api/v1/batch{query}", text, content_type="application/x-ndjson", headers=headers)
    return response.status_code, response.content.decode()


def answers(api: Api, lines: list[object] | str, query: str = "", key: str = "") -> list[dict[str, Any]]:
    status, text = send(api, lines, query, key)
    assert status == 200, text
    return [json.loads(line) for line in text.splitlines()]


def release(path: object, n: int, **more: object) -> dict[str, object]:
    at = iso(FIRST_DAY + n * DAY)
    return {"resource_path": str(path), "release_sha": f"{n:040x}", "released_at": at, "name": f"v{n}", **more}


def defect(path: object, key: str, **more: object) -> dict[str, object]:
    return {"resource_path": str(path), "defect_key": key, "detected_at": iso(FIRST_DAY), **more}


def lines_of_all_sorts(world: World, git: GitRepo, seed: int) -> list[dict[str, object]]:
    """Good and bad lines of both kinds, many of them about the same few things; of one repo the history is known."""
    rng = random.Random(seed)
    repos = [str(world.repo_path("shop")), str(world.repo_path("bank")), str(world.repo_path("till"))]
    for path, history in zip(repos, (None, None, git), strict=True):
        world.repo(path.rpartition("/")[2], history)
    commits = list(git.commits)
    paths = [*repos, str(world.path), f"{world.path}/nowhere/at-all", "other/acme/shop", "//", ""]
    times = [iso(FIRST_DAY + n * DAY) for n in range(4)] + ["3/4/2021", "yesterday", "", None, True]

    def one() -> dict[str, object]:
        line: dict[str, object] = {"resource_path": rng.choice(repos * 3 + paths)}
        if rng.random() < 0.5:
            known = [*commits * 3, *(sha[:9] for sha in commits)]
            shas = known if line["resource_path"] == repos[2] else ["a" * 40, "b" * 40, "c" * 40, "d" * 39, "x"]
            line |= {"release_sha": rng.choice(shas)}
            line |= {"released_at": rng.choice(times[:4] * 3 + times)} if rng.random() < 0.9 else {}
            line |= {name: rng.choice(["v1", "v2", ""]) for name in ("name", "environment") if rng.random() < 0.3}
            line |= {"status": rng.choice(["succeeded", "failed"])} if rng.random() < 0.4 else {}
        else:
            line |= {"defect_key": rng.choice(["A-1", "A-2", "A-3"])}
            line |= {"detected_at": rng.choice(times)} if rng.random() < 0.7 else {}
            line |= {"fix_released_at": rng.choice(times)} if rng.random() < 0.5 else {}
            line |= {"severity": rng.choice([1, 2, "high"])} if rng.random() < 0.5 else {}
        return line

    return [one() for _ in range(90)]


@pytest.mark.parametrize("seed", range(5))
def test_each_line_is_answered_and_stored_as_a_call_of_its_own_would_be(
    world: World, stranger: World, git_repo: GitRepo, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch, "LINES_AT_ONCE", 30)
    for n, branch in enumerate(["main", "side", "main", "side"]):
        if n == 1:
            git_repo.branch("side")
        git_repo.commit(f"change {n}", branch=branch, at=FIRST_DAY + n * DAY)
    lines = lines_of_all_sorts(world, git_repo, seed)
    lines_of_all_sorts(stranger, git_repo, seed)
    single = stranger.api()

    def alone(line: dict[str, object]) -> dict[str, Any]:
        told = json.loads(json.dumps(line).replace(world.tenant.slug, stranger.tenant.slug))
        reply = single.post_json("critical_defects" if "defect_key" in line else "releases", told)
        return {"status": reply.status, **reply.json}

    together = answers(world.api(), list(lines))
    assert [each.pop("line") for each in together] == list(range(1, len(lines) + 1))
    apart = json.loads(json.dumps([alone(line) for line in lines]).replace(stranger.tenant.slug, world.tenant.slug))
    assert [_without_ids(each) for each in together] == [_without_ids(each) for each in apart]
    assert {each["status"] for each in together} >= {200, 400, 404}
    assert stored(world) == stored(stranger)


def stored(world: World) -> list[tuple[object, ...]]:
    """The releases, and what the audit trail says of each."""
    releases = Release.objects.filter(entity_id=world.tenant.id).order_by(
        "repo__slug", "environment", "released_at", "release_sha"
    )
    events = AuditEvent.objects.filter(entity_id=world.tenant.id).order_by("id")
    trail = {
        release.id: [(each.action, each.detail) for each in events.filter(subject_id=release.id)]
        for release in releases
    }
    return [
        (
            row.repo.slug,
            row.environment,
            row.released_at,
            row.release_sha,
            row.name,
            row.status,
            row.kind,
            trail[row.id],
        )
        for row in releases.select_related("repo")
    ]


def _without_ids(answer: dict[str, Any]) -> dict[str, Any]:
    if "release" in answer:
        answer["release"].pop("id")
    return answer


def test_blank_lines_are_counted_and_not_answered(world: World) -> None:
    path = world.repo().path
    text = f"\n{json.dumps(release(path, 1))}\r\n\n  {json.dumps(defect(path, 'K'))}  \n\n"
    assert [each["line"] for each in answers(world.api(), text)] == [2, 4]


def test_a_byte_order_mark_is_no_part_of_the_first_line(world: World) -> None:
    assert answers(world.api(), "\ufeff" + json.dumps(release(world.repo().path, 1)))[0]["status"] == 200


def test_the_type_tells_a_line_apart_and_else_its_defect_key_does(world: World) -> None:
    path = world.repo().path
    lines: list[object] = [
        release(path, 1),
        defect(path, "K"),
        release(path, 2, type="release", defect_key="K"),
        defect(path, "L", type="Defect"),
        release(path, 3, type="defect"),
        release(path, 4, type="deploy"),
    ]
    told = answers(world.api(), lines)
    kinds = ["release" if "release" in each else "defect" if "defect" in each else "refused" for each in told]
    assert kinds == ["release", "defect", "release", "defect", "refused", "refused"]
    assert "defect_key is missing" in told[4]["response_detail"]
    assert 'type "deploy"' in told[5]["response_detail"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[]", "a list"),
        ("{", "not JSON"),
        ('{"name": NaN}', "not JSON"),
        ('{"name": "a", "name": "b"}', "given twice"),
        ('{"name": "\\ud800"}', "surrogate"),
        ("[" * 3000, "nested too deeply"),
        ("resource_path=a/b/c&release_now=true", "not JSON"),
    ],
)
def test_a_line_that_cannot_be_read_is_refused_alone(world: World, text: str, says: str) -> None:
    good = json.dumps(release(world.repo().path, 1))
    told = answers(world.api(), f"{good}\n{text}\n{good}")
    assert [each["status"] for each in told] == [200, 400, 200]
    assert says in told[1]["response_detail"]
    assert [told[0]["action_em"], told[2]["action_em"]] == ["action_release_created", "action_release_unchanged"]


def test_a_line_without_a_path_belongs_where_the_call_says(world: World) -> None:
    here, there = world.repo("here").path, world.repo("there").path
    nameless = release(here, 1)
    del nameless["resource_path"]
    told = answers(world.api(), [nameless, release(there, 2)], f"?resource_path={here}")
    assert [each["release"]["resource_path"] for each in told] == [str(here), str(there)]
    assert "resource_path is missing" in answers(world.api(), [nameless])[0]["response_detail"]


def test_each_kind_of_line_asks_for_its_own_scope(world: World) -> None:
    path = world.repo().path
    told = answers(
        world.api(scopes=frozenset({Scope.RELEASES_WRITE})), [defect(path, "K"), release(path, 1), release("x/y/z", 1)]
    )
    assert [each["status"] for each in told] == [403, 200, 404]
    assert send(Api("nothing"), [release(path, 1)])[0] == 401


def test_lines_stay_within_the_reach_of_the_token(world: World, stranger: World) -> None:
    here, there, foreign = world.repo("here").path, world.repo("there").path, stranger.repo().path
    told = answers(world.api(at=here), [release(there, 1), release(foreign, 1), release(here, 1)])
    assert [each["status"] for each in told] == [404, 404, 200]
    assert not Release.objects.filter(entity_id=stranger.tenant.id).exists()


def test_a_line_about_a_defect_beyond_the_token_s_reach_may_add_a_fix_and_tells_nothing_else(world: World) -> None:
    here, elsewhere = world.repo("here").path, world.path
    assert answers(world.api(), [defect(elsewhere, "K", description="secret", severity=4711)])[0]["status"] == 200
    at = iso(FIRST_DAY + DAY)
    call = {"resource_path": str(here), "defect_key": "K"}
    lines: list[object] = [{**call, "fix_released_at": at}, {**call, "severity": 1}, {**call, "fix_released_at": 1}]
    for query in ("?dry_run=true", ""):
        text = send(world.api(at=here), lines, query)[1]
        told = [json.loads(line) for line in text.splitlines()]
        assert [each["status"] for each in told] == [200, 403, 400]
        assert told[0]["defect"]["fixes"][0]["released_at"] == at
        assert set(told[0]["defect"]) == {"defect_key", "fixes"}
        assert not [secret for secret in ("secret", "4711", iso(FIRST_DAY)) if secret in text]


def test_the_same_key_gets_the_same_answers_whatever_the_number_of_parts(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch, "LINES_AT_ONCE", 2)
    path, api = world.repo().path, world.api()
    lines: list[object] = [release(path, n) for n in range(5)]
    first = send(api, lines, key="once")
    assert send(api, lines, key="once") == first
    assert {each["action_em"] for each in answers(api, lines)} == {"action_release_unchanged"}
    status, text = send(api, lines[:4], key="once")
    assert (status, json.loads(text)["response_em"]) == (422, "response_invalid_request")
    assert api.post("releases", release(path, 9), key="once").status == 422


def test_a_key_lets_a_call_that_broke_off_go_on_where_it_ended(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch, "LINES_AT_ONCE", 2)
    path, api = world.repo().path, world.api()
    lines: list[object] = [
        {"resource_path": str(path), "release_sha": f"{n:040x}", "release_now": True} for n in (1, 2, 3)
    ]
    with monkeypatch.context() as broken:
        broken.setattr(batch, "each_alone", _breaks_at_second_call())
        told = answers(api, lines, key="k")
    assert [each["status"] for each in told] == [200, 200, 500]
    later = time.time() + DAY
    monkeypatch.setattr("time.time", lambda: later)
    again = answers(api, lines, key="k")
    assert again[:2] == told[:2]
    assert again[2]["action_em"] == "action_release_created"


def _breaks_at_second_call() -> Any:
    done: list[object] = []

    def each_alone(pieces: Any) -> Any:
        done.append(None)
        if len(done) > 1:
            raise RuntimeError("planted")
        return writes.each_alone(pieces)

    return each_alone


def test_a_dry_run_answers_in_full_and_stores_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch, "LINES_AT_ONCE", 1)
    path = world.repo().path
    told = answers(
        world.api(),
        [defect(path, "K"), {"resource_path": str(path), "defect_key": "K", "severity": 1}],
        "?dry_run=true",
    )
    assert [each["action_em"] for each in told] == ["action_defect_created", "action_defect_updated"]
    assert {each["dry_run"] for each in told} == {True}
    assert world.api().get("critical_defects", resource_path=path).json["total"] == 0


@pytest.mark.parametrize("query", ["", "?dry_run=true"])
def test_a_line_that_asks_not_to_be_stored_is_refused(world: World, query: str) -> None:
    path = world.repo().path
    lines = [
        release(path, 1, dry_run=True),
        defect(path, "K", dry_run="TRUE"),
        release(path, 2, dry_run="maybe"),
        release(path, 3, dry_run=False),
        defect(path, "L", dry_run=None),
    ]
    told = answers(world.api(), list(lines), query)
    assert [each["status"] for each in told] == [400, 400, 400, 200, 200]
    assert [each["action_em"] for each in told[:2]] == ["action_create_release", "action_create_defect"]
    assert all(each["response_detail"].startswith("dry_run ") for each in told[:3])
    assert "query string" in told[0]["response_detail"]
    if not query:
        assert [row.name for row in Release.objects.filter(entity_id=world.tenant.id)] == ["v3"]


def test_sizes_are_bounded(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch, "MOST_LINES", 2)
    line = json.dumps(release(world.repo().path, 1))
    for text, status in (("", 400), (" \n \n", 400), (f"{line}\n" * 3, 413), (" " * ((4 << 20) + 1), 413)):
        assert send(world.api(), text)[0] == status
    assert send(world.api(), f"{line}\n" * 2)[0] == 200


def test_as_many_lines_as_are_promised_fit_into_a_call(world: World) -> None:
    one = json.dumps(defect(world.path, "K", description="x" * 600, severity=1))
    told = answers(world.api(), f"{one}\n" * batch.MOST_LINES)
    assert {each["status"] for each in told} == {200}
    assert len(told) == 5000


def test_a_repo_is_fetched_once_for_all_its_unknown_commits(
    world: World, git_repo: GitRepo, monkeypatch: pytest.MonkeyPatch
) -> None:
    git_repo.commit("One")
    path = world.repo(git=git_repo).path
    asked: list[object] = []

    def fetched_the_second_time(*given: object) -> bool:
        asked.append(given)
        return len(asked) > 1

    monkeypatch.setattr(commits, "fetch_and_wait", fetched_the_second_time)
    lines: list[object] = [release(path, n) for n in range(3)]
    assert [each["status"] for each in answers(world.api(), lines)] == [202] * 3
    assert len(asked) == 1
    assert [each["status"] for each in answers(world.api(), lines)] == [400] * 3
    assert len(asked) == 2


def test_the_document_tells_of_both_kinds_of_line(world: World) -> None:
    told = world.api().get("openapi.json").json["paths"]["/batch"]["post"]
    (kinds,) = [each["schema"]["anyOf"] for each in told["requestBody"]["content"].values()]
    assert [("defect_key" in kind["properties"], "release_sha" in kind["properties"]) for kind in kinds] == [
        (False, True),
        (True, False),
    ]
    assert [each["name"] for each in told["parameters"]] == ["resource_path", "dry_run", "Idempotency-Key"]
    # A line need not say what the query string may say for it.
    assert [kind["required"] for kind in kinds] == [[], ["defect_key"]]
    assert all("resource_path" in kind["properties"] for kind in kinds)

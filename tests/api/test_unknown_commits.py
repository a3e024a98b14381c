"""A commit not seen yet: fetched and found, fetched and absent, or accepted and settled later, visibly."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from uuid import UUID

import pytest
from django.conf import settings

from shipmend.catalog.queries import Tenant, ref_of
from shipmend.core.moments import iso
from shipmend.core.releases import ReleaseCommit
from shipmend.delivery import settle, unsettled
from shipmend.worker import make_worker
from tests.gitworld import GitRepo
from tests.world import FIRST_DAY, Api, World

pytestmark = pytest.mark.database

DAY = 24 * 3600
PATIENCE = 30


@pytest.fixture
def worker(instance: object) -> Iterator[None]:
    """A worker in this process, as `shipmend serve` has one."""
    with _working():
        yield


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Calls wait for no fetch at all."""
    monkeypatch.setattr(settings, "CONFIG", replace(settings.CONFIG, fetch_wait=0.0))


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Calls wait for as long as a busy machine may need."""
    monkeypatch.setattr(settings, "CONFIG", replace(settings.CONFIG, fetch_wait=float(PATIENCE)))


@pytest.fixture
def path(world: World, git_repo: GitRepo) -> str:
    git_repo.commit("start", at=FIRST_DAY)
    return str(world.repo(git=git_repo).path)


def eventually(read: Callable[[], object], wanted: object) -> None:
    """Wait until `read()` gives what is wanted."""
    until = time.monotonic() + PATIENCE
    while read() != wanted:
        assert time.monotonic() < until, f"still {read()!r} after {PATIENCE} s"
        time.sleep(0.05)


@pytest.mark.usefixtures("worker", "patient")
def test_a_commit_pushed_a_moment_ago_is_found(world: World, git_repo: GitRepo, path: str) -> None:
    sha = git_repo.commit("fresh", at=FIRST_DAY + DAY)
    reply = world.api().post("releases", resource_path=path, release_sha=sha[:10])
    assert reply.words == (200, "response_success")
    assert reply.json["release"]["release_sha"] == sha
    assert reply.json["release"]["released_at"] == iso(FIRST_DAY + DAY)


@pytest.mark.usefixtures("worker", "patient")
def test_release_now_sees_what_was_pushed_a_moment_ago(world: World, git_repo: GitRepo, path: str) -> None:
    sha = git_repo.commit("fresh", at=FIRST_DAY + DAY)
    reply = world.api().post("releases", resource_path=path, release_now="true")
    assert reply.json["release"]["release_sha"] == sha


@pytest.mark.usefixtures("worker", "patient")
def test_a_commit_that_is_nowhere_is_refused_and_nothing_is_stored(world: World, path: str) -> None:
    api = world.api()
    reply = api.post("releases", resource_path=path, release_sha="f" * 40)
    assert reply.words == (400, "response_invalid_params")
    assert "f" * 40 in reply.json["response_detail"]
    fix = api.post(
        "critical_defects", defect_key="K", resource_path=path, detected_now="true", fix_released_sha="e" * 12
    )
    assert fix.status == 400
    assert api.get("releases", resource_path=path).json["total"] == 0
    assert api.get("critical_defects/K").status == 404


@pytest.mark.usefixtures("impatient")
def test_a_fetch_that_takes_too_long_leaves_it_pending_until_it_is_settled(
    world: World, git_repo: GitRepo, path: str
) -> None:
    api = world.api()
    sha = git_repo.commit("fresh", at=FIRST_DAY + DAY)
    call = {"resource_path": path, "release_sha": sha, "name": "v1"}
    reply = api.post("releases", call)
    assert reply.words == (202, "response_pending")
    release = reply.json["release"]
    assert (release["commit_state"], release["released_at"], release["kind"]) == ("pending", None, None)
    again = api.post("releases", call)
    assert (again.status, again.json["action_em"]) == (202, "action_release_unchanged")

    with _working():
        eventually(lambda: _release(api, release["id"])["commit_state"], "known")
    settled = _release(api, release["id"])
    assert settled == {**release, "commit_state": "known", "released_at": iso(FIRST_DAY + DAY), "kind": "baseline"}
    assert api.post("releases", call).json["action_em"] == "action_release_unchanged"


@pytest.mark.usefixtures("impatient")
def test_what_was_pending_and_never_came_is_rejected_visibly(world: World, path: str) -> None:
    api = world.api()
    reply = api.post("releases", resource_path=path, release_sha="f" * 40, released_at=iso(FIRST_DAY + DAY))
    assert reply.status == 202
    with _working():
        eventually(lambda: _release(api, reply.json["release"]["id"])["commit_state"], "rejected")
    assert _release(api, reply.json["release"]["id"])["kind"] is None
    assert api.get("releases", resource_path=path).json["total"] == 1


@pytest.mark.usefixtures("impatient")
def test_a_pending_fix_resolves_its_defect_once_settled(world: World, git_repo: GitRepo, path: str) -> None:
    api = world.api()
    sha = git_repo.commit("mend", at=FIRST_DAY + DAY)
    call = {"defect_key": "K", "resource_path": path, "detected_at": iso(FIRST_DAY), "fix_released_sha": sha}
    reply = api.post("critical_defects", call)
    assert reply.words == (202, "response_pending")
    assert reply.json["defect"]["resolved_at"] is None
    with _working():
        eventually(lambda: api.get("critical_defects/K").json["defect"]["resolved_at"], iso(FIRST_DAY + DAY))
    assert api.post("critical_defects", call).words == (200, "response_success")


@pytest.mark.usefixtures("impatient")
def test_what_was_rejected_is_waited_for_again_when_it_is_sent_again(
    world: World, git_repo: GitRepo, path: str
) -> None:
    """The push came later than the first call; the second is the same call and the same release and fix."""
    api = world.api()
    sha = _commit_elsewhere(git_repo)
    release = {"resource_path": path, "release_sha": sha}
    fix = {"resource_path": path, "fix_released_sha": sha, "defect_key": "K", "detected_at": iso(FIRST_DAY)}
    first = api.post("releases", release).json["release"]["id"]
    api.post("critical_defects", fix)
    with _working():
        eventually(lambda: _release(api, first)["commit_state"], "rejected")
        eventually(lambda: _fix(api, "K")["commit_state"], "rejected")

    assert api.post("releases", release).words == (202, "response_pending")
    assert api.post("critical_defects", fix).words == (202, "response_pending")
    git_repo.point("late", sha)
    with _working():
        eventually(lambda: _release(api, first)["commit_state"], "known")
        eventually(lambda: _fix(api, "K")["commit_state"], "known")
    assert api.get("releases", resource_path=path).json["total"] == 1
    assert api.get("critical_defects/K").json["defect"]["resolved_at"] == iso(FIRST_DAY + DAY)


@pytest.mark.parametrize("timed", [{}, {"released_at": iso(FIRST_DAY + 2 * DAY)}], ids=["untimed", "timed"])
@pytest.mark.parametrize("digits", [9, 40])
@pytest.mark.usefixtures("impatient")
def test_a_pending_one_that_has_turned_up_is_taken_over(
    digits: int, timed: dict[str, str], world: World, git_repo: GitRepo, path: str
) -> None:
    """Also before a worker has settled what waits: the id that was answered first stays good."""
    api = world.api()
    sha = git_repo.commit("fresh", at=FIRST_DAY + DAY)
    call = {"resource_path": path, "release_sha": sha[:digits], **timed}
    fix = {"resource_path": path, "fix_released_sha": sha[:digits], "defect_key": "K", "detected_at": iso(FIRST_DAY)}
    first = api.post("releases", call).json["release"]["id"]
    api.post("critical_defects", fix)
    world.index(world.repo())
    again = api.post("releases", call)
    assert (again.status, again.json["action_em"]) == (200, "action_release_updated")
    assert again.json["release"]["id"] == first
    assert again.json["release"]["release_sha"] == sha
    assert api.post("critical_defects", fix).words == (200, "response_success")
    assert _fix(api, "K")["released_at"] == iso(FIRST_DAY + DAY)
    with _working():
        eventually(lambda: _release(api, first)["commit_state"], "known")
    assert api.get("releases", resource_path=path).json["total"] == 1
    assert len(api.get("critical_defects/K").json["defect"]["fixes"]) == 1


def test_what_was_taken_unverified_is_known_once_its_repo_has_a_remote(world: World, git_repo: GitRepo) -> None:
    api, path = world.api(), str(world.repo().path)
    shas = [git_repo.commit("start", at=FIRST_DAY), git_repo.commit("more", at=FIRST_DAY + DAY), "f" * 40]
    calls = [
        {"resource_path": path, "release_sha": sha, "released_at": iso(FIRST_DAY + n * DAY)}
        for n, sha in enumerate(shas, 2)
    ]
    made = [api.post("releases", call).json["release"] for call in calls]
    assert {each["commit_state"] for each in made} == {"unverified"}
    fix = {"resource_path": path, "fix_released_sha": shas[1], "fix_released_at": iso(FIRST_DAY + 3 * DAY)}
    api.post("critical_defects", fix, defect_key="K", detected_at=iso(FIRST_DAY))

    world.repo(git=git_repo)
    with _working():
        eventually(lambda: _fix(api, "K")["commit_state"], "known")
        eventually(lambda: _release(api, str(made[1]["id"]))["commit_state"], "known")
    found = [_release(api, str(each["id"])) for each in made]
    assert [each["commit_state"] for each in found] == ["known", "known", "unverified"]
    assert [each["kind"] for each in found] == ["baseline", "forward", None]


@pytest.mark.usefixtures("impatient")
def test_what_is_deleted_while_it_is_settled_stays_deleted(
    world: World, git_repo: GitRepo, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The delete comes when the worker has read what waits."""
    api = world.api()
    sha = git_repo.commit("fresh", at=FIRST_DAY + DAY)
    release = api.post("releases", resource_path=path, release_sha=sha).json["release"]["id"]
    read = unsettled.unsettled_releases

    def read_and_delete(tenant: Tenant, repo_id: UUID) -> list[tuple[UUID, ReleaseCommit, int]]:
        rows = read(tenant, repo_id)
        assert api.delete(f"releases/{release}").status == 200
        return rows

    monkeypatch.setattr(settle, "unsettled_releases", read_and_delete)
    repo = world.repo()
    world.index(repo)
    settle.settle_repo(tenant=world.tenant, repo=ref_of(repo), now=FIRST_DAY)
    assert api.get(f"releases/{release}").status == 404


@pytest.mark.usefixtures("impatient")
def test_a_call_about_something_else_does_not_wait_for_a_pending_fix(world: World, path: str) -> None:
    api = world.api()
    fix = {"resource_path": path, "defect_key": "K", "detected_at": iso(FIRST_DAY), "fix_released_sha": "f" * 40}
    assert api.post("critical_defects", fix).words == (202, "response_pending")
    assert api.post("critical_defects", fix).words == (202, "response_pending")
    other = {"resource_path": path, "defect_key": "K", "severity": 3}
    assert api.post("critical_defects", other).words == (200, "response_success")


@pytest.mark.usefixtures("impatient")
def test_a_pending_release_time_by_time_joins_its_twin(world: World, git_repo: GitRepo, path: str) -> None:
    """An abbreviation accepted while pending, then the whole sha once it is known: one event, one release."""
    api = world.api()
    sha = git_repo.commit("fresh", at=FIRST_DAY + DAY)
    at = iso(FIRST_DAY + 2 * DAY)
    assert api.post("releases", resource_path=path, release_sha=sha[:8], released_at=at).status == 202
    world.index(world.repo())
    assert api.post("releases", resource_path=path, release_sha=sha, released_at=at).status == 200
    with _working():
        eventually(lambda: api.get("releases", resource_path=path).json["total"], 1)
    assert [release["release_sha"] for release in api.get("releases", resource_path=path).json["releases"]] == [sha]


def _release(api: Api, release_id: str) -> dict[str, object]:
    release: dict[str, object] = api.get(f"releases/{release_id}").json["release"]
    return release


def _fix(api: Api, key: str) -> dict[str, object]:
    fix: dict[str, object] = api.get(f"critical_defects/{key}").json["defect"]["fixes"][0]
    return fix


def _commit_elsewhere(git_repo: GitRepo) -> str:
    """A commit that is on no branch yet."""
    sha = git_repo.commit("late", branch="late", at=FIRST_DAY + DAY)
    git_repo.git("update-ref", "-d", "refs/heads/late")
    return sha


@contextmanager
def _working() -> Iterator[None]:
    """A worker for the length of a block."""
    worker = make_worker()
    worker.start()
    try:
        yield
    finally:
        worker.stop()

"""Indexes that are asked for: by people and calls, and by the clock."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from shipmend.catalog.models import IndexState, Repo
from shipmend.db.clock import epoch_now
from shipmend.db.writes import write
from shipmend.history import actions
from shipmend.history.actions import INDEX, request_index, schedule_fetches
from shipmend.history.handlers import run_index
from shipmend.history.queries import commit_by_sha
from shipmend.history.waiting import fetch_and_wait
from shipmend.jobs.models import Job
from shipmend.jobs.queue import Claimer
from shipmend.jobs.registry import Registry
from shipmend.jobs.worker import Worker
from tests.gitworld import GitRepo
from tests.history.guards import do_waiting_job
from tests.world import World

pytestmark = pytest.mark.database

INTERVAL = 300


def fetched(repo: Repo, *, ago: float) -> None:
    Repo.objects.filter(id=repo.id).update(fetched_at=epoch_now() - ago)


def asked(repo: Repo) -> int:
    return Job.objects.filter(kind=INDEX, key=str(repo.id), done_at=None, dead_at=None).count()


def schedule_all() -> None:
    """Until every repo that is due has its job: other tests' repos may be due as well."""
    while schedule_fetches(INTERVAL):
        pass


def test_a_repo_is_fetched_again_once_its_time_has_come(world: World, git_repo: GitRepo) -> None:
    repo = world.repo(git=git_repo)
    fetched(repo, ago=INTERVAL * 0.8)
    schedule_all()
    assert asked(repo) == 0
    fetched(repo, ago=INTERVAL * 1.2)
    schedule_all()
    schedule_all()
    assert asked(repo) == 1


def test_those_that_were_asked_for_keep_no_other_from_its_turn(
    world: World, git_repo: GitRepo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(actions, "SCHEDULED_AT_ONCE", 1)
    repos = [world.repo(slug, git_repo) for slug in ("one", "two", "three")]
    for repo in repos:
        fetched(repo, ago=INTERVAL * 1000)
    schedule_all()
    assert [asked(repo) for repo in repos] == [1, 1, 1]


def test_a_repo_never_fetched_is_due_and_one_without_remote_never_is(world: World, git_repo: GitRepo) -> None:
    repo, bare = world.repo("new"), world.repo("no-remote")
    Repo.objects.filter(id=repo.id).update(remote_url=git_repo.url, is_local=True)
    schedule_all()
    assert (asked(repo), asked(bare)) == (1, 0)


def test_scheduled_fetches_are_spread_out(world: World, git_repo: GitRepo) -> None:
    repos = [world.repo(f"r{n}", git=git_repo) for n in range(8)]
    for repo in repos:
        fetched(repo, ago=INTERVAL * 2)
    schedule_all()
    jobs = Job.objects.filter(kind=INDEX, key__in=[str(repo.id) for repo in repos], done_at=None)
    delays = {job.run_at - job.created_at for job in jobs}
    assert len(delays) == len(repos)
    assert all(0 <= delay <= INTERVAL * 1000 / 5 for delay in delays)


def test_a_running_index_is_not_scheduled_besides(world: World, git_repo: GitRepo) -> None:
    repo = world.repo(git=git_repo)
    fetched(repo, ago=INTERVAL * 2)
    request_index(repo, reason="test")
    Claimer([INDEX], owner="test", lease=60).of(repo.entity_id, INDEX, str(repo.id))
    schedule_all()
    assert asked(repo) == 1


def test_asking_for_an_index_shows_at_once_on_a_repo_that_failed(world: World, git_repo: GitRepo) -> None:
    repo = world.repo(git=git_repo)
    assert repo.index_state == IndexState.WAITING
    for before, after in (
        (IndexState.FAILED, IndexState.WAITING),
        (IndexState.READY, IndexState.READY),
    ):
        repo.index_state = before
        repo.save()
        request_index(repo, reason="test")
        assert repo.index_state == Repo.objects.get(id=repo.id).index_state == after


def test_a_repo_that_failed_is_fetched_at_once_when_somebody_asks(world: World, git_repo: GitRepo) -> None:
    """And not when its next try comes, which may be hours away."""
    git_repo.commit()
    repo = world.repo(git=git_repo)
    away = git_repo.path.rename(git_repo.path.with_name("away"))
    request_index(repo, reason="test")
    assert do_waiting_job(repo.entity_id, INDEX, str(repo.id)) is not None
    away.rename(git_repo.path)
    assert Claimer([INDEX], owner="test", lease=60).of(repo.entity_id, INDEX, str(repo.id)) is None
    request_index(repo, reason="test")
    assert do_waiting_job(repo.entity_id, INDEX, str(repo.id)) is None
    assert Repo.objects.get(id=repo.id).index_state == IndexState.READY


def test_an_index_asked_for_in_a_write_that_is_undone_is_not_done(world: World, git_repo: GitRepo) -> None:
    repo = world.repo(git=git_repo)

    def work() -> None:
        request_index(repo, reason="test")
        raise KeyError

    with pytest.raises(KeyError):
        write(work)
    assert asked(repo) == 0


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch) -> Iterator[Worker]:
    """One that does only what waits for this test: other tests' indexes are left alone."""
    kind = "index-of-test-scheduling"
    monkeypatch.setattr(actions, "INDEX", kind)
    registry = Registry()
    registry.add(kind, run_index)
    worker = Worker(registry, threads=1)
    worker.start()
    yield worker
    assert worker.stop(patience=30)


def test_a_call_waits_until_what_was_just_pushed_is_there(world: World, git_repo: GitRepo, worker: Worker) -> None:
    git_repo.commit("One")
    repo = world.repo(git=git_repo)
    sha = git_repo.commit("Pushed a moment ago")
    assert commit_by_sha(repo.entity_id, repo.number, sha) is None
    assert fetch_and_wait(repo.entity_id, repo.id, 60)
    assert commit_by_sha(repo.entity_id, repo.number, sha) is not None


def test_a_call_does_not_wait_for_ever(world: World, git_repo: GitRepo) -> None:
    repo = world.repo(git=git_repo)
    assert not fetch_and_wait(repo.entity_id, repo.id, 0.05)
    assert asked(repo) == 1, "and the fetch goes on without it"


def test_a_call_learns_that_the_fetch_failed(world: World, git_repo: GitRepo, worker: Worker) -> None:
    repo = world.repo(git=git_repo)
    git_repo.path.rename(git_repo.path.with_name("elsewhere.git"))
    assert not fetch_and_wait(repo.entity_id, repo.id, 60)


def test_waiting_for_a_repo_that_is_not_there_ends_at_once(world: World, stranger: World, git_repo: GitRepo) -> None:
    repo = world.repo(git=git_repo)
    assert not fetch_and_wait(stranger.tenant.id, repo.id, 60)


def test_a_worker_does_what_was_asked_for(world: World, git_repo: GitRepo) -> None:
    git_repo.commit("One")
    repo = world.repo(git=git_repo)
    git_repo.commit("Two")
    request_index(repo, reason="test")
    assert do_waiting_job(repo.entity_id, INDEX, str(repo.id)) is None
    assert Repo.objects.get(id=repo.id).commit_count == 2

"""Jobs as people see them."""

from __future__ import annotations

import pytest

from shipmend.db.writes import write
from shipmend.jobs import queue
from shipmend.jobs.models import Job
from shipmend.jobs.queries import JobState, dead_jobs, find_job, forget, overdue_jobs, recent_jobs, retry
from tests.jobs.helpers import ask, make_due, taken
from tests.world import World

pytestmark = pytest.mark.database


def bury(world: World, kind: str, key: str = "one") -> None:
    job_id = ask(world, kind, key)
    write(lambda: Job.objects.filter(id=job_id).update(attempt=queue.TRIES - 1))
    queue.fail(taken(kind), f"no luck with {key}")


def test_a_job_shows_where_it_stands(world: World, kind: str) -> None:
    job_id = ask(world, kind)
    waiting = find_job(world.tenant.id, job_id)
    claim = taken(kind)
    running = find_job(world.tenant.id, job_id)
    queue.finish(claim)
    done = find_job(world.tenant.id, job_id)
    assert waiting
    assert running
    assert done
    assert [job.state for job in (waiting, running, done)] == [JobState.WAITING, JobState.RUNNING, JobState.DONE]
    assert waiting.ended_at is running.ended_at is None
    assert done.ended_at is not None
    assert done.created_at <= done.ended_at


def test_the_latest_jobs_of_an_entity_come_first_and_no_others(world: World, stranger: World, kind: str) -> None:
    ids = [ask(world, kind, str(n)) for n in range(4)]
    ask(stranger, kind)
    assert [job.id for job in recent_jobs(world.tenant.id, limit=3)] == ids[:0:-1]


def test_a_job_that_was_given_up_is_listed_with_its_last_error(world: World, stranger: World, kind: str) -> None:
    bury(world, kind)
    (job,) = dead_jobs(world.tenant.id)
    assert (job.state, job.kind, job.error, job.attempt) == (JobState.DEAD, kind, "no luck with one", queue.TRIES)
    assert dead_jobs(stranger.tenant.id) == []


def test_only_the_last_of_a_row_of_failures_is_listed(world: World, kind: str) -> None:
    bury(world, kind)
    bury(world, kind)
    assert len(dead_jobs(world.tenant.id)) == 1


def test_success_ends_what_was_given_up_before(world: World, kind: str) -> None:
    bury(world, kind)
    bury(world, kind, "two")
    ask(world, kind)
    queue.finish(taken(kind))
    assert [job.key for job in dead_jobs(world.tenant.id)] == ["two"]


def test_retrying_asks_anew_under_a_fence_never_used_before(world: World, kind: str) -> None:
    bury(world, kind)
    (dead,) = dead_jobs(world.tenant.id)
    assert retry(world.tenant.id, dead.id)
    assert dead_jobs(world.tenant.id) == []
    again = taken(kind)
    assert again.id != dead.id
    assert again.key == dead.key


def test_a_job_that_was_given_up_can_be_forgotten(world: World, kind: str) -> None:
    bury(world, kind)
    (dead,) = dead_jobs(world.tenant.id)
    assert forget(world.tenant.id, dead.id)
    assert dead_jobs(world.tenant.id) == []
    assert not forget(world.tenant.id, dead.id)


def test_nobody_touches_another_entitys_jobs_or_those_not_given_up(world: World, stranger: World, kind: str) -> None:
    bury(world, kind)
    (dead,) = dead_jobs(world.tenant.id)
    assert not retry(stranger.tenant.id, dead.id)
    assert not forget(stranger.tenant.id, dead.id)
    assert find_job(stranger.tenant.id, dead.id) is None
    waiting = ask(world, kind, "waiting")
    assert not retry(world.tenant.id, waiting)
    assert not forget(world.tenant.id, waiting)


def test_a_job_due_for_long_counts_as_overdue_unless_somebody_works_on_it(world: World, kind: str) -> None:
    before = overdue_jobs(seconds=300)
    make_due(ask(world, kind, "late"))
    ask(world, kind, "fresh")
    assert overdue_jobs(seconds=300) == before + 1
    taken(kind)
    assert overdue_jobs(seconds=300) == before

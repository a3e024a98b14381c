"""A job done here and now."""

from __future__ import annotations

import threading
from uuid import UUID

import pytest

from shipmend.jobs import queue
from shipmend.jobs.foreground import JobFailed, do_now
from shipmend.jobs.registry import JobContext, Registry
from tests.jobs.helpers import ask, end_lease, stored, taken
from tests.world import World

pytestmark = pytest.mark.database


def now(world: World, kind: str, job_id: UUID, run: object, on_wait: object = lambda: None) -> None:
    registry = Registry()
    registry.add(kind, run)  # type: ignore[arg-type]  # tests pass lambdas
    do_now(registry, job_id=job_id, entity_id=world.tenant.id, kind=kind, key="one", on_wait=on_wait)  # type: ignore[arg-type]  # the same


def test_the_calling_thread_does_the_job(world: World, kind: str) -> None:
    where: list[threading.Thread] = []
    job_id = ask(world, kind)
    now(world, kind, job_id, lambda _: where.append(threading.current_thread()))
    assert where == [threading.current_thread()]
    assert stored(job_id).done_at is not None


def test_what_goes_wrong_is_raised_here_and_left_to_the_workers(world: World, kind: str) -> None:
    def run(context: JobContext) -> None:
        raise ValueError("no")

    job_id = ask(world, kind)
    with pytest.raises(ValueError, match="no"):
        now(world, kind, job_id, run)
    assert stored(job_id).error == "ValueError: no"
    assert stored(job_id).done_at is stored(job_id).lease_until is None


def test_a_job_that_a_worker_has_is_waited_for(world: World, kind: str) -> None:
    job_id = ask(world, kind)
    claim = taken(kind)
    waits: list[int] = []

    def on_wait() -> None:
        waits.append(1)
        if len(waits) == 2:
            queue.finish(claim)

    now(world, kind, job_id, lambda _: pytest.fail("it is somebody else's"), on_wait)
    assert len(waits) == 2


def test_another_workers_failure_is_told_in_its_words(world: World, kind: str) -> None:
    job_id = ask(world, kind)
    claim = taken(kind)
    with pytest.raises(JobFailed, match="no route to host"):
        now(world, kind, job_id, lambda _: None, lambda: queue.fail(claim, "no route to host"))


def test_what_a_vanished_worker_left_is_done_first(world: World, kind: str) -> None:
    left = ask(world, kind)
    lost = taken(kind)
    job_id = ask(world, kind)
    done: list[int] = []
    now(world, kind, job_id, lambda context: done.append(context.attempt), lambda: end_lease(lost))
    assert done == [2, 1]
    assert stored(left).done_at is not None
    assert stored(job_id).done_at is not None


def test_giving_up_at_the_keyboard_gives_the_job_back(world: World, kind: str) -> None:
    def run(context: JobContext) -> None:
        raise KeyboardInterrupt

    job_id = ask(world, kind)
    with pytest.raises(KeyboardInterrupt):
        now(world, kind, job_id, run)
    assert taken(kind).id == job_id

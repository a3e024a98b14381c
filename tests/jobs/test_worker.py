"""The worker: threads, heartbeat, chores, and how they end."""

from __future__ import annotations

import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from shipmend.db.writes import write
from shipmend.jobs import queue
from shipmend.jobs.models import Job
from shipmend.jobs.queries import JobState, dead_jobs, find_job
from shipmend.jobs.queue import TRIES, Claim, Claimer
from shipmend.jobs.registry import Interrupted, JobContext, LeaseLost, Registry
from shipmend.jobs.running import Running
from shipmend.jobs.worker import Worker
from tests.jobs.helpers import ask, end_lease, make_due, stored, take, taken
from tests.processes import process
from tests.world import World

pytestmark = pytest.mark.database

PATIENCE = 30
"""Seconds that a test waits for what takes a moment."""


@contextmanager
def working(registry: Registry, *, threads: int = 2, lease: float = 60) -> Iterator[Worker]:
    worker = Worker(registry, threads=threads, lease=lease)
    worker.start()
    try:
        yield worker
    finally:
        assert worker.stop(patience=PATIENCE)


def only(kind: str, run: Callable[[JobContext], None]) -> Registry:
    registry = Registry()
    registry.add(kind, run)
    return registry


def held(claim: Claim, registry: Registry | None = None) -> tuple[Running, JobContext]:
    running = Running(registry or Registry(), lease=60, stopping=threading.Event())
    return running, running.hold(claim)


def test_a_job_asked_for_here_is_done_and_seen_as_done(world: World, kind: str) -> None:
    seen: list[tuple[object, str]] = []
    done = threading.Event()

    def run(context: JobContext) -> None:
        seen.append((context.entity_id, context.key))
        done.set()

    with working(only(kind, run)):
        job_id = ask(world, kind, "k")
        assert done.wait(PATIENCE)
    assert seen == [(world.tenant.id, "k")]
    assert stored(job_id).done_at is not None


def test_a_job_that_is_taken_while_the_worker_stops_is_not_held_by_nobody(
    world: World, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    taking, stopping = threading.Event(), threading.Event()
    take_next = Claimer.next

    def slowly(claimer: Claimer, kinds: list[str]) -> Claim | None:
        claim = take_next(claimer, kinds)
        if claim is not None:
            taking.set()
            assert stopping.wait(PATIENCE)
        return claim

    monkeypatch.setattr(Claimer, "next", slowly)
    worker = Worker(only(kind, lambda context: context.check()), threads=1)
    worker.start()
    job_id = ask(world, kind)
    assert taking.wait(PATIENCE)
    ending = threading.Thread(target=worker.stop, kwargs={"patience": PATIENCE})
    ending.start()
    time.sleep(0.2)  # until the end is under way; too short a time would only let a fault pass
    stopping.set()
    ending.join()
    assert stored(job_id).lease_until is None


def test_a_job_asked_for_by_another_process_is_found_by_looking(
    world: World, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue, "wake_workers", lambda: None)
    done = threading.Event()
    with working(only(kind, lambda _: done.set())):
        ask(world, kind)
        assert done.wait(PATIENCE)


def test_one_slow_job_holds_up_no_other(world: World, kind: str) -> None:
    quick_done = threading.Event()

    def run(context: JobContext) -> None:
        if context.key == "slow":
            assert quick_done.wait(PATIENCE)
        else:
            quick_done.set()

    with working(only(kind, run)):
        slow = ask(world, kind, "slow")
        ask(world, kind, "quick")
        assert quick_done.wait(PATIENCE)
    assert stored(slow).error == ""


def test_heavy_jobs_leave_a_thread_to_the_light_ones(world: World, kind: str) -> None:
    registry = Registry()
    registry.add(kind, lambda _: None, heavy=True)
    registry.add("light", lambda _: None)
    running = Running(registry, lease=60, stopping=threading.Event())
    for key, startable in (("a", [kind, "light"]), ("b", ["light"]), ("c", [])):
        ask(world, kind, key)
        running.hold(taken(kind))
        assert running.startable(3) == startable


def test_a_worker_with_one_thread_does_heavy_jobs_too(kind: str) -> None:
    registry = Registry()
    registry.add(kind, lambda _: None, heavy=True)
    assert Running(registry, lease=60, stopping=threading.Event()).startable(1) == [kind]


def test_a_job_that_fails_is_tried_again_and_its_error_kept(world: World, kind: str) -> None:
    job_id = ask(world, kind)
    tried = threading.Event()
    succeeded = threading.Event()

    def run(context: JobContext) -> None:
        if context.attempt == 1:
            tried.set()
            raise ValueError("not today")
        succeeded.set()

    with working(only(kind, run)):
        assert tried.wait(PATIENCE)
        while not stored(job_id).error:
            pass
        assert stored(job_id).error == "ValueError: not today"
        make_due(job_id)
        assert succeeded.wait(PATIENCE)
    assert stored(job_id).attempt == 2
    assert stored(job_id).done_at is not None


def test_an_error_with_a_sentence_for_people_keeps_that_sentence(world: World, kind: str) -> None:
    class Unreachable(Exception):
        for_people = "The remote can't be reached."

    def run(context: JobContext) -> None:
        raise Unreachable("ECONNREFUSED")

    job_id = ask(world, kind)
    claim = taken(kind)
    running, context = held(claim, only(kind, run))
    running.run(claim, context)
    assert stored(job_id).error == "The remote can't be reached."


def test_a_job_that_kills_its_worker_each_time_is_given_up(world: World, kind: str) -> None:
    ask(world, kind)
    for _ in range(TRIES):
        end_lease(taken(kind))
    claim = taken(kind)
    ran: list[str] = []
    running, context = held(claim, only(kind, lambda context: ran.append(context.key)))
    running.run(claim, context)
    assert ran == []
    (dead,) = dead_jobs(world.tenant.id)
    assert "vanished" in dead.error


def test_stopping_gives_a_running_job_back_as_it_is(world: World, kind: str) -> None:
    started = threading.Event()

    def run(context: JobContext) -> None:
        started.set()
        while True:
            context.check()

    job_id = ask(world, kind)
    with working(only(kind, run)):
        assert started.wait(PATIENCE)
    job = find_job(world.tenant.id, job_id)
    assert job is not None
    assert (job.state, job.error) == (JobState.WAITING, "")
    assert taken(kind).id == job_id, "and it is due at once"


def test_the_heartbeat_keeps_a_long_job(world: World, kind: str) -> None:
    """The lease is far shorter than the job, and others look for it all the time."""
    renewed = threading.Event()

    def run(context: JobContext) -> None:
        first = stored(job_id).lease_until
        while stored(job_id).lease_until == first:
            context.check()
        renewed.set()

    job_id = ask(world, kind)
    with working(only(kind, run), lease=3):
        assert renewed.wait(PATIENCE)
    assert stored(job_id).attempt == 1


def test_a_job_learns_from_the_heartbeat_that_it_was_taken(world: World, kind: str) -> None:
    ask(world, kind)
    claim = taken(kind)
    running, context = held(claim)
    running.beat()
    context.check()
    end_lease(claim)
    taken(kind, owner="second")
    running.beat()
    with pytest.raises(LeaseLost):
        context.check()


def test_a_worker_that_lost_its_lease_writes_nothing(world: World, kind: str) -> None:
    ask(world, kind)
    claim = taken(kind)
    _, context = held(claim)
    assert context.still_mine()
    end_lease(claim)
    assert context.write(lambda: "written") == "written", "nobody else has taken it yet"
    taken(kind, owner="second")
    assert not context.still_mine()
    written: list[str] = []
    with pytest.raises(LeaseLost):
        context.write(lambda: written.append("too late"))
    assert written == []


def test_a_job_asked_to_stop_raises_interrupted(world: World, kind: str) -> None:
    stopping = threading.Event()
    ask(world, kind)
    context = JobContext(taken(kind), stopping=stopping)
    context.check()
    stopping.set()
    with pytest.raises(Interrupted):
        context.check()


def test_chores_come_round_by_themselves() -> None:
    rounds = threading.Semaphore(0)
    registry = Registry()
    registry.every(0.01, rounds.release)
    with working(registry_with_some_kind(registry)):
        assert all(rounds.acquire(timeout=PATIENCE) for _ in range(3))


def test_a_chore_that_fails_stops_neither_the_others_nor_the_jobs(world: World, kind: str) -> None:
    def fail() -> None:
        raise KeyError("missing")

    rounds = threading.Semaphore(0)
    done = threading.Event()
    registry = only(kind, lambda _: done.set())
    registry.every(0.01, fail)
    registry.every(0.01, rounds.release)
    with working(registry):
        assert all(rounds.acquire(timeout=PATIENCE) for _ in range(3))
        ask(world, kind)
        assert done.wait(PATIENCE)


def registry_with_some_kind(registry: Registry) -> Registry:
    registry.add("test-no-such-job", lambda _: None)
    return registry


WORKER_LEASE = 0.15
_WORKER = f"""
WORKER_LEASE = {WORKER_LEASE}
import random, time
from shipmend.jobs.registry import Registry
from shipmend.jobs.worker import Worker
kind, file = sys.argv[1:]
def run(context):
    with open(file, "a") as log:
        log.write(f"{{context.key}} {{context.attempt}}\\n")
    time.sleep(random.uniform(0, 0.2))
registry = Registry()
registry.add(kind, run)
worker = Worker(registry, threads=4, lease=WORKER_LEASE)
worker.start()
sys.stdin.readline()
worker.stop(patience=20)
"""


def test_workers_of_many_processes_never_run_a_job_twice_under_one_fence(
    world: World, kind: str, tmp_path: Path
) -> None:
    """Their leases end in the middle of the work all the time; one of them is killed, one stopped for a while."""
    log = tmp_path / "log"
    log.touch()
    for n in range(40):
        ask(world, kind, str(n))
    with ExitStack() as stack:
        killed, stopped, steady = [stack.enter_context(process(_WORKER, kind, log)) for _ in range(3)]
        wait_for(lambda: len(log.read_text().splitlines()) > 15)
        killed.kill()
        stopped.send_signal(signal.SIGSTOP)
        # Not until all is done: it may hold SQLite's one write lock.
        time.sleep(6 * WORKER_LEASE)
        stopped.send_signal(signal.SIGCONT)
        wait_for(lambda: not Job.objects.filter(kind=kind, done_at=None).exists())
        for each in (steady, stopped):
            each.communicate("stop\n", timeout=PATIENCE)
    runs = Counter(log.read_text().splitlines())
    assert max(runs.values()) == 1
    assert {run.partition(" ")[0] for run in runs} == {str(n) for n in range(40)}


def wait_for(what: Callable[[], bool]) -> None:
    pause = threading.Event()
    for _ in range(PATIENCE * 20):
        if what():
            return
        pause.wait(0.05)
    raise AssertionError("it did not happen")


def test_a_job_is_done_in_the_end_though_its_worker_is_killed(world: World, kind: str, tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.touch()
    job_id = ask(world, kind)
    code = _WORKER.replace("time.sleep(random.uniform(0, 0.2))", "time.sleep(3600)")
    with process(code, kind, log) as running:
        wait_for(lambda: bool(log.read_text()))
        running.kill()
    write(lambda: Job.objects.filter(id=job_id).update(lease_until=1))
    with working(only(kind, lambda _: None)):
        wait_for(lambda: stored(job_id).done_at is not None)
    assert stored(job_id).attempt == 2


def test_nothing_is_left_to_take_once_all_is_done(world: World, kind: str) -> None:
    with working(only(kind, lambda _: None)):
        ids = [ask(world, kind, str(n)) for n in range(10)]
        wait_for(lambda: all(stored(job_id).done_at for job_id in ids))
    assert take(kind) is None

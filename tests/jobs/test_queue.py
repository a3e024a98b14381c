"""The job table's promises, one by one."""

from __future__ import annotations

import threading
from collections import Counter
from itertools import pairwise

import pytest
from django.db import connection

from shipmend.db.writes import write
from shipmend.jobs import queue
from shipmend.jobs.models import Job
from shipmend.jobs.queue import KEPT_DAYS, LONGEST_RETRY, TRIES, Claimer, enqueue, retry_delay
from tests.jobs.helpers import LONG_AGO, ask, end_lease, make_due, stored, take, taken
from tests.world import World

pytestmark = pytest.mark.database


def test_asking_again_while_a_job_waits_changes_nothing(world: World, kind: str) -> None:
    assert ask(world, kind) == ask(world, kind)
    assert Job.objects.filter(kind=kind).count() == 1


def test_other_keys_and_other_entities_have_jobs_of_their_own(world: World, stranger: World, kind: str) -> None:
    ids = {ask(world, kind), ask(world, kind, "two"), ask(stranger, kind)}
    assert len(ids) == 3


def test_asking_again_while_a_job_runs_makes_it_run_again_afterwards(world: World, kind: str) -> None:
    first = ask(world, kind)
    claim = taken(kind)
    second = ask(world, kind)
    assert second != first
    assert take(kind) is None, "two of them never run at a time"
    assert queue.finish(claim)
    assert taken(kind).id == second


def test_asking_again_brings_a_waiting_job_forward_but_never_puts_it_off(world: World, kind: str) -> None:
    later = ask(world, kind, delay=3600)
    assert take(kind) is None
    ask(world, kind, delay=0)
    ask(world, kind, delay=3600)
    assert taken(kind).id == later


def test_a_job_of_a_write_that_is_undone_never_existed(world: World, kind: str) -> None:
    def work() -> None:
        enqueue(entity_id=world.tenant.id, kind=kind, key="one")
        raise KeyError

    with pytest.raises(KeyError):
        write(work)
    assert not Job.objects.filter(kind=kind).exists()


def test_a_job_can_only_be_asked_for_inside_a_write(world: World, kind: str) -> None:
    with pytest.raises(RuntimeError, match="inside write"):
        enqueue(entity_id=world.tenant.id, kind=kind, key="one")


def test_what_was_asked_for_reaches_the_worker(world: World, kind: str) -> None:
    payload = {"reason": "because", "number": 7}
    write(lambda: enqueue(entity_id=world.tenant.id, kind=kind, key="k", payload=payload))
    claim = taken(kind)
    assert (claim.entity_id, claim.kind, claim.key, claim.payload) == (world.tenant.id, kind, "k", payload)


def test_a_job_whose_worker_vanished_is_taken_again_under_a_higher_fence(world: World, kind: str) -> None:
    ask(world, kind)
    lost = taken(kind)
    assert take(kind, owner="second") is None
    end_lease(lost)
    again = taken(kind, owner="second")
    assert (again.id, again.attempt) == (lost.id, lost.attempt + 1)


def test_a_worker_that_lost_its_lease_can_neither_end_nor_keep_the_job(world: World, kind: str) -> None:
    ask(world, kind)
    lost = taken(kind)
    end_lease(lost)
    again = taken(kind, owner="second")
    before = stored(again.id).__dict__ | {"_state": None}
    assert not queue.is_held(lost)
    assert not queue.finish(lost)
    assert not queue.fail(lost, "too late")
    assert not queue.give_back(lost)
    assert queue.renew([lost, again], lease=60) == [lost]
    after = stored(again.id).__dict__ | {"_state": None}
    assert after.pop("lease_until") >= before.pop("lease_until")
    assert after == before
    assert queue.is_held(again)


def test_a_lease_that_nobody_else_took_can_still_be_renewed(world: World, kind: str) -> None:
    ask(world, kind)
    claim = taken(kind)
    end_lease(claim)
    assert queue.renew([claim], lease=60) == []
    assert take(kind, owner="second") is None


def test_a_given_back_job_is_not_renewed_by_a_belated_heartbeat(world: World, kind: str) -> None:
    ask(world, kind)
    claim = taken(kind)
    assert queue.give_back(claim)
    assert queue.renew([claim], lease=60) == [claim]
    assert taken(kind).attempt == 2


def test_a_failed_job_waits_for_its_next_try(world: World, kind: str) -> None:
    job_id = ask(world, kind)
    claim = taken(kind)
    assert queue.fail(claim, "no route to host")
    assert take(kind) is None
    assert stored(job_id).error == "no route to host"
    make_due(job_id)
    assert taken(kind).attempt == 2


def test_a_failed_job_gives_way_to_one_asked_for_meanwhile(world: World, kind: str) -> None:
    failed = ask(world, kind)
    claim = taken(kind)
    waiting = ask(world, kind)
    assert queue.fail(claim, "broken pipe")
    assert stored(failed).done_at is not None
    assert taken(kind).id == waiting


def test_a_job_is_given_up_after_its_last_try(world: World, kind: str) -> None:
    job_id = ask(world, kind)
    for _ in range(TRIES):
        make_due(job_id)
        queue.fail(taken(kind), "always")
    make_due(job_id)
    assert take(kind) is None
    assert stored(job_id).dead_at is not None


def test_tries_are_spread_over_ten_hours_and_more_each_later_than_the_one_before() -> None:
    delays = [[retry_delay(attempt) for _ in range(200)] for attempt in range(1, TRIES)]
    assert sum(map(min, delays)) > 10 * 3600
    assert all(max(few) < max(more) for few, more in pairwise(delays))
    assert max(delays[-1]) <= LONGEST_RETRY * 1.25
    assert all(len(set(each)) > 100 for each in delays), "what failed together must not come back together"


def test_the_job_due_for_longest_comes_first(world: World, kind: str) -> None:
    ids = [ask(world, kind, key) for key in "abc"]
    make_due(ids[2])
    assert [taken(kind).id for _ in ids] == [ids[2], ids[0], ids[1]]


def test_a_worker_takes_only_the_kinds_it_knows(world: World, kind: str) -> None:
    ask(world, kind)
    assert take(f"{kind}-other") is None


def test_no_job_is_taken_twice_by_many_at_once(world: World, kind: str) -> None:
    wanted = {ask(world, kind, str(n)) for n in range(60)}
    got: list[object] = []

    def work(owner: str) -> None:
        claimer = Claimer([kind], owner=owner, lease=60)
        while (claim := claimer.next([kind])) is not None:
            got.append(claim.id)
        connection.close()

    threads = [threading.Thread(target=work, args=[str(n)]) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # Passing over rows that others have just locked may leave some for later.
    while (claim := take(kind)) is not None:
        got.append(claim.id)
    assert Counter(got) == Counter(wanted)


def test_twins_are_never_taken_at_the_same_time(world: World, kind: str) -> None:
    """One whose worker vanished, and one that waits: whoever asks, at most one of them is in work."""
    ask(world, kind)
    end_lease(taken(kind))
    ask(world, kind)
    start = threading.Barrier(6)
    got = []

    def work() -> None:
        start.wait()
        got.append(take(kind))
        connection.close()

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len([claim for claim in got if claim]) <= 1


def test_done_jobs_are_kept_for_some_days(world: World, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue, "PRUNED_AT_ONCE", 2)
    old, fresh = [ask(world, kind, f"old {n}") for n in range(5)], ask(world, kind, "fresh")
    for _ in range(6):
        queue.finish(taken(kind))
    write(lambda: Job.objects.filter(id__in=old).update(done_at=LONG_AGO))
    queue.prune()
    assert [job.id for job in Job.objects.filter(kind=kind)] == [fresh]
    assert KEPT_DAYS >= 1

"""The job table's verbs: ask for work, take it, keep it, end it.

A job of one entity, kind and key is at most twice in the table while it is open: one that runs and one that
waits (two database constraints). So asking again while it runs makes it run again afterwards, asking again
while it waits changes nothing, and two workers never work on the same thing at a time.

All times are milliseconds of the database's clock, so that workers whose own clocks differ agree on who
holds what.
"""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

from shipmend.db.ids import new_id
from shipmend.db.sql import Statement
from shipmend.db.writes import after_commit, write

TRIES = 12
FIRST_RETRY = 5.0
RETRY_GROWTH = 2.5
LONGEST_RETRY = 6 * 3600.0
"""Seconds; with the two above, the tries spread over about fifteen hours."""
KEPT_DAYS = 3
PRUNED_AT_ONCE = 1000
ERROR_CHARACTERS = 2000

_DAY = 24 * 3600 * 1000
# In the order of the migration: SQLite matches ON CONFLICT … WHERE with an index by the letter.
_OPEN = "dead_at IS NULL AND done_at IS NULL"
_HELD_BY = f"entity_id = ? AND id = ? AND attempt = ? AND lease_until IS NOT NULL AND {_OPEN}"


@dataclass(frozen=True, slots=True)
class Claim:
    """A job in the hands of a worker. `attempt` is the fence: whoever claims it later has a higher one."""

    id: UUID
    entity_id: UUID
    kind: str
    key: str
    payload: Mapping[str, Any]
    attempt: int

    @property
    def held(self) -> tuple[UUID, UUID, int]:
        """What names the job as long as it is in these hands."""
        return self.entity_id, self.id, self.attempt


_ENQUEUE = Statement(
    "INSERT INTO jobs_job (id, entity_id, kind, key, payload, created_at, run_at, owner, attempt, error)"
    " VALUES (?, ?, ?, ?, ?, {now}, {now} + ?, '', 0, '')"
    f" ON CONFLICT (entity_id, kind, key) WHERE {_OPEN} AND lease_until IS NULL"
    " DO UPDATE SET payload = excluded.payload, error = '',"
    " run_at = CASE WHEN excluded.run_at < jobs_job.run_at THEN excluded.run_at ELSE jobs_job.run_at END"
    " RETURNING id"
)
_RENEW = Statement(f"UPDATE jobs_job SET lease_until = {{now}} + ? WHERE {_HELD_BY}")
_HELD = Statement(f"SELECT 1 FROM jobs_job WHERE {_HELD_BY} {{lock}}")
_FINISH = Statement(f"UPDATE jobs_job SET done_at = {{now}}, lease_until = NULL, error = ? WHERE {_HELD_BY}")
_BURY = Statement(f"UPDATE jobs_job SET dead_at = {{now}}, lease_until = NULL, error = ? WHERE {_HELD_BY}")
_PUT_BACK = Statement(
    f"UPDATE jobs_job SET run_at = {{now}} + ?, lease_until = NULL, owner = '', error = ? WHERE {_HELD_BY}"
)
_TWIN_WAITS = Statement(
    f"SELECT 1 FROM jobs_job WHERE entity_id = ? AND kind = ? AND key = ? AND lease_until IS NULL AND {_OPEN}"
)
_FORGET_DEAD = Statement(
    "DELETE FROM jobs_job WHERE entity_id = ? AND kind = ? AND key = ? AND dead_at IS NOT NULL AND id <> ?"
)
_OPEN_KEYS = Statement(f"SELECT entity_id, key FROM jobs_job WHERE kind = ? AND {_OPEN}")
_PRUNE = Statement("DELETE FROM jobs_job WHERE id IN (SELECT id FROM jobs_job WHERE done_at < {now} - ? LIMIT ?)")

_wakers: set[threading.Event] = set()


def enqueue(
    *, entity_id: UUID, kind: str, key: str, payload: Mapping[str, object] | None = None, delay: float = 0
) -> UUID:
    """Ask for a piece of work, inside write(): it becomes due `delay` seconds from now, if the write is kept.

    Joins the job that already waits for the same, if any, bringing it forward when that is due later. Returns
    the id of the job that will do it; it has not begun yet.
    """
    text = json.dumps(dict(payload or {}))
    row = _ENQUEUE.row(new_id(), entity_id, kind, key, text, round(delay * 1000))
    if row is None:
        raise AssertionError("the statement inserts or updates exactly one row")
    after_commit(wake_workers)
    job_id: UUID = row[0]
    return job_id


def open_keys(kind: str) -> set[tuple[UUID, str]]:
    """(entity, key) of every job of that kind that waits or runs."""
    return {(entity_id, key) for entity_id, key in _OPEN_KEYS.rows(kind)}


def wake_workers() -> None:
    """Let the workers of this process look for work now, instead of at their next poll."""
    for waker in tuple(_wakers):
        waker.set()


def add_waker(waker: threading.Event) -> None:
    """Have `waker` set whenever this process asks for work."""
    _wakers.add(waker)


def remove_waker(waker: threading.Event) -> None:
    """Undo add_waker."""
    _wakers.discard(waker)


class Claimer:
    """Takes due jobs of some kinds, under one owner's name."""

    def __init__(self, kinds: Sequence[str], *, owner: str, lease: float) -> None:
        self._owner = owner
        self._lease = round(lease * 1000)
        self._places = len(kinds)
        places = ", ".join("?" * self._places)
        # A job whose worker vanished may be taken again; one that waits must let its running twin end first.
        due = (
            f"SELECT due.id FROM jobs_job due WHERE {_OPEN} AND due.kind IN ({places})"
            " AND due.run_at <= {now} AND (due.lease_until < {now} OR (due.lease_until IS NULL AND NOT EXISTS ("
            "SELECT 1 FROM jobs_job twin WHERE twin.entity_id = due.entity_id AND twin.kind = due.kind"
            " AND twin.key = due.key AND twin.lease_until IS NOT NULL"
            " AND twin.done_at IS NULL AND twin.dead_at IS NULL)))"
        )
        self._due = Statement(f"{due} ORDER BY due.run_at, due.id LIMIT 1")
        self._take = Statement(_taking(f"{due} ORDER BY due.run_at, due.id LIMIT 1 {{lock_free}}"))
        self._take_of = Statement(
            _taking(f"{due} AND due.entity_id = ? AND due.key = ? ORDER BY due.id LIMIT 1 {{lock_free}}")
        )

    def next(self, kinds: Sequence[str]) -> Claim | None:
        """The job of `kinds` (some of those given at first) that is due for longest, now held by the owner."""
        wanted = [*kinds, *[kinds[-1]] * (self._places - len(kinds))]
        if self._due.row(*wanted) is None:
            return None
        return write(lambda: _claim(self._take.row(self._lease, self._owner, *wanted)))

    def of(self, entity_id: UUID, kind: str, key: str) -> Claim | None:
        """A due job of just this kind and key, if nobody else holds one."""
        kinds = [kind] * self._places
        return write(lambda: _claim(self._take_of.row(self._lease, self._owner, *kinds, entity_id, key)))


def _taking(due: str) -> str:
    return (
        "UPDATE jobs_job SET lease_until = {now} + ?, owner = ?, attempt = attempt + 1"
        f" WHERE id = ({due}) RETURNING id, entity_id, kind, key, payload, attempt"
    )


def _claim(row: tuple[Any, ...] | None) -> Claim | None:
    if row is None:
        return None
    job_id, entity_id, kind, key, payload, attempt = row
    return Claim(job_id, entity_id, kind, key, json.loads(payload), attempt)


def renew(claims: Sequence[Claim], *, lease: float) -> list[Claim]:
    """Hold these for another `lease` seconds. Returns those that someone else has taken meanwhile."""
    milliseconds = round(lease * 1000)
    return write(lambda: [claim for claim in claims if not _RENEW.run(milliseconds, *claim.held)])


def is_held(claim: Claim) -> bool:
    """Whether the claim still stands. Inside write(), nobody can take the job until that write has ended."""
    return _HELD.row(*claim.held) is not None


def finish(claim: Claim) -> bool:
    """The work is done. False, and nothing is changed, when someone else has taken the job meanwhile."""

    def work() -> bool:
        if not _FINISH.run("", *claim.held):
            return False
        _forget_dead_of(claim)
        return True

    return write(work)


def fail(claim: Claim, error: str) -> bool:
    """The work failed: try again later, or give up after TRIES. False when the claim no longer stands."""
    return write(partial(_fail, claim, error[:ERROR_CHARACTERS]))


def _fail(claim: Claim, error: str) -> bool:
    if claim.attempt >= TRIES:
        _forget_dead_of(claim)
        return bool(_BURY.run(error, *claim.held))
    return _back_to_the_queue(claim, error, retry_delay(claim.attempt))


def give_back(claim: Claim) -> bool:
    """The worker stops before the work is done: anyone may take the job. False when the claim doesn't stand."""
    return write(lambda: _back_to_the_queue(claim, "", 0))


def _back_to_the_queue(claim: Claim, error: str, delay: float) -> bool:
    if _TWIN_WAITS.row(claim.entity_id, claim.kind, claim.key) is not None:
        # Someone asked again meanwhile: that job does the same work, so this one ends here.
        return bool(_FINISH.run(error, *claim.held))
    return bool(_PUT_BACK.run(round(delay * 1000), error, *claim.held))


def _forget_dead_of(claim: Claim) -> None:
    _FORGET_DEAD.run(claim.entity_id, claim.kind, claim.key, claim.id)


def retry_delay(attempt: int) -> float:
    """Seconds until the try after this one: growing, and jittered, since what failed together is many."""
    delay: float = min(FIRST_RETRY * RETRY_GROWTH ** (attempt - 1), LONGEST_RETRY)
    return delay * random.uniform(0.75, 1.25)  # noqa: S311 -- jitter, not a secret


def prune() -> None:
    """Delete the jobs done more than KEPT_DAYS ago."""
    while write(lambda: _PRUNE.run(KEPT_DAYS * _DAY, PRUNED_AT_ONCE)) == PRUNED_AT_ONCE:
        pass

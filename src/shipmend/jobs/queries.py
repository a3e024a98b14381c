"""Jobs as the pages and the command line show them, and what people may do to those given up."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from shipmend.db.sql import Row, Statement
from shipmend.db.writes import write
from shipmend.jobs.queue import enqueue


class JobState(StrEnum):
    """Where a job stands."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    DEAD = "dead"
    """Given up after the last try."""


@dataclass(frozen=True, slots=True)
class JobView:
    """A job for reading. Times are epoch seconds."""

    id: UUID
    kind: str
    key: str
    state: JobState
    attempt: int
    error: str
    """Of the last try; of a done job: it gave way to a later one that had been asked for."""
    created_at: int
    run_at: int
    ended_at: int | None


_COLUMNS = (
    "SELECT id, kind, key, lease_until IS NOT NULL, attempt, error, created_at, run_at, done_at, dead_at FROM jobs_job"
)
_RECENT = Statement(f"{_COLUMNS} WHERE entity_id = ? ORDER BY id DESC LIMIT ?")
_DEAD = Statement(f"{_COLUMNS} WHERE entity_id = ? AND dead_at IS NOT NULL ORDER BY id DESC")
_ONE = Statement(f"{_COLUMNS} WHERE entity_id = ? AND id = ?")
_OVERDUE = Statement(
    "SELECT count(*) FROM jobs_job WHERE done_at IS NULL AND dead_at IS NULL AND run_at <= {now} - ?"
    " AND (lease_until IS NULL OR lease_until < {now})"
)
_OPEN_COUNTS = Statement(
    "SELECT kind, CASE WHEN lease_until IS NOT NULL THEN 'running' WHEN run_at > {now} THEN 'waiting' ELSE 'due' END,"
    " count(*), {now} - min(run_at) FROM jobs_job WHERE done_at IS NULL AND dead_at IS NULL GROUP BY 1, 2"
)
_DEAD_COUNTS = Statement(
    "SELECT kind, 'dead', count(*), {now} - min(dead_at) FROM jobs_job WHERE dead_at IS NOT NULL GROUP BY 1, 2"
)
_TAKE_DEAD = Statement(
    "DELETE FROM jobs_job WHERE entity_id = ? AND id = ? AND dead_at IS NOT NULL RETURNING kind, key, payload"
)


@dataclass(frozen=True, slots=True)
class JobCount:
    """The jobs of one kind and state, of the whole instance."""

    kind: str
    state: str
    """`waiting`, `due`, `running` or `dead`."""
    count: int
    oldest: float
    """Seconds since the first of them was due, or was given up; below nought while it waits."""


def recent_jobs(entity_id: UUID, *, limit: int = 50) -> list[JobView]:
    """The latest jobs of an entity, newest first."""
    return [_view(row) for row in _RECENT.rows(entity_id, limit)]


def dead_jobs(entity_id: UUID) -> list[JobView]:
    """The jobs of an entity that were given up, newest first."""
    return [_view(row) for row in _DEAD.rows(entity_id)]


def find_job(entity_id: UUID, job_id: UUID) -> JobView | None:
    """One job of an entity; None when there is none, or it was done days ago."""
    row = _ONE.row(entity_id, job_id)
    return _view(row) if row else None


def overdue_jobs(*, seconds: int) -> int:
    """How many jobs of the whole instance have been due for so long without anybody working on them."""
    row = _OVERDUE.row(seconds * 1000)
    return row[0] if row else 0


def open_job_counts() -> list[JobCount]:
    """How many jobs are not done, by kind and state."""
    rows = [*_OPEN_COUNTS.rows(), *_DEAD_COUNTS.rows()]
    return [JobCount(kind, state, count, int(oldest) / 1000) for kind, state, count, oldest in rows]


def retry(entity_id: UUID, job_id: UUID) -> bool:
    """Ask once more for the work of a job that was given up. False when there is no such job."""

    def work() -> bool:
        row = _TAKE_DEAD.row(entity_id, job_id)
        if row is None:
            return False
        kind, key, payload = row
        # A new row, since a fence must never be handed out twice.
        enqueue(entity_id=entity_id, kind=kind, key=key, payload=json.loads(payload))
        return True

    return write(work)


def forget(entity_id: UUID, job_id: UUID) -> bool:
    """Remove a job that was given up. False when there is no such job."""
    return write(lambda: _TAKE_DEAD.row(entity_id, job_id) is not None)


def _view(row: Row) -> JobView:
    job_id, kind, key, is_leased, attempt, error, created_at, run_at, done_at, dead_at = row
    ended = done_at or dead_at
    state = JobState.RUNNING if is_leased else JobState.WAITING
    if ended:
        state = JobState.DONE if done_at else JobState.DEAD
    return JobView(
        job_id, kind, key, state, attempt, error, created_at // 1000, run_at // 1000, ended and ended // 1000
    )

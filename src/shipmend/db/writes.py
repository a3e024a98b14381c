"""The one way to write: `write(work)` runs `work` in a transaction and returns what it returned, once durable.

Locking policy. SQLite lets one connection write at a time and syncs at each commit, so writers of this process
don't compete: one thread takes the work of all of them, runs each piece in a savepoint of its own, commits once
for as many as have queued up meanwhile, and answers after the commit is on disk (group commit). A piece that is
refused is rolled back alone. Calls that are short and end in a write run in that thread altogether (db/lane.py).
Other processes on the same file wait for each other by BEGIN IMMEDIATE and the busy time-out. On PostgreSQL each piece
is a short transaction of its own on the caller's connection; what must not interleave takes a row lock (`{lock}` in
db/sql.py); serialization failures are retried.

Never start git, sleep or call out inside `work`: everyone waits behind it.
"""

from __future__ import annotations

import logging
import random
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from django.db import (
    DEFAULT_DB_ALIAS,
    DatabaseError,
    Error,
    IntegrityError,
    InterfaceError,
    InternalError,
    OperationalError,
    connection,
    connections,
    transaction,
)

from shipmend.core.errors import Refused, Unavailable
from shipmend.db.lane import Lane
from shipmend.db.sql import Statement, forget_ahead, forget_connection, is_sqlite
from shipmend.metrics import COMMIT_SECONDS, COMMIT_SIZES, WRITE_RETRIES, WRITES

if TYPE_CHECKING:
    import psycopg

T = TypeVar("T")
Hand = Callable[[Callable[[], None]], None]

log = logging.getLogger(__name__)

GROUP_LIMIT = 128
"""Pieces of work in one commit at the most: bounds how long the first of them waits for its answer."""

RETRIES = 8
_RETRIED_STATES = frozenset({"40001", "40P01", "23505"})
_PASSING_STATES = frozenset({"25006", "25P03", "25P04"})
"""A database that only reads for now, as a standby does, and transactions that took too long; Django takes these for
faults of ours."""


class DryRun(Exception):
    """Raised by work that has been tried out: its answer is kept and what it wrote is rolled back."""

    def __init__(self, answer: object) -> None:
        super().__init__()
        self.answer = answer


class _Rest:
    """What pieces of work leave for the end: rows to insert before the commit, and effects to have after it."""

    __slots__ = ("effects", "rows")

    def __init__(self) -> None:
        self.effects: list[Callable[[], None]] = []
        self.rows: list[tuple[Statement, tuple[object, ...]]] = []

    def mark(self) -> tuple[int, int]:
        """For `back_to`."""
        return len(self.effects), len(self.rows)

    def back_to(self, mark: tuple[int, int] = (0, 0)) -> None:
        """Forget what was left since."""
        del self.effects[mark[0] :], self.rows[mark[1] :]


class _Current(threading.local):
    rest: _Rest | None = None


_current = _Current()


def write(work: Callable[[], T]) -> T:
    """Run `work` in a transaction and return its result after the commit.

    Called inside other work, it joins that transaction. Raises what `work` raises, after undoing what it wrote;
    Unavailable when the database can't take writes now.
    """
    if _current.rest is not None:
        return work()
    return _write_together(work) if is_sqlite() else _write_alone(work)


def short_calls() -> Hand | None:
    """Takes calls that are short and end in a write, to run them soon; None where any thread will do."""
    return _lane.hand if is_sqlite() else None


def aside(work: Callable[[], T]) -> T:
    """Do what may take its time, so that no short call has to wait for it; never inside write()."""
    return _lane.aside(work)


def each_alone(pieces: Iterable[Callable[[], T]]) -> list[T | Refused]:
    """Inside write(): run each piece in a savepoint of its own, and return what each answered, in order.

    A piece that is refused is undone alone, and its refusal stands for its answer. Any other exception ends them all.
    """
    rest = _rest("each_alone")
    raw = connection.connection
    return [_answered_alone(raw, piece, rest) for piece in pieces]


def _answered_alone(raw: sqlite3.Connection | psycopg.Connection, piece: Callable[[], T], rest: _Rest) -> T | Refused:
    mark = rest.mark()
    outcome: T | Refused
    raw.execute("SAVEPOINT alone")
    try:
        outcome = piece()
    except Refused as refused:
        outcome = refused
        rest.back_to(mark)
        raw.execute("ROLLBACK TO SAVEPOINT alone")
        connection.needs_rollback = False
    raw.execute("RELEASE SAVEPOINT alone")
    return outcome


def is_writing() -> bool:
    """Whether this is inside work: what is read there to be changed is locked, what is only shown is not."""
    return _current.rest is not None


def after_commit(effect: Callable[[], None]) -> None:
    """Call `effect` once the surrounding write is durable; never if it is undone."""
    _rest("after_commit").effects.append(effect)


def insert_last(statement: Statement, *values: object) -> None:
    """Run `statement`, which inserts a row, at the end of the surrounding write: for what is not read before.

    All such rows of a transaction go in together, which takes half the time.
    """
    _rest("insert_last").rows.append((statement, values))


def _rest(asked_by: str) -> _Rest:
    rest = _current.rest
    if rest is None:
        raise RuntimeError(f"{asked_by} belongs inside write()")
    return rest


def _insert(rows: Iterable[tuple[Statement, tuple[object, ...]]]) -> None:
    together: dict[Statement, list[tuple[object, ...]]] = {}
    for statement, values in rows:
        together.setdefault(statement, []).append(values)
    for statement, many in together.items():
        statement.run_many(many)


def unavailable(cause: BaseException) -> Unavailable:
    """The refusal that stands for a database that can't be written now."""
    detail = "Nothing was stored, because the database can't be written right now: send the same call again shortly."
    return _refusal(detail, cause)


def unanswered(cause: BaseException) -> Unavailable:
    """The refusal that stands for a database that can't be read now."""
    return _refusal("The database does not answer right now: send the same call again shortly.", cause)


def _refusal(detail: str, cause: BaseException) -> Unavailable:
    refusal = Unavailable(detail)
    refusal.__cause__ = cause
    return refusal


def in_one_line(error: BaseException) -> str:
    """What a database says, for the log: drivers use several lines."""
    return " ".join(str(error).split())


def is_passing(error: BaseException) -> bool:
    """Whether the database is only out of order for now; otherwise the fault is in our statement."""
    if getattr(error.__cause__, "sqlstate", None) in _PASSING_STATES:
        return True
    if not isinstance(error, OperationalError | InterfaceError):
        return False
    # SQLite reports a wrong statement as an operational error too; 1 is its code for just that.
    return getattr(error.__cause__, "sqlite_errorcode", None) != sqlite3.SQLITE_ERROR


class _Piece(Generic[T]):
    """One caller's work on its way through the writer's lane."""

    __slots__ = ("error", "rest", "result", "work")

    def __init__(self, work: Callable[[], T]) -> None:
        self.work = work
        self.rest = _Rest()
        self.result: T | None = None
        self.error: BaseException | None = None

    def outcome(self) -> T:
        """What came of it, after its effects."""
        if self.error is not None:
            raise self.error
        for effect in self.rest.effects:
            effect()
        return self.result  # type: ignore[return-value]  # set by the writer whenever there is no error


def _write_together(work: Callable[[], T]) -> T:
    piece = _Piece(work)
    _lane.do(piece)
    return piece.outcome()


def _store(group: Sequence[_Piece[Any]]) -> None:
    try:
        _commit(group)
    except BaseException as error:  # noqa: BLE001 -- whatever broke, no caller may wait for ever
        log.warning("A group of %s writes was not stored: %s", len(group), error)
        WRITES.add("unavailable", by=len(group))
        refusal = unavailable(error)
        for piece in group:
            piece.error = piece.error or refusal
        _forget_connection()


def _commit(group: Sequence[_Piece[Any]]) -> None:
    began = time.perf_counter()
    with transaction.atomic():
        raw = connection.connection
        for piece in group:
            _in_savepoint(raw, piece)
        _insert(row for piece in group for row in piece.rest.rows)
    refused = sum(piece.error is not None for piece in group)
    _count(len(group) - refused, refused, began)


_lane: Lane[_Piece[Any]] = Lane(_store, most=GROUP_LIMIT, name="writer")


def _count(stored: int, refused: int, began: float) -> None:
    COMMIT_SIZES.observe(stored + refused)
    COMMIT_SECONDS.observe(time.perf_counter() - began)
    if stored:
        WRITES.add("stored", by=stored)
    if refused:
        WRITES.add("refused", by=refused)


def _in_savepoint(raw: sqlite3.Connection, piece: _Piece[Any]) -> None:
    raw.execute("SAVEPOINT piece")
    _current.rest = piece.rest
    try:
        piece.result = piece.work()
    except BaseException as error:
        if not raw.in_transaction:
            # A full disk makes SQLite give up the whole transaction, so nothing of the group is stored.
            raise
        _keep_outcome(piece, error)
        raw.execute("ROLLBACK TO piece")
        connection.needs_rollback = False
    finally:
        _current.rest = None
    raw.execute("RELEASE piece")


def _keep_outcome(piece: _Piece[Any], error: BaseException) -> None:
    piece.rest.back_to()
    if isinstance(error, DryRun):
        piece.result = error.answer
    elif is_passing(error):
        piece.error = unavailable(error)
    else:
        piece.error = error


def _write_alone(work: Callable[[], T]) -> T:
    for attempt in range(RETRIES):
        rest = _Rest()
        began = time.perf_counter()
        try:
            result = _attempt(work, rest)
        except DryRun as tried:
            return tried.answer  # type: ignore[return-value]  # the work's own answer, of the work's own type
        except (OperationalError, InterfaceError, IntegrityError, InternalError) as error:
            if not _is_retried(error) or attempt == RETRIES - 1:
                WRITES.add("unavailable")
                _forget_connection()
                raise _as_refusal(error) from error
            WRITE_RETRIES.add()
            time.sleep(random.uniform(0.2, 1) * 0.005 * 2**attempt)  # noqa: S311 -- jitter, not a secret
        except Exception:
            WRITES.add("refused")
            raise
        else:
            _count(1, 0, began)
            for effect in rest.effects:
                effect()
            return result
    raise AssertionError("the last attempt returns or raises")


def _attempt(work: Callable[[], T], rest: _Rest) -> T:
    _current.rest = rest
    try:
        with transaction.atomic():
            result = work()
            _insert(rest.rows)
            return result
    finally:
        _current.rest = None
        forget_ahead()


def _is_retried(error: DatabaseError | InterfaceError) -> bool:
    return getattr(error.__cause__, "sqlstate", None) in _RETRIED_STATES


def _as_refusal(error: DatabaseError | InterfaceError) -> BaseException:
    return unavailable(error) if is_passing(error) else error


def _forget_connection() -> None:
    """Drop this thread's connection, whose state nobody knows, with all that Django remembers of it."""
    raw, in_words_of_django = connection.connection, connection.wrap_database_errors
    del connections[DEFAULT_DB_ALIAS]
    forget_connection()
    if raw is not None:
        with suppress(Error), in_words_of_django:
            raw.close()

"""The one way to write: alone, together, nested, refused, tried out, and when the database can't."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection, transaction

from shipmend.audit.models import AuditEvent
from shipmend.audit.trail import COMMAND_LINE, record
from shipmend.core.errors import NotFound, Unavailable
from shipmend.db import writes
from shipmend.db.sql import Statement
from shipmend.db.writes import DryRun, after_commit, each_alone, write
from tests.threads import at_once
from tests.world import World

pytestmark = pytest.mark.database


def note(entity_id: UUID, word: str) -> Callable[[], None]:
    """Work that leaves one row."""
    return lambda: record(entity_id, COMMAND_LINE, word, "test")


def words(entity_id: UUID) -> list[str]:
    """What was left, oldest first."""
    return list(AuditEvent.objects.filter(entity_id=entity_id).order_by("id").values_list("action", flat=True))


def test_work_returns_its_result_after_it_is_stored(instance: Path) -> None:
    entity_id = uuid4()

    def work() -> int:
        note(entity_id, "one")()
        return 17

    assert write(work) == 17
    assert words(entity_id) == ["one"]


def test_what_is_refused_is_undone_alone(instance: Path) -> None:
    entity_id = uuid4()

    def refused(n: int) -> None:
        note(entity_id, f"bad-{n}")()
        raise ValueError(f"no {n}")

    def attempt(n: int) -> str:
        try:
            write(note(entity_id, f"good-{n}") if n % 2 else lambda: refused(n))
        except ValueError as error:
            return str(error)
        return "done"

    outcomes = at_once(attempt, range(200))
    assert outcomes == ["done" if n % 2 else f"no {n}" for n in range(200)]
    assert sorted(words(entity_id)) == sorted(f"good-{n}" for n in range(200) if n % 2)


def test_nested_work_joins_the_write_around_it(instance: Path) -> None:
    entity_id = uuid4()

    def outer() -> None:
        write(note(entity_id, "inner"))
        raise ValueError("the whole is refused")

    with pytest.raises(ValueError, match="the whole is refused"):
        write(outer)
    assert words(entity_id) == []


def test_a_dry_run_keeps_its_answer_and_nothing_else(instance: Path) -> None:
    entity_id, effects = uuid4(), []

    def tried() -> object:
        note(entity_id, "tried")()
        after_commit(lambda: effects.append("ran"))
        raise DryRun("tried")

    assert write(tried) == "tried"
    assert (words(entity_id), effects) == ([], [])


def test_effects_follow_the_commit_and_never_a_refusal(instance: Path) -> None:
    entity_id, seen = uuid4(), []

    def work(*, refuse: bool) -> None:
        note(entity_id, "stored")()
        after_commit(lambda: seen.append(words(entity_id)))
        if refuse:
            raise ValueError

    with pytest.raises(ValueError):
        write(lambda: work(refuse=True))
    assert seen == []
    write(lambda: work(refuse=False))
    assert seen == [["stored"]]
    with pytest.raises(RuntimeError):
        after_commit(lambda: None)


def test_a_wrong_statement_is_our_fault_and_not_called_unavailable(instance: Path) -> None:
    with pytest.raises(Exception, match="no_such_table") as raised:
        write(lambda: Statement("SELECT * FROM no_such_table").row())
    assert not isinstance(raised.value, Unavailable)
    write(note(uuid4(), "goes on"))


def test_a_caller_sees_what_it_wrote(world: World) -> None:
    """Read-your-writes from the caller's own connection, over and over."""
    for n in range(50):
        write(note(world.tenant.id, f"w{n}"))
        assert words(world.tenant.id)[-1] == f"w{n}"


@pytest.mark.sqlite
def test_a_locked_database_is_waited_for(instance: Path) -> None:
    """Another process holds the write lock for a moment: the write waits and succeeds."""
    entity_id = uuid4()
    other = sqlite3.connect(instance / "shipmend.sqlite3", isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    release = threading.Timer(0.5, lambda: other.execute("ROLLBACK"))
    release.start()
    write(note(entity_id, "waited"))
    release.join()
    other.close()
    assert words(entity_id) == ["waited"]


@pytest.mark.sqlite
def test_a_database_locked_for_too_long_is_unavailable_and_recovers(
    instance: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entity_id = uuid4()
    write(lambda: connection.connection.execute("PRAGMA busy_timeout=50"))
    other = sqlite3.connect(instance / "shipmend.sqlite3", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(Unavailable) as refused:
        write(note(entity_id, "too late"))
    assert refused.value.retry_after > 0
    other.execute("ROLLBACK")
    other.close()
    write(note(entity_id, "recovered"))
    assert words(entity_id) == ["recovered"]


@pytest.mark.sqlite
def test_a_broken_commit_refuses_the_whole_group_and_the_writer_lives_on(
    instance: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entity_id = uuid4()
    real = transaction.Atomic.__exit__
    breaks = iter([True])

    def broken(self: transaction.Atomic, *exc: object) -> None:
        if threading.current_thread().name == "writer" and next(breaks, False):
            connection.connection.rollback()
            raise OSError("the disk is gone")
        real(self, *exc)  # type: ignore[arg-type]  # as Python calls it

    monkeypatch.setattr(transaction.Atomic, "__exit__", broken)
    with pytest.raises(Unavailable):
        write(note(entity_id, "lost"))
    write(note(entity_id, "kept"))
    assert words(entity_id) == ["kept"]


@pytest.mark.sqlite
def test_many_writers_share_commits(instance: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Group commit at work: far fewer transactions than writes when they come at once."""
    entity_id, groups = uuid4(), []
    real = writes._commit

    def counted(group: Sequence[writes._Piece[object]]) -> None:
        real(group)
        groups.append(len(group))

    monkeypatch.setattr(writes, "_commit", counted)
    go = threading.Barrier(32)

    def client(n: int) -> None:
        go.wait()
        for m in range(10):
            write(note(entity_id, f"{n}-{m}"))

    at_once(client, range(32), threads=32)
    assert sum(groups) >= 320
    assert len(words(entity_id)) == 320
    assert len(groups) < sum(groups)


def test_many_pieces_in_one_write_are_refused_alone_with_their_effects(instance: Path) -> None:
    entity_id, told = uuid4(), []

    def piece(n: int) -> Callable[[], int]:
        def work() -> int:
            note(entity_id, f"piece-{n}")()
            after_commit(lambda: told.append(n))
            if n % 2:
                raise NotFound(f"no {n}")
            return n

        return work

    outcomes = write(lambda: each_alone(piece(n) for n in range(5)))
    assert [str(each) for each in outcomes] == ["0", "no 1", "2", "no 3", "4"]
    assert words(entity_id) == ["piece-0", "piece-2", "piece-4"]
    assert told == [0, 2, 4]


def test_an_unforeseen_fault_of_one_piece_ends_them_all(instance: Path) -> None:
    entity_id = uuid4()

    def broken() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write(lambda: each_alone([note(entity_id, "one"), broken]))
    assert words(entity_id) == []


def test_rows_for_the_end_go_in_together_and_never_with_a_refusal(
    instance: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entity_id, together = uuid4(), []
    run_many = Statement.run_many

    def counted(statement: Statement, parameters: Any) -> None:
        together.append(len(rows := list(parameters)))
        run_many(statement, rows)

    monkeypatch.setattr(Statement, "run_many", counted)

    def refused() -> None:
        note(entity_id, "bad")()
        assert words(entity_id) == []
        raise NotFound("no")

    pieces = [note(entity_id, "one"), refused, note(entity_id, "two")]
    write(lambda: each_alone(pieces))
    assert words(entity_id) == ["one", "two"]
    assert together == [2]


def test_some_verbs_belong_inside_a_write(instance: Path) -> None:
    for verb in (lambda: each_alone([]), lambda: after_commit(lambda: None), note(uuid4(), "stray")):
        with pytest.raises(RuntimeError, match="belongs inside write"):
            verb()

"""The SQL that writes history. Rows come and go by the hundred thousand, so each database gets its own bulk way.

Everything that changes rows belongs inside write(), and each call is short enough for one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import cast
from uuid import UUID

from django.db import connection

from shipmend.core.tickets import SEPARATOR
from shipmend.db.sql import Row, Statement, is_sqlite, postgres_cursor
from shipmend.history.arranging import NO_OFFSET, NOTHING

LOOKUP = 500
"""Shas or mails in one question."""
WIPED = 20_000
"""Commits deleted in one write."""


@dataclass(frozen=True, slots=True)
class Key:
    """Where a repo's rows are."""

    entity_id: UUID
    repo_number: int


@dataclass(frozen=True, slots=True)
class State:
    """How much of a repo is indexed; see models.History."""

    repo_id: UUID | None
    commits: int = 0
    authors: int = 0
    default_branch: str = ""
    trunk_branch: str = ""
    tickets_by: str | None = None
    undated: int = 0
    faults: str = ""


@dataclass(frozen=True, slots=True)
class Tip:
    """Where a branch or tag stands: the object it names, the number of the commit behind that, a tag's own time."""

    sha: bytes
    commit: int | None
    at: int | None = None


class Table:
    """Appends columns of equal length to one of a repo's tables."""

    def __init__(self, name: str, /, *, nothing: Mapping[str, int | str] | None = None, **columns: str) -> None:
        """`columns`: name → PostgreSQL's type; `nothing`: name → the value that is stored as NULL there."""
        self._types = ("uuid", "int4", *columns.values())
        self._columns = f"{name} (entity_id, repo_number, {', '.join(columns)})"
        self._nothing = [(nothing or {}).get(column) for column in columns]
        self._places = ", ".join("?" if each is None else f"nullif(?, {each!r})" for each in self._nothing)
        self._of_bytes = [kind == "bytea" for kind in columns.values()]

    def append(self, key: Key, *columns: Iterable[object]) -> None:
        """One row for each value of the columns, with the repo's key before it."""
        connection.ensure_connection()
        with connection.wrap_database_errors:
            if is_sqlite():
                connection.connection.executemany(self._insert(key), zip(*self._as_bound(columns), strict=True))
            else:
                self._copy(zip(repeat(key.entity_id), repeat(key.repo_number), *self._nulled(columns), strict=False))

    def _insert(self, key: Key) -> str:
        # The same two values in each row stand in the text: binding them would cost a fifth more.
        where = f"x'{key.entity_id.hex}', {key.repo_number:d}"
        return f"INSERT INTO {self._columns} VALUES ({where}, {self._places})"

    def _as_bound(self, columns: Iterable[Iterable[object]]) -> Iterator[Iterable[object]]:
        """sqlite3 offers `bytes` and None to adapters first, which takes as long as all the rest."""
        for column, of_bytes in zip(columns, self._of_bytes, strict=True):
            yield map(bytearray, cast("Iterable[bytes]", column)) if of_bytes else column

    def _nulled(self, columns: Iterable[Iterable[object]]) -> Iterator[Iterable[object]]:
        for column, nothing in zip(columns, self._nothing, strict=True):
            yield column if nothing is None else [None if value == nothing else value for value in column]

    def _copy(self, rows: Iterable[Sequence[object]]) -> None:
        with postgres_cursor(connection.connection).copy(f"COPY {self._columns} FROM STDIN (FORMAT BINARY)") as copy:
            copy.set_types(self._types)
            for row in rows:
                copy.write_row(row)


AUTHORS = Table("history_author", id="int4", name="text", email="text")
COMMITS = Table(
    "history_commit",
    id="int4",
    sha="bytea",
    parent="int4",
    second_parent="int4",
    authored_at="int8",
    authored_offset="int4",
    committed_at="int8",
    author_id="int4",
    subject="text",
    tickets="text",
    nothing={
        "parent": 0,
        "second_parent": 0,
        "authored_at": NOTHING,
        "authored_offset": NO_OFFSET,
        "committed_at": NOTHING,
        "tickets": "",
    },
)
_TICKETS = Table("history_ticket", ticket="text", commit_number="int4")
FURTHER_PARENTS = Table("history_octopus_parent", commit_number="int4", position="int4", parent="int4")
STRETCHES = Table("history_stretch", floor="int8", position="int4", steps="bytea")
_TIPS = Table("history_tip", name="text", sha="bytea", commit_number="int4", at="int8")

_REPO = "entity_id = ? AND repo_number = ?"
_STATE = Statement(
    "SELECT repo_id, commits, authors, default_branch, trunk_branch, tickets_by, COALESCE(undated, 0),"
    " COALESCE(faults, '') FROM history_state"
    f" WHERE {_REPO} {{lock}}"
)
_TAKE_OVER = Statement(
    "INSERT INTO history_state"
    " (entity_id, repo_number, repo_id, commits, authors, default_branch, trunk_branch, undated, faults)"
    " VALUES (?, ?, ?, 0, 0, '', '', 0, '')"
    " ON CONFLICT (entity_id, repo_number) DO UPDATE"
    " SET repo_id = excluded.repo_id, commits = 0, authors = 0, default_branch = '', trunk_branch = '',"
    " tickets_by = NULL, undated = 0, faults = ''"
)
_COMPLETE = Statement(
    "UPDATE history_state SET commits = ?, authors = ?, default_branch = ?, trunk_branch = ?, tickets_by = ?,"
    " undated = ?, faults = ?"
    f" WHERE {_REPO}"
)
_ABANDON = Statement(f"UPDATE history_state SET repo_id = NULL, commits = 0, authors = 0 WHERE {_REPO}")
_FORGET = Statement(f"DELETE FROM history_state WHERE {_REPO}")

_ADD_SHAS = Statement(
    "INSERT INTO history_sha (entity_id, repo_number, sha, commit_number)"
    " SELECT entity_id, repo_number, sha, id FROM history_commit"
    f" WHERE {_REPO} AND id > ? AND sha BETWEEN ? AND ? ORDER BY sha"
)
_LAST_COMMIT = Statement(f"SELECT max(id) FROM history_commit WHERE {_REPO}")
_WIPE_SHAS = Statement(
    f"DELETE FROM history_sha WHERE {_REPO} AND sha IN (SELECT sha FROM history_commit WHERE {_REPO} AND id > ?)"
)
_DROP_TICKET = Statement(
    "DELETE FROM history_ticket WHERE entity_id = ? AND ticket = ? AND repo_number = ? AND commit_number = ?"
)
_TICKETS_ABOVE = Statement(f"SELECT id, tickets FROM history_commit WHERE {_REPO} AND id > ? AND tickets IS NOT NULL")
_SET_TICKETS = Statement(f"UPDATE history_commit SET tickets = ? WHERE {_REPO} AND id = ?")
_WIPE_FURTHER = Statement(f"DELETE FROM history_octopus_parent WHERE {_REPO} AND commit_number > ?")
_WIPE_COMMITS = Statement(f"DELETE FROM history_commit WHERE {_REPO} AND id > ?")
_WIPE_AUTHORS = Statement(f"DELETE FROM history_author WHERE {_REPO} AND id > ?")
_WIPE_TRUNK = Statement(f"DELETE FROM history_stretch WHERE {_REPO}")
_WIPE_TIPS = Statement(f"DELETE FROM history_tip WHERE {_REPO}")

_NUMBERS = Statement(f"SELECT sha, commit_number FROM history_sha WHERE {_REPO} AND sha IN ({', '.join('?' * LOOKUP)})")
_AUTHORS_BY_MAIL = Statement(
    f"SELECT name, email, id FROM history_author WHERE {_REPO} AND email IN ({', '.join('?' * LOOKUP)})"
)
_ALL_TIPS = Statement(f"SELECT name, sha, commit_number, at FROM history_tip WHERE {_REPO}")
_DROP_TIP = Statement(f"DELETE FROM history_tip WHERE {_REPO} AND name = ?")


def state_of(key: Key) -> State | None:
    """How much is indexed; None when nothing is. Inside write(), the state stays as it is until that write ends."""
    row = _STATE.row(key.entity_id, key.repo_number)
    return State(*row) if row else None


def take_over(key: Key, repo_id: UUID) -> None:
    """The rows under this key are of `repo_id` from now on, and none of them counts yet."""
    where = (key.entity_id, key.repo_number)
    _TAKE_OVER.run(*where, repo_id)
    _WIPE_TRUNK.run(*where)
    _WIPE_TIPS.run(*where)


def complete(key: Key, state: State) -> None:
    """An index has finished: what it wrote can be seen."""
    _COMPLETE.run(
        state.commits,
        state.authors,
        state.default_branch,
        state.trunk_branch,
        state.tickets_by,
        state.undated,
        state.faults,
        key.entity_id,
        key.repo_number,
    )


def abandon(key: Key) -> None:
    """The repo is gone: nobody sees its history any more, and what is still being indexed for it is refused."""
    _ABANDON.run(key.entity_id, key.repo_number)


def forget(key: Key) -> None:
    """Delete the state and the last rows, `wipe_some` having deleted the commits."""
    for statement in (_WIPE_TRUNK, _WIPE_TIPS, _FORGET):
        statement.run(key.entity_id, key.repo_number)


def wipe_some(key: Key, *, above: State) -> bool:
    """Delete some of the rows that are not in `above`, the latest first; False when there were none."""
    where = (key.entity_id, key.repo_number)
    row = _LAST_COMMIT.row(*where)
    last: int = (row and row[0]) or 0
    if last <= above.commits:
        return bool(_WIPE_AUTHORS.run(*where, above.authors))
    low = max(last - WIPED, above.commits)
    _drop_tickets(key, ((number, tickets) for number, tickets in _TICKETS_ABOVE.rows(*where, low)))
    _WIPE_SHAS.run(*where, *where, low)
    _WIPE_FURTHER.run(*where, low)
    _WIPE_COMMITS.run(*where, low)
    return True


def add_shas(key: Key, *, above: int, first_byte: range) -> None:
    """Make the commits numbered above `above` whose shas begin with one of these bytes known by their shas."""
    least, most = bytes([first_byte[0]]), bytes([first_byte[-1]]) + b"\xff" * 19
    _ADD_SHAS.run(key.entity_id, key.repo_number, above, least, most)


def add_tickets(key: Key, told: Iterable[tuple[int, str]]) -> None:
    """Make commits known by their tickets: the number of each, and its `tickets`."""
    rows = _one_by_one(told)
    if rows:
        _TICKETS.append(key, *zip(*rows, strict=True))


def change_tickets(key: Key, old: Mapping[int, str], new: Mapping[int, str]) -> None:
    """Give some commits other tickets: the `tickets` of those numbers that had and shall have any."""
    gone = [(number, tickets) for number, tickets in old.items() if new.get(number) != tickets]
    come = [(number, tickets) for number, tickets in new.items() if old.get(number) != tickets]
    _drop_tickets(key, gone)
    add_tickets(key, come)
    changed = {number for number, _ in gone} | {number for number, _ in come}
    _SET_TICKETS.run_many((new.get(number), key.entity_id, key.repo_number, number) for number in changed)


def _drop_tickets(key: Key, told: Iterable[tuple[int, str]]) -> None:
    _DROP_TICKET.run_many((key.entity_id, ticket, key.repo_number, number) for ticket, number in _one_by_one(told))


def _one_by_one(told: Iterable[tuple[int, str]]) -> list[tuple[str, int]]:
    return [(ticket, number) for number, tickets in told for ticket in tickets.split(SEPARATOR)]


def numbers_of(key: Key, shas: Collection[bytes]) -> dict[bytes, int]:
    """The numbers of those commits that are there."""
    rows = _looked_up(_NUMBERS, key, shas)
    return {bytes(sha): number for sha, number in rows}


def authors_of(key: Key, people: Collection[tuple[str, str]]) -> dict[tuple[str, str], int]:
    """The numbers of those people, by (name, mail), that are there; and of others with a mail of theirs."""
    rows = _looked_up(_AUTHORS_BY_MAIL, key, {mail for _, mail in people})
    return {(name, mail): number for name, mail, number in rows}


def _looked_up(statement: Statement, key: Key, values: Collection[bytes] | Collection[str]) -> Iterator[Row]:
    """The rows of a statement that takes LOOKUP values at once."""
    wanted = list(values)
    for at in range(0, len(wanted), LOOKUP):
        part = wanted[at : at + LOOKUP]
        part += [part[-1]] * (LOOKUP - len(part))
        yield from statement.rows(key.entity_id, key.repo_number, *part)


def tips_of(key: Key) -> dict[str, Tip]:
    """Ref name → tip, as of the last completed index."""
    rows = _ALL_TIPS.rows(key.entity_id, key.repo_number)
    return {name: Tip(bytes(sha), number, at) for name, sha, number, at in rows}


def replace_tips(key: Key, old: Mapping[str, Tip], new: Mapping[str, Tip]) -> None:
    """Make the stored tips, which are `old`, those of `new`."""
    gone = [name for name, tip in old.items() if new.get(name) != tip]
    come = {name: tip for name, tip in new.items() if old.get(name) != tip}
    _DROP_TIP.run_many((key.entity_id, key.repo_number, name) for name in gone)
    if come:
        tips = come.values()
        _TIPS.append(key, come, [tip.sha for tip in tips], [tip.commit for tip in tips], [tip.at for tip in tips])

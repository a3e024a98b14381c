"""Prepared statements for the hot paths, one text for both databases.

Written with `?` for each parameter; with `?1`, `?2` … where one stands in several places, since what is bound twice
costs twice. The drivers keep what they prepared, so a statement is compiled once a
connection; Django's cursor wrappers, which rewrite each text at each call, are left out of the way.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper

if TYPE_CHECKING:
    import psycopg

Row = tuple[Any, ...]
Given = Sequence[object] | dict[str, object]


# The julian day is a double, and still exact to a tenth of a millisecond; `unixepoch` is, only since 3.42.
_SQLITE_WORDS = {
    "{lock}": "",
    "{lock_free}": "",
    "{now}": "CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)",
    "{spans}": "(SELECT value ->> 0 AS first, value ->> 1 AS last FROM json_each(?)) AS span",
}
_POSTGRES_WORDS = {
    "{lock}": "FOR NO KEY UPDATE",
    "{lock_free}": "FOR NO KEY UPDATE SKIP LOCKED",
    "{now}": "CAST(extract(epoch FROM statement_timestamp()) * 1000 AS bigint)",
    "{spans}": (
        "(SELECT CAST(value ->> 0 AS bigint) AS first, CAST(value ->> 1 AS bigint) AS last"
        " FROM jsonb_array_elements(CAST(%s AS jsonb))) AS span"
    ),
}


_NUMBERED = re.compile(r"\?([0-9]+)")


class Statement:
    """One SQL text.

    In it, `{lock}` becomes a row lock where the database has them, `{lock_free}` one that passes over rows
    locked by others, and `{now}` the database's own clock in milliseconds since 1970. `{spans}` becomes a table `span`
    of `first` and `last`, and takes one parameter, these pairs as JSON: a query for any number of them stays one text.
    """

    __slots__ = ("_is_numbered", "_postgres", "_sqlite")

    def __init__(self, text: str) -> None:
        postgres, numbered = _NUMBERED.subn(r"%(\1)s", text)
        self._is_numbered = numbered > 0
        self._sqlite = _filled(text, _SQLITE_WORDS)
        self._postgres = _filled(postgres.replace("?", "%s"), _POSTGRES_WORDS)

    def rows(self, *parameters: object) -> list[Row]:
        """Every row."""
        database = _database()
        with database.wrap_database_errors:
            found: list[Row] = self._execute(database, parameters).fetchall()
            return found

    def row(self, *parameters: object) -> Row | None:
        """The first row, or None."""
        database = _database()
        with database.wrap_database_errors:
            found: Row | None = self._execute(database, parameters).fetchone()
            return found

    def run(self, *parameters: object) -> int:
        """Execute and tell how many rows it touched."""
        database = _database()
        with database.wrap_database_errors:
            touched: int = self._execute(database, parameters).rowcount
            return touched

    def ahead(self, *parameters: object) -> None:
        """Execute just before this thread's next statement, in one trip to the server with it; for locks.

        Inside write() alone, which forgets what no statement has followed. What was found is not told.
        """
        _mine.ahead.append((self, parameters))

    def run_many(self, parameters: Iterable[Sequence[object]]) -> None:
        """Execute once for each set of parameters."""
        database = _database()
        with database.wrap_database_errors:
            if database.vendor == "sqlite":
                database.connection.executemany(self._sqlite, parameters)
            else:
                self._run_many_on_postgres(database.connection, [self._given(each) for each in parameters])

    def _execute(self, database: BaseDatabaseWrapper, parameters: Sequence[object]) -> Any:
        if database.vendor == "sqlite":
            return database.connection.execute(self._sqlite, parameters)
        raw = database.connection
        if not _mine.ahead:
            cursor = self._on_postgres(raw, parameters)
        else:
            with raw.pipeline():
                _run_ahead(raw)
                cursor = self._on_postgres(raw, parameters)
        # It has just answered, so Django need not ask it for a 1 before it begins a write.
        database.health_check_done = True  # type: ignore[attr-defined]  # Django has it, its stubs have not
        return cursor

    def _run_many_on_postgres(self, raw: psycopg.Connection, many: Sequence[Given]) -> None:
        cursor = postgres_cursor(raw)
        if len(many) == 1 and not _mine.ahead:
            cursor.execute(self._postgres, many[0], prepare=True)
            return
        with raw.pipeline():
            _run_ahead(raw)
            cursor.executemany(self._postgres, many)  # half of what as many statements cost

    def _on_postgres(self, raw: psycopg.Connection, parameters: Sequence[object]) -> psycopg.Cursor:
        return postgres_cursor(raw).execute(self._postgres, self._given(parameters), prepare=True)

    def _given(self, parameters: Sequence[object]) -> Given:
        """The parameters as psycopg takes them."""
        return {str(n): value for n, value in enumerate(parameters, 1)} if self._is_numbered else parameters


def postgres_cursor(raw: psycopg.Connection) -> psycopg.Cursor:
    """The driver's own. Not Django's: that one binds on the client, and so can't prepare."""
    import psycopg  # noqa: PLC0415 -- a tenth of the start of a process that never meets PostgreSQL

    return psycopg.Cursor(raw)


class _Mine(threading.local):
    database: BaseDatabaseWrapper | None = None
    """Django's own look-up of it costs as much as a small statement."""

    def __init__(self) -> None:
        self.ahead: list[tuple[Statement, Sequence[object]]] = []


_mine = _Mine()
"""This thread's connection, and what is to be said on it before the next statement."""


def _run_ahead(raw: psycopg.Connection) -> None:
    ahead, _mine.ahead = _mine.ahead, []
    for statement, parameters in ahead:
        statement._on_postgres(raw, parameters)


def forget_ahead() -> None:
    """Drop what was to be executed ahead of a statement that did not come."""
    _mine.ahead.clear()


def _wrapper() -> BaseDatabaseWrapper:
    database = _mine.database
    if database is None:
        database = _mine.database = connections[DEFAULT_DB_ALIAS]
    return database


def _database() -> BaseDatabaseWrapper:
    """This thread's connection, open."""
    database = _wrapper()
    if database.connection is None:
        database.ensure_connection()
    return database


def forget_connection() -> None:
    """Have this thread's connection looked up anew."""
    _mine.database = None


def _filled(text: str, words: dict[str, str]) -> str:
    for word, sql in words.items():
        text = text.replace(word, sql)
    return text


def is_sqlite() -> bool:
    """Whether this instance lives on SQLite; otherwise it is PostgreSQL."""
    return _wrapper().vendor == "sqlite"

"""What Shipmend asks of a PostgreSQL before it works with it. Connected to Django's signals by `apps.py`."""

from __future__ import annotations

from typing import Any

from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from shipmend.config import ConfigError
from shipmend.db.sql import Statement, is_sqlite

ENCODING = "UTF8"
BETTER_DATABASE = "CREATE DATABASE shipmend ENCODING 'UTF8' TEMPLATE template0"

_ENCODING = Statement("SELECT current_setting('server_encoding')")


def encoding() -> str:
    """How the database keeps texts."""
    row = _ENCODING.row()
    return str(row[0]) if row else ""


def refuse_other_encodings(**_: object) -> None:
    """Before the first table is made: raise ConfigError if the database can't keep every text.

    One that has tables already goes on with what it can keep; the doctor tells of it.
    """
    if is_sqlite() or encoding() == ENCODING or MigrationRecorder(connection).has_table():
        return
    raise ConfigError(
        f"The database of DATABASE_URL is encoded in {encoding()}, which has not every character:"
        f" {BETTER_DATABASE}; and name that one."
    )


def speak_iso(connection: Any, **_: object) -> None:
    """On each new connection: have moments told as the driver reads them.

    A database or a role may have a DateStyle of its own. What it is comes with the connection, and costs no question.
    """
    if connection.vendor == "postgresql" and not _date_style(connection).startswith("ISO"):
        connection.connection.execute("SET DateStyle TO ISO")


def _date_style(database: Any) -> str:
    return str(database.connection.info.parameter_status("DateStyle"))

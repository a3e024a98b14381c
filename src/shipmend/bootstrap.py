"""Opening an instance: its data folder, its settings, its tables. Every command begins here."""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from shipmend.config import Config
from shipmend.core.errors import Unavailable

MIGRATION_LOCK = 0x5348_4950
"""Any number that no other program on the same database would take for a lock of its own."""
MIGRATION_WAITS = "2s"
"""For the lock on a table, as PostgreSQL writes a time."""
MIGRATION_PAUSE = 3.0
"""Seconds for those who came later to be served, before another try."""
MIGRATION_TRIES = 12
LOCK_NOT_AVAILABLE = "55P03"
"""PostgreSQL's code."""
ALIVE_AT_ONCE = 50_000
"""Objects made since the garbage collector's last look, before it takes another."""


def open_instance(data: Path | None = None, *, migrate: bool = True) -> Config:
    """Make the instance in `data` (or in the configured folder) ready for use: Django set up, tables current.

    Raises ConfigError for a setting that can't be used.
    """
    if data is not None:
        os.environ["SHIPMEND_DATA"] = str(data)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shipmend.settings")
    config = Config.load(os.environ)
    config.prepare()

    import django  # noqa: PLC0415 -- reads the settings, and so must wait for the data folder

    django.setup()
    if migrate:
        bring_tables_up_to_date()
    _spare_the_collector()
    return config


def _spare_the_collector() -> None:
    """Have the garbage collector pass over what lives as long as the process, and look less often.

    A report makes tens of thousands of rows, none of them in a circle: to look through all that there is after every
    few hundred took up to a third of its time.
    """
    gc.freeze()
    gc.set_threshold(ALIVE_AT_ONCE)


def bring_tables_up_to_date() -> None:
    """Run the migrations that are missing.

    Django looks for them without a lock: of two processes that begin together, the slower one would fail. Raises
    Unavailable when others keep the tables for too long.
    """
    from django.conf import settings  # noqa: PLC0415 -- needs Django set up

    from shipmend.db.state import missing_migrations  # noqa: PLC0415 -- as above

    with settings.CONFIG.alone():
        if missing_migrations():
            with _alone_on_postgres():
                _migrate()


@contextmanager
def _alone_on_postgres() -> Iterator[None]:
    """One process at a time of all machines that share a PostgreSQL; on SQLite the data folder's lock is enough.

    A lock of a transaction, so it goes with it, also where a pooler keeps the session for others; and so it needs a
    connection of its own.
    """
    from django.db import connection  # noqa: PLC0415 -- needs Django set up

    if connection.vendor != "postgresql":
        yield
        return
    with closing(connection.copy()) as own:
        own.set_autocommit(False)
        own.cursor().execute("SELECT pg_advisory_xact_lock(%s)", [MIGRATION_LOCK])
        yield
        own.rollback()


def _migrate() -> None:
    """Never wait long for a table: whoever comes later for it would wait behind us, and so would all calls.

    But for a pooler's connection, which keeps no setting: hence the rule to migrate by PostgreSQL's own address.
    """
    from django.core.management import call_command  # noqa: PLC0415 -- needs Django set up
    from django.db import OperationalError, connection  # noqa: PLC0415 -- as above

    is_bounded = "options" in connection.settings_dict["OPTIONS"]
    for rest in reversed(range(MIGRATION_TRIES)):
        if is_bounded:
            connection.cursor().execute("SELECT set_config('lock_timeout', %s, false)", [MIGRATION_WAITS])
        try:
            call_command("migrate", interactive=False, verbosity=0)
        except OperationalError as error:
            if getattr(error.__cause__, "sqlstate", None) != LOCK_NOT_AVAILABLE:
                raise
            if not rest:
                detail = (
                    "The tables can't be changed while others keep them in use (is pg_dump at work?): try again then."
                )
                raise Unavailable(detail) from error
            time.sleep(MIGRATION_PAUSE)
        else:
            connection.close()  # the next one has the usual patience
            return

"""Opening an instance: its data folder, its settings, its tables. Every command begins here."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from shipmend.config import Config

MIGRATION_LOCK = 0x5348_4950
"""Any number that no other program on the same database would take for a lock of its own."""
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

    Django looks for them without a lock: of two processes that begin together, the slower one would fail.
    """
    from django.conf import settings  # noqa: PLC0415 -- needs Django set up
    from django.core.management import call_command  # noqa: PLC0415 -- as above

    with settings.CONFIG.alone(), _alone_on_postgres():
        call_command("migrate", interactive=False, verbosity=0)


@contextmanager
def _alone_on_postgres() -> Iterator[None]:
    """One process at a time of all machines that share a PostgreSQL; on SQLite the data folder's lock is enough.

    A lock of the session, so it needs a connection of its own, and goes with it should this process be killed.
    """
    from django.db import connection  # noqa: PLC0415 -- needs Django set up

    if connection.vendor != "postgresql":
        yield
        return
    with closing(connection.copy()) as own:
        own.cursor().execute("SELECT pg_advisory_lock(%s)", [MIGRATION_LOCK])
        yield

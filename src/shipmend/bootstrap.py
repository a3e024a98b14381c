"""Opening an instance: its data folder, its settings, its tables. Every command begins here."""

from __future__ import annotations

import os
from pathlib import Path

from shipmend.config import Config


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
    return config


def bring_tables_up_to_date() -> None:
    """Run the migrations that are missing.

    Django looks for them without a lock: of two processes that begin together, the slower one would fail.
    """
    from django.conf import settings  # noqa: PLC0415 -- needs Django set up
    from django.core.management import call_command  # noqa: PLC0415 -- as above

    with settings.CONFIG.alone():
        call_command("migrate", interactive=False, verbosity=0)

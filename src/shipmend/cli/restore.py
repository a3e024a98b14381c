"""`shipmend restore`: an instance from its backup."""

from __future__ import annotations

import os
import time
from pathlib import Path

from shipmend.cli.backups import check_backup, holds_instance, restore_backup
from shipmend.cli.findings import command
from shipmend.cli.program import DONE
from shipmend.config import Config
from shipmend.core.errors import Invalid, Refused


def run(*, data: Path | None, source: Path, force: bool) -> int:
    """Check the backup, then put it into the data folder."""
    if data is not None:
        os.environ["SHIPMEND_DATA"] = str(data)
    config = Config.load(os.environ)
    if config.database_url:
        raise Refused(
            "DATABASE_URL is set, and a backup of SQLite can't be put into PostgreSQL: unset it, or run"
            ' pg_restore --clean --if-exists --dbname="$DATABASE_URL" on what pg_dump made.'
        )
    if holds_instance(config.data) and not force:
        mend = "name an empty data folder with --data, or give --force: what is there is then set aside, not deleted"
        raise Invalid("the data folder", "holds an instance already", value=str(config.data), mend=mend)
    manifest = check_backup(source)
    set_aside = restore_backup(config, source, manifest, now=time.strftime("%Y%m%d-%H%M%S"))
    print(f"Restored: {manifest.told}, into {config.data}.")
    if set_aside:
        print(f"What was there is in {set_aside}.")
    print(f"Mirrors are fetched again once a worker runs: {command('serve', config)}")
    return DONE

"""`shipmend backup`: a verified copy of the instance, made while it runs."""

from __future__ import annotations

import os
from pathlib import Path
from shlex import quote

from shipmend.cli.backups import BESIDE, make_backup
from shipmend.cli.program import DONE
from shipmend.cli.progress import ProgressLine
from shipmend.config import Config
from shipmend.core.errors import Refused
from shipmend.history.progress import ProgressReport


def run(*, data: Path | None, target: Path) -> int:
    """Copy database, key and ssh files into a new folder."""
    if data is not None:
        os.environ["SHIPMEND_DATA"] = str(data)
    config = Config.load(os.environ)
    if config.database_url:
        files = " ".join(quote(str(config.data / name)) for name in BESIDE)
        raise Refused(
            "The data of this instance is in PostgreSQL: run"
            f' pg_dump --format=custom --file={quote(str(target))}.dump "$DATABASE_URL" (behind a pooler: of'
            f" the database itself), and keep {files} with it."
        )
    progress = ProgressLine(str(target))
    report = ProgressReport(progress.say)
    try:
        manifest = make_backup(config, target, on_progress=lambda done, total: report.at("Copying pages", done, total))
    finally:
        progress.close()
    print(f"Backed up and looked over: {manifest.told}, in {target}.")
    return DONE

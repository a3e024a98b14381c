"""Whole copies of a SQLite database, made while others write to it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

PAGES_AT_ONCE = 2000
"""Between two of them others may write, and on_progress is told."""


def copy_sqlite(source: Path, target: Path, *, on_progress: Callable[[int, int], None] = lambda *_: None) -> None:
    """Make `target` a copy of `source` as it is at one instant, by SQLite's own online backup.

    `on_progress` gets the pages copied and the pages there are. Raises sqlite3.Error.
    """
    with closing(sqlite3.connect(source)) as there, closing(sqlite3.connect(target)) as here:
        # One read transaction for the whole of it: without, each commit of others would start the copy anew.
        there.execute("BEGIN")
        there.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone()
        there.backup(here, pages=PAGES_AT_ONCE, progress=lambda _, left, total: on_progress(total - left, total))

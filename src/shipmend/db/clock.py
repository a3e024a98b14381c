"""The unit of stored times."""

from __future__ import annotations

import time

from shipmend.db.sql import Statement

_NOW = Statement("SELECT {now}")


def epoch_now() -> int:
    """Whole seconds since 1970, UTC: the unit of every stored time that is not a job's."""
    return int(time.time())


def database_now() -> float:
    """Seconds since 1970 by the clock of the database."""
    row = _NOW.row()
    return row[0] / 1000 if row else 0.0

"""How much of each fault a run goes through: a little in `make test`, a tenth in `make faults`, all if told so."""

from __future__ import annotations

import os

SCALE = float(os.environ.get("SHIPMEND_FAULTS", "0"))
"""1 is the full measure, as the figures in docs are for; 0, the default, the least that means something."""


def rounds(full: int, *, least: int) -> int:
    """How often to do it."""
    return max(least, round(full * SCALE))

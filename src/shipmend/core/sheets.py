"""Rows for a spreadsheet, which takes text that begins like a formula for one."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

Cell = str | int | float | None
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def csv_line(cells: Iterable[Cell]) -> str:
    """A row of CSV (RFC 4180) with its end; text that begins like a formula has an apostrophe before it."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerow([_safe(cell) for cell in cells])
    return text.getvalue()


def _safe(cell: Cell) -> Cell:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell

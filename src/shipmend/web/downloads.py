"""The rows behind a figure as files, written as they are read."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator
from enum import StrEnum
from io import StringIO

from shipmend.core.moments import iso
from shipmend.web.evidence import Evidence

COLUMNS = ("at", "id", "title", "resource_path", "verdict", "reason", "seconds", "author")
_AT_ONCE = 200
"""Rows in a piece: fewer, larger writes."""


class Format(StrEnum):
    """What a file can be."""

    CSV = "csv"
    LINES = "jsonl"


MEDIA_TYPES = {Format.CSV: "text/csv; charset=utf-8", Format.LINES: "application/jsonl; charset=utf-8"}


def written(rows: Iterable[Evidence], form: Format) -> Iterator[str]:
    """The rows in pieces of text."""
    return _csv(rows) if form is Format.CSV else _lines(rows)


def _csv(rows: Iterable[Evidence]) -> Iterator[str]:
    piece = StringIO()
    writer = csv.writer(piece)
    writer.writerow(COLUMNS)
    for n, row in enumerate(rows, 1):
        writer.writerow([_unspelled(value) for value in _values(row)])
        if n % _AT_ONCE == 0:
            yield piece.getvalue()
            piece.seek(0)
            piece.truncate()
    yield piece.getvalue()


def _lines(rows: Iterable[Evidence]) -> Iterator[str]:
    piece: list[str] = []
    for row in rows:
        piece.append(json.dumps(dict(zip(COLUMNS, _values(row), strict=True)), ensure_ascii=False) + "\n")
        if len(piece) == _AT_ONCE:
            yield "".join(piece)
            piece.clear()
    yield "".join(piece)


def _values(row: Evidence) -> tuple[str | int | None, ...]:
    path = str(row.path) if row.path else None
    return iso(row.at), row.id, row.title.text, path, row.verdict.value, row.reason, row.seconds, row.author or None


def _unspelled(value: str | int | None) -> str | int:
    """A cell that no spreadsheet takes for a formula."""
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r"):
        return f"'{value}"
    return "" if value is None else value

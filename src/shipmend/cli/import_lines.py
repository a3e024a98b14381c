"""The lines of a file to import: JSON lines, or CSV under a header that names parameters of the API."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from shipmend.api.batch import Line, read_line
from shipmend.api.body import Parameters, add_pairs
from shipmend.api.parameters import TYPE
from shipmend.api.recording import DEFECT_FIELDS, RELEASE_FIELDS
from shipmend.core.errors import BadRequest, Invalid, Refused

KNOWN = frozenset(field.name for field in (TYPE, *RELEASE_FIELDS, *DEFECT_FIELDS))
LONGEST_CELL = 1 << 20


def count_lines(file: Path) -> int:
    """How many lines the file has, for saying how far the work is. Raises Invalid."""
    with _readable(file), file.open("rb") as stream:
        return sum(block.count(b"\n") for block in iter(lambda: stream.read(1 << 20), b"")) + 1


def read_lines(file: Path) -> Iterator[Line]:
    """Each line or row that is not blank. Raises Invalid when the file as a whole can't be read."""
    with _readable(file), file.open(encoding="utf-8-sig", newline="") as stream:
        first = next((line for line in stream if line.strip()), "")
        stream.seek(0)
        if first.lstrip().startswith("["):
            mend = "write one object a line, as jq -c '.[]' does"
            raise Invalid("the file", "is one JSON list", value=str(file), mend=mend)
        yield from _json_lines(stream) if first.lstrip().startswith("{") else _rows(stream, file)


def ignored_columns(file: Path) -> list[str]:
    """The columns of a CSV file that no parameter has the name of."""
    with _readable(file), file.open(encoding="utf-8-sig", newline="") as stream:
        first = next((line for line in stream if line.strip()), "")
    if first.lstrip().startswith(("{", "[")):
        return []
    names = _names(next(csv.reader([first]), []))
    return [name for name in names if name not in KNOWN] if KNOWN.intersection(names) else []


@contextmanager
def _readable(file: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise Invalid("the file", f"can't be read ({error.strerror})", value=str(file), mend="name another") from error
    except UnicodeDecodeError as error:
        raise Invalid("the file", "is not UTF-8", value=str(file), mend="save it as UTF-8") from error


def _json_lines(stream: TextIO) -> Iterator[Line]:
    for number, text in enumerate(stream, 1):
        if text.strip():
            yield read_line(number, text)


def _rows(stream: TextIO, file: Path) -> Iterator[Line]:
    csv.field_size_limit(LONGEST_CELL)
    # Not strict, a reader takes what follows an open quote, up to the end of the file, for one cell.
    rows = csv.reader(stream, strict=True)
    began = 1
    names: list[str] = []
    try:
        for row in rows:
            if any(row):
                if names:
                    yield Line(rows.line_num, _given(names, row))
                else:
                    names = _header(row, file)
            began = rows.line_num + 1
    except csv.Error as error:
        because = f"begins a row that is not CSV ({_PLAINER.get(str(error), error)})"
        mend = "see how its cells are quoted"
        raise Invalid(f"line {began} of the file", because, value=str(file), mend=mend) from error


_PLAINER = {"unexpected end of data": "a quote is opened and never closed"}
"""What the csv module says, in words for somebody who looks at the file."""


def _header(row: list[str], file: Path) -> list[str]:
    names = _names(row)
    if not KNOWN.intersection(names):
        mend = "name the columns as the parameters of the API: resource_path, release_sha, released_at, …"
        raise Invalid("the file", "has no header that names a parameter", value=str(file), mend=mend)
    return names


def _names(header: list[str]) -> list[str]:
    return [name.strip().lower() for name in header]


def _given(names: list[str], row: list[str]) -> Parameters | Refused:
    """An empty cell is a value not given."""
    if len(row) > len(names):
        return BadRequest(f"The line has {len(row)} cells under {len(names)} columns: see how its cells are quoted.")
    given = Parameters()
    try:
        add_pairs(given, [(name, cell) for name, cell in zip(names, row, strict=False) if cell and name in KNOWN])
    except Refused as refused:
        return refused
    return given

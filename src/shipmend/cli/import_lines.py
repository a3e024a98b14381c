"""The lines of a file to import: JSON lines, or CSV under a header that names parameters of the API."""

from __future__ import annotations

import csv
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from io import TextIOWrapper
from pathlib import Path
from typing import IO, TextIO

from shipmend.api.batch import Line, read_line
from shipmend.api.body import Parameters, add_pairs
from shipmend.api.parameters import DRY_RUN, TYPE
from shipmend.api.recording import DEFECT_FIELDS, RELEASE_FIELDS
from shipmend.core.errors import BadRequest, Invalid, Refused

KNOWN = frozenset(field.name for field in (TYPE, DRY_RUN, *RELEASE_FIELDS, *DEFECT_FIELDS))
SEPARATORS = (",", ";", "\t")
"""Spreadsheets write semicolons where the comma is in the numbers, and some of them tabs."""
LONGEST_CELL = 1 << 20
LONGEST_ROW = 4 << 20
"""Characters of a line, or of the lines of one row: no more of the file is in memory at once."""

_NOT_UTF8 = re.compile("[\udc80-\udcff]")
"""What the decoder makes of bytes that are no text, so that they are found on their line and not in its block."""


@dataclass(frozen=True, slots=True)
class ImportFile:
    """An open file, which can be read from its beginning more than once."""

    name: str
    text: TextIO

    def lines(self) -> Iterator[Line]:
        """Each line or row that is not blank. Raises Invalid, which names the line, where reading can't go on."""
        with _readable(self.name):
            first = self._first_line()
            lines = _NumberedLines(self)
            if first.startswith("["):
                mend = "write one object a line, as jq -c '.[]' does"
                raise Invalid("the file", "is one JSON list", value=self.name, mend=mend)
            yield from _json_lines(lines) if first.startswith("{") else _rows(lines, _separator(first))

    def ignored_columns(self) -> list[str]:
        """The columns of a CSV file that no parameter has the name of. Raises Invalid."""
        with _readable(self.name):
            first = self._first_line()
        if first.startswith(("{", "[")):
            return []
        names = _names(first, _separator(first))
        return [name for name in names if name not in KNOWN] if KNOWN.intersection(names) else []

    def check(self) -> int:
        """Read it to its end, and keep nothing. The number of its last line. Raises Invalid."""
        last = 0
        for line in self.lines():
            last = line.number
        return last

    def _first_line(self) -> str:
        """The first that is not blank. What comes next is read from the beginning again."""
        self.text.seek(0)
        lines = _NumberedLines(self)
        first = ""
        while not first and (line := next(lines, "")):
            first = line.strip()
            lines.begin_row()
        self.text.seek(0)
        return first

    def refusal(self, number: int, because: str, *, mend: str) -> Invalid:
        """That of a file which can't be read on from a line."""
        return Invalid(f"line {number} of the file", because, value=self.name, mend=mend)


class _NumberedLines:
    """The lines from where the text stands; `number` is that of the last one given. Raises Invalid."""

    def __init__(self, file: ImportFile) -> None:
        self.file = file
        self.number = 0
        self.began = 1
        """The line on which the row began that is being read."""
        self._left = LONGEST_ROW

    def __iter__(self) -> _NumberedLines:
        return self

    def __next__(self) -> str:
        line = self.file.text.readline(self._left + 1)
        if not line:
            raise StopIteration
        self.number += 1
        self._left -= len(line)
        if self._left < 0:
            because = f"begins a line or row of more than {LONGEST_ROW:,} characters"
            raise self.file.refusal(self.began, because, mend="see how its lines end and its cells are quoted")
        if not line.isascii() and _NOT_UTF8.search(line):
            raise self.file.refusal(self.number, "is not UTF-8", mend="save the file as UTF-8")
        return line

    def begin_row(self) -> None:
        """The lines given so far make up whole rows."""
        self.began = self.number + 1
        self._left = LONGEST_ROW


@contextmanager
def open_file(file: Path, *, room: Path) -> Iterator[ImportFile]:
    """A file to import. Raises Invalid.

    What can be read but once, such as a pipe, is copied into the folder `room`, without a name there, and so leaves it
    with the process however that ends.
    """
    with ExitStack() as stack:
        with _readable(str(file)):
            source: IO[bytes] = stack.enter_context(file.open("rb"))
            if not source.seekable():
                copy = stack.enter_context(tempfile.TemporaryFile(dir=room))
                shutil.copyfileobj(source, copy)
                source = copy
        text = TextIOWrapper(source, encoding="utf-8-sig", errors="surrogateescape", newline="")
        yield ImportFile(str(file), stack.enter_context(text))


@contextmanager
def _readable(name: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise Invalid("the file", f"can't be read ({error.strerror})", value=name, mend="name another") from error


def _json_lines(lines: _NumberedLines) -> Iterator[Line]:
    for text in lines:
        if text.strip():
            yield read_line(lines.number, text)
        lines.begin_row()


def _rows(lines: _NumberedLines, separator: str) -> Iterator[Line]:
    csv.field_size_limit(LONGEST_CELL)
    # Not strict, a reader takes what follows an open quote, up to the end of the file, for one cell.
    rows = csv.reader(lines, delimiter=separator, strict=True)
    names: list[str] = []
    try:
        for row in rows:
            if any(row):
                if names:
                    yield Line(lines.number, _given(names, row))
                else:
                    names = _header(row, lines.file.name)
            lines.begin_row()
    except csv.Error as error:
        because = f"begins a row that is not CSV ({_PLAINER.get(str(error), error)})"
        raise lines.file.refusal(lines.began, because, mend="see how its cells are quoted") from error


_PLAINER = {"unexpected end of data": "a quote is opened and never closed"}
"""What the csv module says, in words for somebody who looks at the file."""


def _separator(header: str) -> str:
    """The one with which the header names the most parameters."""
    return max(SEPARATORS, key=lambda each: len(KNOWN.intersection(_names(header, each))))


def _names(header: str, separator: str) -> list[str]:
    try:
        return _cleaned(next(csv.reader([header], delimiter=separator), []))
    except csv.Error:
        return []  # reading on will say so


def _header(row: list[str], file: str) -> list[str]:
    names = _cleaned(row)
    if not KNOWN.intersection(names):
        mend = "name the columns as the parameters of the API, with commas between: resource_path, release_sha, …"
        raise Invalid("the file", "has no header that names a parameter", value=file, mend=mend)
    return names


def _cleaned(names: list[str]) -> list[str]:
    return [name.strip().lower() for name in names]


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

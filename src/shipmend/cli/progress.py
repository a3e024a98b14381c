"""How far a piece of work is, on standard error: a bar on a terminal, now and then a line anywhere else."""

from __future__ import annotations

import re
import shutil
import sys
import time
from typing import TextIO

BAR = 24
"""Characters."""
LINE_EVERY = 5.0
"""Seconds between two lines of one phase."""
CLEAR = "\r\x1b[K"

_PERCENT = re.compile(r"\((\d{1,3}) %\)")


class ProgressLine:
    """Says what `history.progress` reports, such as "Reading commits: 41,000 of 85,361 (48 %), 1 s left"."""

    def __init__(self, subject: str, stream: TextIO | None = None) -> None:
        self._subject = subject
        self._stream = stream or sys.stderr
        self._is_terminal = self._stream.isatty()
        self._phase = ""
        self._next_line = 0.0

    def say(self, text: str) -> None:
        """This is how far it is."""
        if self._is_terminal:
            self._write(CLEAR + self._fitted(f"{self._subject}  {bar(text)}{text}"))
        elif self._is_line_due(text):
            self._write(f"{self._subject}: {text}\n")

    def close(self) -> None:
        """Take the bar away."""
        if self._is_terminal:
            self._write(CLEAR)

    def _is_line_due(self, text: str) -> bool:
        phase, now = text.partition(":")[0], time.monotonic()
        if phase == self._phase and now < self._next_line:
            return False
        self._phase, self._next_line = phase, now + LINE_EVERY
        return True

    def _fitted(self, text: str) -> str:
        columns = shutil.get_terminal_size().columns
        return text if len(text) < columns else text[: columns - 2] + "…"

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()


def bar(text: str) -> str:
    """A bar for the percentage that the text names; nothing where it names none."""
    found = _PERCENT.search(text)
    if found is None:
        return ""
    full = min(int(found[1]), 100) * BAR // 100
    return f"[{'#' * full}{'·' * (BAR - full)}] "

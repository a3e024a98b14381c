"""What git says of its progress on stderr."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

LONGEST_LINE = 4096
_LINE = re.compile(
    rb"(?:remote: )?(?P<phase>[A-Z][a-z]+(?: [a-z-]+){0,3}): +"
    rb"(?:\d+% \((?P<done>\d{1,15})/(?P<total>\d{1,15})\)|(?P<only>\d{1,15}))"
)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far git is within one phase. `phase` is git's word, as "Receiving objects"; `total` is None until known."""

    phase: str
    done: int
    total: int | None


class FetchListener:
    """Fed with the stderr of a fetch, cut anywhere: reports each line of progress once, in order."""

    def __init__(self, report: Callable[[Progress], None] | None) -> None:
        self._report = report
        self._tail = b""
        self.is_shallow = False
        """Whether git passed over branches since the remote's history is cut off: it ends with 0 all the same."""

    def feed(self, piece: bytes) -> None:
        """Raises what the callback raises."""
        *lines, self._tail = (self._tail + piece).replace(b"\r", b"\n").split(b"\n")
        self._tail = self._tail[:LONGEST_LINE]
        for line in lines:
            self._heard(line)

    def _heard(self, line: bytes) -> None:
        if b"shallow roots are not allowed" in line:
            self.is_shallow = True
        match = _LINE.match(line)
        if match is not None and self._report is not None:
            total = match["total"]
            done = int(match["done"] or match["only"])
            self._report(Progress(match["phase"].decode("ascii"), done, None if total is None else int(total)))

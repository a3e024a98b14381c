"""What is going to happen, in the order of time."""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush
from itertools import count

HOUR = 3600

Deed = Callable[[int], None]
"""Something that is done, given the instant."""


class Agenda:
    """Deeds by instant; what is done may put more on it."""

    def __init__(self) -> None:
        self._order = count()
        self._deeds: list[tuple[int, int, Deed]] = []

    def add(self, at: int, deed: Deed) -> None:
        """Of two deeds at one instant, the one that was added first goes first."""
        heappush(self._deeds, (at, next(self._order), deed))

    def run(self) -> None:
        """Do everything."""
        while self._deeds:
            at, _, deed = heappop(self._deeds)
            deed(at)

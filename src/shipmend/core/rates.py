"""Counting what happens in a window of time that moves on."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock

KEYS_KEPT = 10_000


@dataclass(slots=True)
class _Count:
    """What happened in a period of the clock and in the one before it."""

    period: int
    now: int = 0
    before: int = 0


class MovingWindow:
    """At most so many a key in `seconds`, whatever instant they are counted from.

    Two counts a key stand for the times of all: those of the last period are taken to have been spread evenly over
    it. Of more than `keys` keys, those longest unused are forgotten. Safe to be used by many threads.
    """

    def __init__(self, seconds: float, *, keys: int = KEYS_KEPT) -> None:
        self._seconds = seconds
        self._keys = keys
        self._counts: OrderedDict[str, _Count] = OrderedDict()
        self._lock = Lock()

    def take(self, key: str, allowed: int, *, now: float) -> int:
        """Count one more and return 0; or, when there were `allowed` already, count nothing and say how many seconds
        from `now` (of any clock that only goes forward) there will be room again, if nothing else happens.
        """
        with self._lock:
            count = self._count(key, int(now // self._seconds))
            gone = now / self._seconds - count.period
            if count.before * (1 - gone) + count.now >= allowed:
                return int(self._wait(count, allowed, gone)) + 1
            count.now += 1
            return 0

    def _count(self, key: str, period: int) -> _Count:
        count = self._counts.get(key)
        if count is None:
            count = self._counts[key] = _Count(period)
            if len(self._counts) > self._keys:
                self._counts.popitem(last=False)
        self._counts.move_to_end(key)
        if period != count.period:
            count.before = count.now if period == count.period + 1 else 0
            count.period, count.now = period, 0
        return count

    def _wait(self, count: _Count, allowed: int, gone: float) -> float:
        """Until what counts of the earlier period, or of this one once it is over, has become few enough."""
        if count.now < allowed:
            return (1 - (allowed - count.now) / count.before - gone) * self._seconds
        return (2 - gone - allowed / count.now) * self._seconds

"""What a running index says of itself."""

from __future__ import annotations

import time
from collections.abc import Callable

from shipmend.git.progress import Progress

EVERY = 0.5
"""Seconds between two reports, at least."""


class ProgressReport:
    """Turns counts into a line such as "Reading commits: 41,000 of 85,361 (48 %), 31,200/s, 1 s left"."""

    def __init__(self, say: Callable[[str], None], *, clock: Callable[[], float] = time.monotonic) -> None:
        self._say = say
        self._clock = clock
        self._phase = ""
        self._began = 0.0
        self._next = 0.0

    def fetched(self, progress: Progress) -> None:
        """From git's own progress."""
        self.at(progress.phase, progress.done, progress.total)

    def at(self, phase: str, done: int = 0, total: int | None = None) -> None:
        """So far in this phase; the first word of a new phase is always said, others when it is time."""
        now = self._clock()
        if phase != self._phase:
            self._phase, self._began, self._next = phase, now, now
        if now >= self._next:
            self._next = now + EVERY
            self._say(_line(phase, done, total, now - self._began))


def _line(phase: str, done: int, total: int | None, seconds: float) -> str:
    if not done:
        return phase
    parts = [f"{phase}: {done:,}"]
    if total:
        parts[0] += f" of {total:,} ({done * 100 // total} %)"
    if seconds >= EVERY:
        rate = done / seconds
        parts.append(f"{rate:,.0f}/s")
        if total:
            parts.append(f"{duration((total - done) / rate)} left")
    return ", ".join(parts)


def duration(seconds: float) -> str:
    """A length of time for people, in its two largest units."""
    whole = max(round(seconds), 0)
    minutes, left = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {left} s" if minutes else f"{left} s"

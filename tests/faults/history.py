"""What was asked and answered while something broke, and the judge of it.

A history is a list of writes and reads of *cells*, each written by one client only, one write after the other. A
write was acknowledged, refused, or got no answer (the connection broke), in which case it may have been stored or not.
The judge compares it with what is stored in the end: no acknowledged write may be lost, none done twice, nothing stored
that was refused, and no read may show less than what had been acknowledged before it began.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum


class Outcome(StrEnum):
    """How a call ended, as its client saw it."""

    ACKNOWLEDGED = "acknowledged"
    REFUSED = "refused"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Event:
    """One call: from when to when (by the client's monotonic clock), on which cell, and what came of it."""

    began: float
    ended: float
    cell: str
    value: str | None
    """What was to be stored; of a read: what was seen, None for nothing."""
    outcome: Outcome
    created: bool = False
    """Whether the answer said that this very call made it."""
    is_read: bool = False


@dataclass
class History:
    """Written by many clients at once."""

    events: list[Event] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, event: Event) -> None:
        """Remember one call."""
        with self._lock:
            self.events.append(event)

    @property
    def acknowledged(self) -> int:
        """How many writes were acknowledged."""
        return sum(event.outcome is Outcome.ACKNOWLEDGED and not event.is_read for event in self.events)


@dataclass
class Verdict:
    """The cells at fault, each with a sentence."""

    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    """Stored though refused, or though nobody asked."""
    stale: list[str] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        """Whether there is nothing to blame."""
        return not (self.lost or self.doubled or self.kept or self.stale)

    def __str__(self) -> str:
        return f"{len(self.lost)} lost, {len(self.doubled)} doubled, {len(self.kept)} kept, {len(self.stale)} stale"


def judge(events: Iterable[Event], stored: Mapping[str, Sequence[str]]) -> Verdict:
    """The verdict, given each cell's stored values: one if all is well."""
    verdict = Verdict()
    by_cell: defaultdict[str, list[Event]] = defaultdict(list)
    for event in sorted(events, key=lambda event: event.began):
        by_cell[event.cell].append(event)
    for cell, calls in by_cell.items():
        writes = [call for call in calls if not call.is_read]
        _judge_cell(verdict, cell, writes, stored.get(cell, ()))
        for read in calls:
            if read.is_read and read.outcome is Outcome.ACKNOWLEDGED:
                _judge_read(verdict, read, [write for write in writes if write.began <= read.ended])
    verdict.kept += [f"{cell}: nobody asked for it" for cell in stored.keys() - by_cell.keys()]
    return verdict


def _judge_cell(verdict: Verdict, cell: str, writes: list[Event], values: Sequence[str]) -> None:
    if len(values) > 1 or sum(write.created for write in writes) > 1:
        verdict.doubled.append(f"{cell}: stored as {list(values)}, created by {sum(w.created for w in writes)} calls")
    allowed, must_be_there = _allowed(writes)
    if not values and must_be_there:
        verdict.lost.append(f"{cell}: {sorted(map(str, allowed))} was acknowledged and is not there")
    for value in values:
        if value not in allowed:
            was_asked = any(write.value == value and write.outcome is not Outcome.REFUSED for write in writes)
            (verdict.lost if was_asked else verdict.kept).append(
                f"{cell}: is {value}, not one of {sorted(map(str, allowed))}"
            )


def _judge_read(verdict: Verdict, read: Event, writes: list[Event]) -> None:
    before = [write for write in writes if write.ended < read.began]
    during = {write.value for write in writes if write.ended >= read.began}
    allowed, must_be_there = _allowed(before)
    if read.value not in allowed | during and not (read.value is None and not must_be_there):
        verdict.stale.append(f"{read.cell}: read {read.value}, not one of {sorted(map(str, allowed | during))}")


def _allowed(writes: Sequence[Event]) -> tuple[set[str | None], bool]:
    """What may be there after these writes, and whether anything must."""
    allowed: set[str | None] = set()
    must_be_there = False
    for write in writes:
        if write.outcome is Outcome.ACKNOWLEDGED:
            allowed, must_be_there = {write.value}, True
        elif write.outcome is Outcome.UNKNOWN:
            allowed.add(write.value)
    return allowed, must_be_there

"""What a timeline is told, and how much of it a lane can show: bars in rows, ticks that would touch as one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial
from itertools import groupby
from operator import attrgetter
from typing import NamedTuple

MOST_ROWS = 5
MOST_BARS = 40
"""Of one lane; of more, the longest, and few that began before the window, since these fill a row each."""
MOST_OLD_BARS = 2
MOST_TICKS = 120
"""Of one lane, apart; more are drawn together where they touch."""
COLUMNS = 100
_GAP = 0.006


class Shape(StrEnum):
    """What a release is drawn as."""

    FORWARD = "forward"
    BASELINE = "baseline"
    ROLLBACK = "rollback"
    DIVERGED = "diverged"
    REDEPLOY = "redeploy"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Told(NamedTuple):
    """What is said of a release or a defect: only once it is drawn, since of thousands few are."""

    label: str
    say: str
    address: str
    back_to: int | None = None
    """Of a rollback, when that was released to which it went back."""
    fixes: tuple[int, ...] = ()
    """Of a defect, when each was released."""


@dataclass(frozen=True, slots=True)
class Tick:
    """A release, or several that lie too close together to be told apart. Times are epoch seconds."""

    at: int
    shape: Shape
    tell: Callable[[], Told]
    is_failure: bool = False
    """Whether it caused a defect."""
    is_undone: bool = False
    many: int = 1


@dataclass(frozen=True, slots=True)
class Bar:
    """A defect, from its detection to each of its fixes."""

    start: int
    end: int | None
    """None while it is open."""
    tell: Callable[[], Told]


@dataclass(frozen=True, slots=True)
class Lane:
    """A repo."""

    label: str
    ticks: Sequence[Tick]
    bars: Sequence[Bar]


@dataclass(frozen=True, slots=True)
class Span:
    """Some time, and where an instant of it lies across."""

    start: int
    end: int

    def place(self, instant: int) -> float:
        """As a share of the width, kept within it."""
        return min(1.0, max(0.0, (instant - self.start) / (self.end - self.start)))


def together(ticks: Sequence[Tick], span: Span) -> list[Tick]:
    """The ticks of a lane, those alike that would touch as one if there are many."""
    if len(ticks) <= MOST_TICKS:
        return list(ticks)

    def kind(tick: Tick) -> tuple[int, str, bool, bool]:
        return int(span.place(tick.at) * COLUMNS), tick.shape, tick.is_failure, tick.is_undone

    return [_one(list(those)) for _, those in groupby(sorted(ticks, key=lambda tick: (kind(tick), tick.at)), kind)]


def in_rows(bars: Sequence[Bar], span: Span) -> tuple[list[tuple[int, Bar]], int]:
    """Bars with the row that each has to itself, and how many found none."""
    ends: list[float] = []
    placed: list[tuple[int, Bar]] = []
    chosen = bars if len(bars) <= MOST_BARS else _of_crowd(bars, span)
    left = len(bars) - len(chosen)
    for bar in sorted(chosen, key=attrgetter("start")):
        start = span.place(bar.start)
        row = next((n for n, end in enumerate(ends) if end + _GAP <= start), len(ends))
        if row == MOST_ROWS:
            left += 1
            continue
        end = 1.0 if bar.end is None else span.place(bar.end)
        ends[row : row + 1] = [max(end, start + _GAP)]
        placed.append((row, bar))
    return placed, left


def _of_crowd(bars: Sequence[Bar], span: Span) -> list[Bar]:
    longest = sorted(bars, key=lambda bar: bar.start - (span.end if bar.end is None else bar.end))
    old = [bar for bar in longest if bar.start < span.start][:MOST_OLD_BARS]
    return [*old, *(bar for bar in longest if bar.start >= span.start)][:MOST_BARS]


def _one(ticks: Sequence[Tick]) -> Tick:
    return ticks[0] if len(ticks) == 1 else replace(ticks[0], tell=partial(_told, ticks), many=len(ticks))


def _told(ticks: Sequence[Tick]) -> Told:
    first = ticks[0].tell()
    words = f"{len(ticks)} releases"
    return first._replace(say=f"{words}, the first: {first.say}", label=words, address="")

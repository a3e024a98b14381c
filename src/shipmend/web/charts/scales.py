"""From values to places: axes with round steps."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from math import ceil, floor, log, log10

from shipmend.web.amounts import DAY, HOUR, MINUTE, duration, percent, plain

_STEPS = 3
"""Lines above the base: as many as are read at a glance."""
_SPANS = (
    *(1, 5, 10, 30),
    *(MINUTE * n for n in (1, 2, 5, 10, 15, 30)),
    *(HOUR * n for n in (1, 2, 4, 8, 12)),
    *(DAY * n for n in (1, 2, 3, 5, 7, 10, 14, 20, 30, 50, 100, 200, 500, 1000)),
)


@dataclass(frozen=True, slots=True)
class Axis:
    """Where values lie: `place` tells the share of the height, and each tick is a share and its words."""

    place: Callable[[float], float]
    ticks: tuple[tuple[float, str], ...]


def counts(values: Iterable[float]) -> Axis:
    """For whole numbers."""
    return _linear(values, lambda step: max(1.0, _round(step)), plain)


def rates(values: Iterable[float]) -> Axis:
    """For numbers of any size."""
    return _linear(values, _round, plain)


def shares(values: Iterable[float]) -> Axis:
    """For shares of a whole."""
    return _linear(values, lambda step: max(0.01, _round(step)), percent)


def durations(values: Iterable[float]) -> Axis:
    """For seconds."""
    return _linear(values, _span, lambda value: duration(int(value)))


def spans(values: Iterable[float]) -> Axis:
    """For seconds that differ by magnitudes: equal steps are equal factors, from a minute on."""
    known = [max(value, MINUTE) for value in values] or [HOUR]
    marks = [MINUTE, 10 * MINUTE, HOUR, 6 * HOUR, DAY, 7 * DAY, 30 * DAY, 90 * DAY, 365 * DAY, 3650 * DAY]
    low = max((mark for mark in marks if mark <= min(known)), default=MINUTE)
    high = min((mark for mark in marks if mark >= max(known) and mark > low), default=max(known))
    width = log(high / low)

    def place(value: float) -> float:
        return min(1.0, max(0.0, log(max(value, low) / low) / width))

    return Axis(place, tuple((place(mark), duration(mark)) for mark in marks if low <= mark <= high))


def _linear(values: Iterable[float], nice: Callable[[float], float], words: Callable[[float], str]) -> Axis:
    most = max(values, default=0.0)
    step = nice(most / _STEPS) if most > 0 else nice(1 / _STEPS)
    steps = max(1, ceil(most / step - 1e-9))
    top = step * steps
    return Axis(lambda value: value / top, tuple((n / steps, words(step * n)) for n in range(1, steps + 1)))


def _round(step: float) -> float:
    """The next of 1, 2, 5, 10 and so on, so that few steps reach to the top."""
    if step <= 0:
        return 1.0
    magnitude = 10.0 ** floor(log10(step))
    return float(next((n * magnitude for n in (1, 2, 5) if n * magnitude >= step - 1e-12), 10 * magnitude))


def _span(step: float) -> float:
    return float(next((span for span in _SPANS if span >= step), _round(step / DAY) * DAY))

"""A figure as people read it: its value in words, the period before, and whether there is enough to say so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from django.utils.safestring import SafeString

from shipmend.core.dora import Figure
from shipmend.core.metrics import Metric, MetricInfo, Unit
from shipmend.reports.series import Measured, Point
from shipmend.web.amounts import in_words, percent
from shipmend.web.charts.series import Value, sparkline

TOO_FEW = "too few data points to say"
_ALIKE = 0.1
"""Of a value without an interval: what differs by less is about the same."""


class Verdict(StrEnum):
    """How a figure compares with the one before."""

    BETTER = "better"
    WORSE = "worse"
    ALIKE = "about the same"


@dataclass(frozen=True, slots=True)
class Change:
    """How a figure moved."""

    verdict: Verdict
    arrow: str


@dataclass(frozen=True, slots=True)
class Number:
    """A metric of a place, in words."""

    measured: Measured
    address: str
    """The page of the metric."""

    @property
    def info(self) -> MetricInfo:
        """The metric."""
        return self.figure.info

    @property
    def figure(self) -> Figure:
        """Of the window."""
        return self.measured.now

    @property
    def words(self) -> str:
        """The value: `2 d 4 h`."""
        return in_words(self.figure.value, self.info.unit)

    @property
    def before(self) -> str:
        """The value of the window before; empty where there is none."""
        return in_words(self.measured.before.value, self.info.unit) if self.measured.before else ""

    @property
    def made_of(self) -> str:
        """What it is counted from: `3 of 40 releases`."""
        return made_of(self.figure)

    @property
    def likely(self) -> str:
        """Where the true value lies in 95 of 100 cases."""
        return likely(self.figure)

    @property
    def change(self) -> Change | None:
        """Whether it got better; None where one of both has too few data points to say."""
        now, before = self.figure, self.measured.before
        if before is None or now.value is None or before.value is None or not (now.is_enough and before.is_enough):
            return None
        if now.metric is Metric.DEPLOYMENT_FREQUENCY and not before.n:
            return None  # more than before the first release is no feat
        if is_alike(now, before):
            return Change(Verdict.ALIKE, "→")
        is_lower = now.value < before.value
        verdict = Verdict.BETTER if is_lower == self.info.is_better_low else Verdict.WORSE
        return Change(verdict, "↓" if is_lower else "↑")

    @property
    def values(self) -> tuple[Value, ...]:
        """Its course over the window."""
        return values(self.measured.points)

    @property
    def spark(self) -> SafeString:
        """The same as a small line."""
        return sparkline(self.values)


def values(points: Sequence[Point]) -> tuple[Value, ...]:
    """The figures of the parts of a window, for a chart."""
    return tuple(
        Value(
            point.part,
            point.figure.value,
            in_words(point.figure.value, point.figure.info.unit),
            point.figure.n,
            point.figure.is_enough,
        )
        for point in points
    )


def is_alike(now: Figure, before: Figure) -> bool:
    """Whether two figures can't be told apart: each lies where the other's true value may well lie."""
    if now.value is None or before.value is None:
        return False
    if now.interval and before.interval:
        return _holds(now.interval, before.value) and _holds(before.interval, now.value)
    return abs(now.value - before.value) <= _ALIKE * max(now.value, before.value)


def _holds(interval: tuple[float, float], value: float) -> bool:
    return interval[0] <= value <= interval[1]


def made_of(figure: Figure) -> str:
    """What a figure is counted from, in words."""
    if figure.metric is Metric.OPEN_DEFECTS or figure.metric is Metric.COMMITS_WAITING:
        return ""
    things = "fixes" if figure.metric is Metric.FIXES_NOT_HOLDING else str(figure.info.rows)
    things = things if figure.n != 1 else things.removesuffix("es" if things == "fixes" else "s")
    if figure.info.unit is Unit.SHARE:
        return f"{figure.numerator:,} of {figure.denominator:,} {things}"
    if figure.info.unit is Unit.PER_DAY:
        return f"{figure.n:,} {things} in {figure.denominator:,} day{'' if figure.denominator == 1 else 's'}"
    return f"of {figure.n:,} {things}"


def likely(figure: Figure) -> str:
    """The interval in words; empty where nothing can be said."""
    if figure.interval is None:
        return ""
    low, high = figure.interval
    if figure.info.unit is Unit.SHARE:
        return f"between {percent(low)} and {percent(high)}"
    return f"between {in_words(low, figure.info.unit)} and {in_words(high, figure.info.unit)}"

"""The figures: each with its n, what was divided by what, and what was left out and why.

Each metric's definition is a sentence in core.metrics, with an example in docs/metrics.md. The five metrics are those
of Google's DORA programme (dora.dev, 2026); how commits belong to releases and what undoes a release is ours.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from shipmend.core.cuts import Cut
from shipmend.core.facts import DefectRow, Facts, Reason, ReleaseRow
from shipmend.core.metrics import INFO, Metric, MetricInfo
from shipmend.core.samples import ENOUGH, Interval, Sample, sample, share_interval
from shipmend.core.windows import Window


class Aside(StrEnum):
    """What stands beside a figure and is no part of it."""

    WITH_DEFECT = "with_defect"
    UNDONE = "undone"
    BOTH = "both"
    GUESSED = "guessed"
    UNATTRIBUTED = "unattributed"
    ELSEWHERE = "elsewhere"
    STILL_OPEN = "still_open"
    RELEASES = "releases"


ASIDES = {
    Aside.WITH_DEFECT: "caused a defect",
    Aside.UNDONE: "undone by a rollback",
    Aside.BOTH: "both at once",
    Aside.GUESSED: "blamed by a guess alone",
    Aside.UNATTRIBUTED: "defects detected in the window without a release to their name",
    Aside.ELSEWHERE: "defects detected in the window and blamed on a release that does not count in this environment",
    Aside.STILL_OPEN: "open at the end of the window",
    Aside.RELEASES: "releases that shipped them",
}


@dataclass(frozen=True, slots=True)
class Rules:
    """What an entity has decided."""

    rollbacks_fail: bool = True
    """Whether a release undone by a rollback is a failure."""


class Left(NamedTuple):
    """What was left out: how many, and why."""

    reason: Reason
    amount: int


class Beside(NamedTuple):
    """A count that stands beside a figure."""

    aside: Aside
    amount: int


@dataclass(frozen=True, slots=True)
class Figure:
    """One number, and what it is made of."""

    metric: Metric
    value: float | None
    """In the metric's unit; None where there is nothing to go by."""
    n: int
    """Data points."""
    numerator: int
    denominator: int
    """What was divided: of a duration the seconds of all and their number, which give its mean."""
    sample: Sample | None = None
    interval: Interval | None = None
    """Within it lies the true value in 95 of 100 cases."""
    excluded: tuple[Left, ...] = ()
    beside: tuple[Beside, ...] = ()

    @property
    def info(self) -> MetricInfo:
        """The metric in words."""
        return INFO[self.metric]

    @property
    def is_enough(self) -> bool:
        """Whether there are data points enough to go by; a plain count always is."""
        return self.n >= ENOUGH or self.metric in _COUNTS


_COUNTS = {Metric.DEPLOYMENT_FREQUENCY, Metric.COMMITS_WAITING, Metric.OPEN_DEFECTS}


def figure(metric: Metric, facts: Facts, window: Window, rules: Rules) -> Figure:
    """A metric over a window. Raises KeyError for `COMMITS_WAITING`, which is of now: see `waiting`."""
    return figure_of(metric, Cut.of(facts, window), rules)


def figure_of(metric: Metric, cut: Cut, rules: Rules) -> Figure:
    """The same of a window that has been cut out."""
    return _FIGURES[metric](cut, rules)


def figures(facts: Facts, window: Window, rules: Rules) -> dict[Metric, Figure]:
    """Every metric that a window has."""
    cut = Cut.of(facts, window)
    return {metric: make(cut, rules) for metric, make in _FIGURES.items()}


def waiting(commits: int) -> Figure:
    """The commits that wait now."""
    return Figure(Metric.COMMITS_WAITING, float(commits), commits, commits, 1)


def is_failure(row: ReleaseRow, rules: Rules) -> bool:
    """Whether a counted release is one of change fail rate's numerator."""
    return row.reason is None and (bool(row.defects) or (rules.rollbacks_fail and row.is_undone))


def _deployment_frequency(cut: Cut, _rules: Rules) -> Figure:
    counted, days = len(cut.counted), cut.window.days
    excluded = _as_left(cut.left_out)
    return Figure(Metric.DEPLOYMENT_FREQUENCY, counted / days, counted, counted, days, excluded=excluded)


def _change_lead_time(cut: Cut, _rules: Rules) -> Figure:
    leads = [row.lead for row in cut.facts.releases if row.lead is not None]
    left = {
        Reason.MERGE: sum(lead.merges for lead in leads),
        Reason.BASELINE: sum(lead.baseline for lead in leads),
        Reason.TIMELESS: sum(lead.timeless for lead in leads),
        Reason.EARLY: sum(lead.early for lead in leads),
    }
    shipping = sum(1 for lead in leads if lead.times)
    times = sample(cut.lead_times)
    return _duration(Metric.CHANGE_LEAD_TIME, times, _as_left(left), (Beside(Aside.RELEASES, shipping),))


def _change_fail_rate(cut: Cut, rules: Rules) -> Figure:
    facts, counted, window = cut.facts, cut.counted, cut.window
    failed = sum(1 for row in counted if is_failure(row, rules))
    detected = facts.defects[facts.detected_before(window.start) : facts.detected_before(window.end)]
    beside = (
        Beside(Aside.WITH_DEFECT, sum(1 for row in counted if row.defects)),
        Beside(Aside.UNDONE, sum(1 for row in counted if row.is_undone)),
        Beside(Aside.BOTH, sum(1 for row in counted if row.defects and row.is_undone)),
        Beside(Aside.GUESSED, sum(1 for row in counted if row.defects and row.is_guess)),
        Beside(Aside.UNATTRIBUTED, sum(1 for defect in detected if defect.cause is None)),
        Beside(Aside.ELSEWHERE, sum(1 for defect in detected if defect.cause is not None and not defect.cause_counts)),
    )
    return _share(Metric.CHANGE_FAIL_RATE, failed, cut, beside)


def _recovery_time(cut: Cut, _rules: Rules) -> Figure:
    beside = (Beside(Aside.STILL_OPEN, cut.facts.open_at(cut.window.end)),)
    return _since_detection(Metric.RECOVERY_TIME, cut.facts.resolutions, beside)


def _rework_rate(cut: Cut, _rules: Rules) -> Figure:
    return _share(Metric.REWORK_RATE, sum(1 for row in cut.counted if row.fixes), cut)


def _time_to_first_fix(cut: Cut, _rules: Rules) -> Figure:
    return _since_detection(Metric.TIME_TO_FIRST_FIX, cut.facts.first_fixes)


def _fixes_not_holding(cut: Cut, _rules: Rules) -> Figure:
    fixes = cut.facts.fixes
    return _of(Metric.FIXES_NOT_HOLDING, sum(1 for row in fixes if not row.is_holding), len(fixes))


def _open_defects(cut: Cut, _rules: Rules) -> Figure:
    count = cut.facts.open_at(cut.window.end)
    return Figure(Metric.OPEN_DEFECTS, float(count), count, count, 1)


_FIGURES: dict[Metric, Callable[[Cut, Rules], Figure]] = {
    Metric.DEPLOYMENT_FREQUENCY: _deployment_frequency,
    Metric.CHANGE_LEAD_TIME: _change_lead_time,
    Metric.CHANGE_FAIL_RATE: _change_fail_rate,
    Metric.RECOVERY_TIME: _recovery_time,
    Metric.REWORK_RATE: _rework_rate,
    Metric.TIME_TO_FIRST_FIX: _time_to_first_fix,
    Metric.FIXES_NOT_HOLDING: _fixes_not_holding,
    Metric.OPEN_DEFECTS: _open_defects,
}


def _share(metric: Metric, part: int, cut: Cut, beside: tuple[Beside, ...] = ()) -> Figure:
    return _of(metric, part, len(cut.counted), _as_left(cut.left_out), beside)


def _of(
    metric: Metric, part: int, whole: int, excluded: tuple[Left, ...] = (), beside: tuple[Beside, ...] = ()
) -> Figure:
    value = part / whole if whole else None
    interval = share_interval(part, whole)
    return Figure(metric, value, whole, part, whole, interval=interval, excluded=excluded, beside=beside)


def _since_detection(metric: Metric, rows: Sequence[DefectRow], beside: tuple[Beside, ...] = ()) -> Figure:
    left = Counter(row.reason for row in rows if row.reason is not None)
    times = sample(row.seconds for row in rows if row.reason is None)
    return _duration(metric, times, _as_left(left), beside)


def _duration(
    metric: Metric, times: Sample | None, excluded: tuple[Left, ...], beside: tuple[Beside, ...] = ()
) -> Figure:
    if times is None:
        return Figure(metric, None, 0, 0, 0, excluded=excluded, beside=beside)
    return Figure(metric, times.median, times.n, times.total, times.n, times, times.interval, excluded, beside)


def _as_left(counts: Mapping[Reason, int]) -> tuple[Left, ...]:
    return tuple(Left(reason, amount) for reason in Reason if (amount := counts.get(reason, 0))) if counts else ()

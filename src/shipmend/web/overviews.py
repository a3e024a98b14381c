"""What the overview of a place is made of, read in a fixed number of queries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.http import QueryDict

from shipmend.catalog.models import Repo
from shipmend.catalog.queries import Place
from shipmend.core.defects import DefectState
from shipmend.core.metrics import Metric
from shipmend.core.windows import Interval
from shipmend.db.clock import epoch_now
from shipmend.delivery.queries import Page, environments_of, latest_defects, list_releases
from shipmend.delivery.views import DefectView, ReleaseView
from shipmend.reports.load import Ground
from shipmend.reports.series import Course, ground_of, measure
from shipmend.web.addresses import place_address
from shipmend.web.amounts import plain
from shipmend.web.charts.histogram import distribution, histogram
from shipmend.web.charts.picture import Chart
from shipmend.web.charts.scales import counts
from shipmend.web.charts.series import Style, Value, series
from shipmend.web.charts.timeline import timeline
from shipmend.web.lanes import lanes_of
from shipmend.web.listing import Shelf, shelves
from shipmend.web.numbers import Number
from shipmend.web.windows import Picker, read_picker

FIVE = (
    Metric.DEPLOYMENT_FREQUENCY,
    Metric.CHANGE_LEAD_TIME,
    Metric.CHANGE_FAIL_RATE,
    Metric.RECOVERY_TIME,
    Metric.REWORK_RATE,
)
BESIDE = (Metric.OPEN_DEFECTS, Metric.TIME_TO_FIRST_FIX, Metric.FIXES_NOT_HOLDING)
FEW = 10
"""Rows of the lists that stand on the overview."""
_BY_WEEK_FROM = 21


@dataclass(frozen=True, slots=True)
class Overview:
    """A place at a glance."""

    place: Place
    picker: Picker
    repos: Sequence[Repo]
    environments: Sequence[str]
    five: tuple[Number, ...]
    beside: tuple[Number, ...]
    charts: tuple[Chart, ...]
    """The timeline first; none where there is nothing to show yet."""
    releases: Page[ReleaseView]
    """The latest to the environment, of all times."""
    open: Page[DefectView]
    resolved: Page[DefectView]
    """The latest, of all times."""

    @property
    def has_defects(self) -> bool:
        """Whether any was ever recorded there."""
        return bool(self.open.total or self.resolved.total)

    @property
    def is_empty(self) -> bool:
        """Whether nothing was ever recorded there."""
        return not self.environments and not self.has_defects

    @property
    def shelves(self) -> tuple[Shelf, ...]:
        """The repos by organization."""
        return shelves(self.repos)

    @property
    def repo(self) -> Repo | None:
        """The repo's row, on a repo's page."""
        return self.repos[0] if self.place.repo else None


def read_overview(place: Place, query: QueryDict) -> Overview:
    """Read all of it."""
    now = epoch_now()
    environments = environments_of(place)
    picker = read_picker(query, place, environments, now)
    ground = ground_of(place, picker.environment, picker.window)
    course = Course(ground, picker.window, picker.interval)

    def number(metric: Metric) -> Number:
        return Number(course.measure(metric), place_address("metric", place.path, metric) + picker.query)

    defects = latest_defects(place, size=FEW)
    open_, resolved = defects[DefectState.OPEN], defects[DefectState.RESOLVED]
    return Overview(
        place,
        picker,
        ground.repos,
        environments,
        tuple(number(metric) for metric in FIVE),
        tuple(number(metric) for metric in BESIDE),
        _charts(ground, course, picker, now) if environments or open_.total or resolved.total else (),
        list_releases(place, environment=picker.environment, size=FEW),
        open_,
        resolved,
    )


def _charts(ground: Ground, course: Course, picker: Picker, now: int) -> tuple[Chart, ...]:
    return (
        timeline("timeline", "Releases and defects", picker.window, lanes_of(ground, picker.window), now=now),
        _releases(ground, picker),
        _lead_times(course.now.lead_times),
    )


def _releases(ground: Ground, picker: Picker) -> Chart:
    chosen = picker.form.text("interval")
    usual = Interval.WEEKLY if picker.window.days >= _BY_WEEK_FROM else Interval.DAILY
    interval = Interval(chosen) if chosen else max(usual, picker.interval, key=list(Interval).index)
    measured = measure(ground, Metric.DEPLOYMENT_FREQUENCY, picker.window, interval)
    values = [Value(point.part, point.figure.n, f"{point.figure.n:,}", point.figure.n) for point in measured.points]
    return series(
        "releases-chart",
        f"Releases per {_SINGLE[interval]}",
        f"{measured.now.n:,} counted",
        picker.window,
        values,
        axis=counts,
        style=Style.BARS,
        column="Releases",
    )


_SINGLE = {
    Interval.DAILY: "day",
    Interval.WEEKLY: "week",
    Interval.MONTHLY: "month",
    Interval.QUARTERLY: "quarter",
}


def _lead_times(times: Sequence[int]) -> Chart:
    amounts = distribution(times)
    total = sum(amounts)
    summary = f"{plain(total)} commit{'' if total == 1 else 's'}"
    return histogram("lead-times", "Change lead time", summary, amounts, what="commits")

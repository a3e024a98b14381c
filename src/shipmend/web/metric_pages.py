"""What the page of a metric is made of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.http import QueryDict

from shipmend.catalog.queries import Place
from shipmend.core.amounts import of_number
from shipmend.core.dora import ASIDES, Figure, figure
from shipmend.core.facts import REASONS
from shipmend.core.metrics import INFO, Dimension, Metric, MetricInfo, RowKind, Unit
from shipmend.db.clock import epoch_now
from shipmend.delivery.queries import Page, environments_of
from shipmend.reports.authors import author_groups
from shipmend.reports.load import Ground
from shipmend.reports.series import Course, Group, ground_of, groups
from shipmend.web.addresses import place_address
from shipmend.web.amounts import in_words
from shipmend.web.charts import scales
from shipmend.web.charts.picture import Chart
from shipmend.web.charts.series import Style, series
from shipmend.web.definitions import anchor_of
from shipmend.web.evidence import Evidence, has_numerator
from shipmend.web.filters import page_number
from shipmend.web.metric_rows import part_of, rows_of, word_of
from shipmend.web.numbers import Number, likely, made_of
from shipmend.web.windows import Choice, Picker, read_picker

_AXES = {
    Unit.PER_DAY: scales.rates,
    Unit.SECONDS: scales.durations,
    Unit.SHARE: scales.shares,
    Unit.COMMITS: scales.counts,
    Unit.DEFECTS: scales.counts,
}
_STYLES = {Metric.DEPLOYMENT_FREQUENCY: Style.BARS, Metric.OPEN_DEFECTS: Style.STEPS}
_COLUMNS = {Unit.PER_DAY: "A day", Unit.SECONDS: "Median", Unit.SHARE: "Share", Unit.DEFECTS: "Open"}
_THINGS = {RowKind.RELEASES: "Release", RowKind.DEFECTS: "Defect", RowKind.COMMITS: "Commit"}


@dataclass(frozen=True, slots=True)
class Line:
    """One value of a dimension, and its figure."""

    label: str
    address: str
    figure: Figure

    @property
    def words(self) -> str:
        """The value."""
        return in_words(self.figure.value, self.figure.info.unit)

    @property
    def made_of(self) -> str:
        """What it is counted from."""
        return made_of(self.figure)

    @property
    def likely(self) -> str:
        """Where the true value lies, said where there are too few data points."""
        return "" if self.figure.is_enough else likely(self.figure)


@dataclass(frozen=True, slots=True)
class MetricPage:
    """A metric of a place, with all that explains it."""

    place: Place
    picker: Picker
    number: Number
    chart: Chart
    dimension: Dimension | None
    dimensions: tuple[Choice, ...]
    lines: tuple[Line, ...]
    more: int
    """How many authors are left out of the lines."""
    narrowed: str
    """What rows and figures are narrowed to beside the place; empty for nothing."""
    shown: tuple[Choice, ...]
    rows: Page[Evidence]

    @property
    def info(self) -> MetricInfo:
        """The metric."""
        return self.number.info

    @property
    def anchor(self) -> str:
        """Where the metric is defined on the page of all definitions."""
        return anchor_of(self.info)

    @property
    def widened(self) -> str:
        """The page without what it is narrowed to."""
        return self.picker.narrowed(severity="", author="")

    @property
    def download(self) -> str:
        """The page's address, to which a format is added."""
        return self.picker.here

    @property
    def column(self) -> str:
        """What the values are called in a table."""
        return _COLUMNS[self.info.unit]

    @property
    def things(self) -> str:
        """What a row is."""
        return "Fix of" if self.info.metric is Metric.FIXES_NOT_HOLDING else _THINGS[self.info.rows]

    @property
    def has_numerator(self) -> bool:
        """Whether something is divided by something else of its kind."""
        return has_numerator(self.info.metric)

    @property
    def has_seconds(self) -> bool:
        """Whether a row took some time."""
        return any(row.seconds is not None for row in self.rows.items)

    @property
    def has_authors(self) -> bool:
        """Whether a row has an author."""
        return self.info.rows is RowKind.COMMITS

    @property
    def spread(self) -> tuple[tuple[str, str], ...]:
        """Mean, median and percentiles, in words."""
        sample = self.number.figure.sample
        if sample is None:
            return ()
        named = (
            ("mean", sample.mean),
            ("median: half took no longer", sample.median),
            ("p75: three of four took no longer", sample.p75),
            ("p90: nine of ten took no longer", sample.p90),
        )
        return tuple((name, in_words(value, self.info.unit)) for name, value in named)

    @property
    def left(self) -> tuple[tuple[int, str], ...]:
        """How many were left out, and why."""
        excluded = self.number.figure.excluded
        return tuple((each.amount, of_number(each.amount, REASONS[each.reason])) for each in excluded)

    @property
    def beside(self) -> tuple[tuple[int, str], ...]:
        """What stands beside the figure."""
        return tuple((each.amount, of_number(each.amount, ASIDES[each.aside])) for each in self.number.figure.beside)


def read_metric(place: Place, metric: Metric, query: QueryDict) -> MetricPage:
    """Read all of it."""
    picker = read_picker(query, place, environments_of(place), epoch_now(), extras=("by", "severity", "author", "show"))
    ground = ground_of(place, picker.environment, picker.window)
    part = part_of(ground, metric, picker.window, query)
    number = Number(Course(ground, picker.window, picker.interval, part.facts).measure(metric), "")
    dimension = _dimension(place, metric, query)
    rows = rows_of(ground, metric, picker.window, part, query)
    lines, more = _lines(ground, metric, dimension, picker)
    return MetricPage(
        place,
        picker,
        number,
        _chart(number, picker),
        dimension,
        _dimensions(place, metric, dimension, picker),
        lines,
        more,
        part.words,
        tuple(
            Choice(f"{word_of(show, metric)} {n:,}", picker.narrowed(show=show), show == rows.shown)
            for show, n in rows.amounts
        ),
        rows.page(page_number(query, "page")),
    )


def all_rows(place: Place, metric: Metric, query: QueryDict) -> Iterator[Evidence]:
    """The rows that the address asks for, on all pages."""
    picker = read_picker(query, place, environments_of(place), epoch_now())
    ground = ground_of(place, picker.environment, picker.window)
    return rows_of(ground, metric, picker.window, part_of(ground, metric, picker.window, query), query).all()


def _dimension(place: Place, metric: Metric, query: QueryDict) -> Dimension | None:
    offered = _offered(place, metric)
    given = query.get("by", "")
    return Dimension(given) if given in offered else next(iter(offered), None)


def _offered(place: Place, metric: Metric) -> tuple[Dimension, ...]:
    """Those that can split a figure of this place."""
    idle = {"repo": {Dimension.REPO, Dimension.ORGANIZATION}, "organization": {Dimension.ORGANIZATION}, "entity": set()}
    return tuple(each for each in INFO[metric].dimensions if each not in idle[place.path.level])


def _dimensions(place: Place, metric: Metric, chosen: Dimension | None, picker: Picker) -> tuple[Choice, ...]:
    return tuple(Choice(each.value, picker.narrowed(by=each), each is chosen) for each in _offered(place, metric))


def _lines(ground: Ground, metric: Metric, dimension: Dimension | None, picker: Picker) -> tuple[tuple[Line, ...], int]:
    """The worst first, those without a value last; and how many authors are left out."""
    if dimension is None:
        return (), 0
    some, more = (
        author_groups(ground, picker.window) if dimension is Dimension.AUTHOR else (groups(ground, dimension), 0)
    )
    found = [_line(ground, metric, dimension, group, picker) for group in some]

    def worst_first(line: Line) -> tuple[bool, float, str]:
        value = line.figure.value
        return value is None, -(value or 0), line.label

    return tuple(sorted((line for line in found if line.figure.n or line.figure.excluded), key=worst_first)), more


def _groups(ground: Ground, dimension: Dimension, picker: Picker) -> tuple[Sequence[Group], int]:
    return author_groups(ground, picker.window) if dimension is Dimension.AUTHOR else (groups(ground, dimension), 0)


def _line(ground: Ground, metric: Metric, dimension: Dimension, group: Group, picker: Picker) -> Line:
    found = figure(metric, group.facts, picker.window, ground.rules)
    if dimension is Dimension.SEVERITY:
        return Line(group.label, picker.narrowed(severity=group.label), found)
    if dimension is Dimension.AUTHOR:
        return Line(group.label, picker.narrowed(author=next(iter(group.filters.values()))), found)
    path = group.path or ground.place.path
    return Line(group.label, place_address("metric", path, metric) + picker.query, found)


def _chart(number: Number, picker: Picker) -> Chart:
    info = number.info
    return series(
        "course",
        info.name,
        f"by {picker.part_words}",
        picker.window,
        number.values,
        axis=_AXES[info.unit],
        style=_STYLES.get(info.metric, Style.LINE),
        column=_COLUMNS[info.unit],
        points=f"n ({info.rows})",
    )

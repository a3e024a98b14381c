"""A value for each part of a window: bars, a line with points, steps; and the small line beside a number."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby

from django.utils.safestring import SafeString

from shipmend.core.windows import Window
from shipmend.web.charts.picture import FOOT, Cell, Chart, Table, base, days, grid, picture
from shipmend.web.charts.scales import Axis
from shipmend.web.charts.svg import across, at, joined, stretched, tag

HEIGHT = 150
SPARK_WIDTH, SPARK_HEIGHT = 68, 22


class Style(StrEnum):
    """How values are drawn."""

    BARS = "bars"
    LINE = "line"
    STEPS = "steps"


@dataclass(frozen=True, slots=True)
class Value:
    """A part of the window, and what it has."""

    part: Window
    value: float | None
    """None where there is nothing to go by: a gap."""
    words: str
    """The value as people say it."""
    n: int
    is_enough: bool = True
    """Whether it stands on data points enough; drawn hollow otherwise."""


@dataclass(frozen=True, slots=True)
class _Band:
    """Where a value lies across, as shares of the width."""

    left: float
    width: float
    value: Value

    @property
    def middle(self) -> float:
        return self.left + self.width / 2


def series(
    name: str,
    title: str,
    summary: str,
    window: Window,
    values: Sequence[Value],
    *,
    axis: Callable[[Iterable[float]], Axis],
    style: Style,
    column: str,
    points: str = "n",
) -> Chart:
    """A chart over a window. `column` names the values in its table, `points` what n counts."""
    bands = _bands(window, values)
    scale = axis([each.value for each in values if each.value is not None])
    drawn = {Style.BARS: _bars, Style.LINE: _line, Style.STEPS: _steps}[style](bands, scale)
    svg = picture(
        title,
        summary,
        HEIGHT + FOOT,
        grid(scale, HEIGHT),
        days(window, HEIGHT),
        drawn,
        base(HEIGHT),
        *(_hit(band) for band in bands),
        window=window,
    )
    rows = [(Cell(name_of(each.part)), Cell(each.words), Cell(f"{each.n:,}")) for each in values]
    return Chart(name, title, summary, svg, Table(("When", column, points), rows, numbers=2))


def sparkline(values: Sequence[Value]) -> SafeString:
    """The course of some values, without words: these stand beside it."""
    known = [each.value for each in values if each.value is not None]
    most = max(known, default=0) or 1
    step = SPARK_WIDTH / max(1, len(values) - 1)
    points = [
        (n * step, SPARK_HEIGHT - 2 - each.value / most * (SPARK_HEIGHT - 4))
        for n, each in enumerate(values)
        if each.value is not None
    ]
    if not points:
        return SafeString()
    line = tag("polyline", class_="line", points=_path(points))
    end = tag("circle", class_="point", cx=points[-1][0], cy=points[-1][1], r=2)
    view = f"-2 0 {SPARK_WIDTH + 4} {SPARK_HEIGHT}"
    return tag("svg", line, end, class_="spark", viewBox=view, width=SPARK_WIDTH + 4, height=SPARK_HEIGHT,
               aria_hidden="true")  # fmt: skip


def name_of(part: Window) -> str:
    """The days of a part."""
    return str(part.first) if part.days == 1 else f"{part.first} to {part.last}"


def _bands(window: Window, values: Sequence[Value]) -> list[_Band]:
    return [
        _Band((each.part.first - window.first).days / window.days, each.part.days / window.days, each)
        for each in values
    ]


def _hit(band: _Band) -> SafeString:
    each = band.value
    doubt = "" if each.is_enough or each.value is None else ", too few to say"
    said = f"{each.words or 'nothing to go by'} ({each.n:,}{doubt})"
    return tag(
        "rect",
        class_="hit",
        x=across(band.left),
        y=0,
        width=across(band.width),
        height=HEIGHT,
        data_say=f"{name_of(each.part)}: {said}",
    )


def _bars(bands: Sequence[_Band], axis: Axis) -> SafeString:
    gap = min(0.2 * bands[0].width, 0.004) if bands else 0
    return joined(
        tag(
            "rect",
            class_="bar",
            x=across(band.left + gap / 2),
            y=HEIGHT - axis.place(band.value.value) * HEIGHT,
            width=across(band.width - gap),
            height=axis.place(band.value.value) * HEIGHT,
        )
        for band in bands
        if band.value.value
    )


def _line(bands: Sequence[_Band], axis: Axis) -> SafeString:
    """Points, joined where they follow each other without a gap."""
    runs = [list(run) for known, run in groupby(bands, lambda band: band.value.value is not None) if known]
    lines = stretched(
        HEIGHT,
        *(
            tag("polyline", class_="line", points=_path((band.middle * 1000, _down(band, axis)) for band in run))
            for run in runs
        ),
    )
    points = (
        at(
            band.middle,
            _down(band, axis),
            tag("circle", class_="point" if band.value.is_enough else "point few", r=3),
        )
        for run in runs
        for band in run
    )
    return joined([lines, *points])


def _steps(bands: Sequence[_Band], axis: Axis) -> SafeString:
    corners = [
        corner
        for band in bands
        for corner in ((band.left * 1000, _down(band, axis)), ((band.left + band.width) * 1000, _down(band, axis)))
    ]
    return stretched(HEIGHT, tag("polyline", class_="line", points=_path(corners)))


def _down(band: _Band, axis: Axis) -> float:
    return HEIGHT - axis.place(band.value.value or 0) * HEIGHT


def _path(points: Iterable[tuple[float, float]]) -> str:
    return " ".join(f"{round(x, 1):g},{round(y, 1):g}" for x, y in points)

"""Two values of each of some things against each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from shipmend.web.charts.picture import FOOT, Cell, Chart, Table, base, grid, picture
from shipmend.web.charts.scales import Axis
from shipmend.web.charts.svg import across, at, joined, tag

HEIGHT = 200


@dataclass(frozen=True, slots=True)
class Dot:
    """One thing."""

    across: float
    up: float
    say: str
    cells: tuple[Cell, ...]
    """Its row in the table."""
    address: str = ""
    is_open: bool = False
    """Whether its value still grows: drawn hollow."""


def scatter(
    name: str,
    title: str,
    summary: str,
    dots: Sequence[Dot],
    *,
    x_axis: Axis,
    y_axis: Axis,
    columns: tuple[str, ...],
    numbers: int = 1,
) -> Chart:
    """The chart of some things; the ticks of `x_axis` stand below it. `columns` are those of each dot's cells."""
    below = joined(
        tag("text", class_=_anchor(share), x=across(share), y=HEIGHT + 16, text=words) for share, words in x_axis.ticks
    )
    marks = joined(
        at(
            x_axis.place(dot.across),
            HEIGHT - y_axis.place(dot.up) * HEIGHT,
            tag("circle", class_="dot few" if dot.is_open else "dot", r=4, data_say=dot.say, data_to=dot.address),
        )
        for dot in dots
    )
    svg = picture(title, summary, HEIGHT + FOOT, grid(y_axis, HEIGHT), below, base(HEIGHT), marks)
    return Chart(name, title, summary, svg, Table(columns, [dot.cells for dot in dots], numbers))


def categories(names: Sequence[str]) -> Axis:
    """An axis of things without a measure: `place` takes the number of each, from 0."""
    return Axis(
        lambda n: (n + 0.5) / max(1, len(names)), tuple(((n + 0.5) / len(names), name) for n, name in enumerate(names))
    )


def _anchor(share: float) -> str:
    return "day start" if share < 0.05 else "day end" if share > 0.95 else "day middle"

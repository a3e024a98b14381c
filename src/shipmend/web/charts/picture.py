"""What every chart is: a picture, what it says in words, and its numbers as a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.safestring import SafeString

from shipmend.core.windows import Window
from shipmend.web.charts.scales import Axis
from shipmend.web.charts.svg import across, joined, tag, text

FOOT = 20
"""Pixels below the picture for the words of the axis."""
_DAYS_APART = 6
_CHARACTERS_AT_ENDS = 0.06


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of a table."""

    text: str
    address: str = ""

    @property
    def markup(self) -> SafeString:
        """The text, as a link if it has an address."""
        return tag("a", text=self.text, href=self.address) if self.address else text(self.text)


@dataclass(frozen=True, slots=True)
class Table:
    """The numbers of a picture."""

    columns: tuple[str, ...]
    rows: Sequence[tuple[Cell, ...]]
    numbers: int = 1
    """How many columns, from the last, are of numbers."""
    note: str = ""
    """What is not in it."""

    @property
    def markup(self) -> SafeString:
        """The table as HTML: of hundreds of cells, which a template would take its time over."""
        words = len(self.columns) - self.numbers
        kinds = ["" if n < words else "number" for n in range(len(self.columns))]
        heads = (tag("th", text=name, scope="col", class_=kind) for name, kind in zip(self.columns, kinds, strict=True))
        body = (
            tag("tr", *(tag("td", cell.markup, class_=kind) for cell, kind in zip(row, kinds, strict=True)))
            for row in self.rows
        )
        return tag("table", tag("thead", tag("tr", *heads)), tag("tbody", *body))


@dataclass(frozen=True, slots=True)
class Chart:
    """A picture with its numbers."""

    name: str
    """Of the picture on its page, as an id."""
    title: str
    summary: str
    """What it says, in a sentence or less; stands beside the title until a value is pointed at."""
    svg: SafeString
    table: Table
    keys: tuple[tuple[str, SafeString], ...] = ()
    """What each shape means: the words and the shape."""


def picture(
    title: str, summary: str, height: float, *children: SafeString, window: Window | None = None, kind: str = ""
) -> SafeString:
    """The outermost element. With a window, whoever drags over it zooms to the days dragged over."""
    return tag(
        "svg",
        tag("title", text=title),
        tag("desc", text=summary),
        *children,
        class_=f"chart {kind}".rstrip(),
        width="100%",
        height=height,
        role="img",
        data_first=str(window.first) if window else None,
        data_last=str(window.last) if window else None,
    )


def grid(axis: Axis, height: float) -> SafeString:
    """The lines across, each with its value at its left end."""
    lines = []
    for share, words in axis.ticks:
        down = height - share * height
        lines.append(tag("line", class_="grid", x1=0, x2="100%", y1=down, y2=down))
        lines.append(tag("text", class_="value", x=-8, y=down + 4, text=words))
    return joined(lines)


def days(window: Window, height: float) -> SafeString:
    """The days below: as many as fit beside each other in a narrow window."""
    count = min(_DAYS_APART, window.days)
    marks = []
    for n in range(count):
        ahead = n * window.days // count
        day = window.first.fromordinal(window.first.toordinal() + ahead)
        share = ahead / window.days
        words = f"{day:%b %Y}" if window.days > 700 else f"{day.day} {day:%b}"
        marks.append(tag("line", class_="grid", x1=across(share), x2=across(share), y1=height, y2=height + 4))
        anchor = "start" if share < _CHARACTERS_AT_ENDS else "middle"
        marks.append(tag("text", class_=f"day {anchor}", x=across(share), y=height + 16, text=words))
    return joined(marks)


def base(height: float) -> SafeString:
    """The line that the picture stands on."""
    return tag("line", class_="base", x1=0, x2="100%", y1=height, y2=height)

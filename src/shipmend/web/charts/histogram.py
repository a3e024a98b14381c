"""How many of some times are how long: classes that grow, since times differ by magnitudes."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from itertools import pairwise

from django.utils.safestring import SafeString

from shipmend.core.amounts import of_number
from shipmend.web.amounts import DAY, HOUR, duration, percent
from shipmend.web.charts.picture import FOOT, Cell, Chart, Table, base, grid, picture
from shipmend.web.charts.scales import counts
from shipmend.web.charts.svg import across, joined, tag

HEIGHT = 150
EDGES = (HOUR, 6 * HOUR, DAY, 2 * DAY, 4 * DAY, 7 * DAY, 14 * DAY, 30 * DAY, 90 * DAY)
"""Each the first time of the next class."""
CLASSES = (
    f"less than {duration(EDGES[0])}",
    *(f"{duration(low)} to {duration(high)}" for low, high in pairwise(EDGES)),
    f"{duration(EDGES[-1])} or more",
)


def distribution(times: Sequence[int]) -> tuple[int, ...]:
    """How many fall in each class, of ascending times (seconds)."""
    upto = [0, *(bisect_left(times, edge) for edge in EDGES), len(times)]
    return tuple(high - low for low, high in pairwise(upto))


def histogram(name: str, title: str, summary: str, amounts: Sequence[int], *, what: str) -> Chart:
    """The chart of a distribution. `what` names the things counted."""
    axis = counts(amounts)
    total = sum(amounts)
    width = 1 / len(amounts)
    parts: list[SafeString] = [grid(axis, HEIGHT)]
    for n, amount in enumerate(amounts):
        tall = axis.place(amount) * HEIGHT
        if amount:
            parts.append(tag("rect", class_="bar", x=across(width * (n + 0.04)), y=HEIGHT - tall,
                             width=across(width * 0.92), height=tall))  # fmt: skip
    parts.append(base(HEIGHT))
    for n, edge in enumerate(EDGES, 1):
        parts.append(tag("line", class_="grid", x1=across(width * n), x2=across(width * n), y1=HEIGHT, y2=HEIGHT + 4))
        parts.append(tag("text", class_="day middle", x=across(width * n), y=HEIGHT + 16, text=duration(edge)))
    rows = []
    for n, (words, amount) in enumerate(zip(CLASSES, amounts, strict=True)):
        share = percent(amount / total) if total else ""
        said = f"{words}: {amount:,} {of_number(amount, what)}" + (f", {share}" if share else "")
        parts.append(tag("rect", class_="hit", x=across(width * n), y=0, width=across(width), height=HEIGHT,
                         data_say=said))  # fmt: skip
        rows.append((Cell(words), Cell(f"{amount:,}"), Cell(share)))
    svg = picture(title, summary, HEIGHT + FOOT, joined(parts))
    return Chart(name, title, summary, svg, Table(("How long", what.capitalize(), "Share"), rows, numbers=2))

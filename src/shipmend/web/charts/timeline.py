"""The timeline: a lane for each repo, its releases as ticks, its defects as bars, both over one another.

A rollback bends back to the release it went back to; a defect lasts from its detection to its latest fix, with a mark
at each, and one that is open runs on with an open end.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cache

from django.utils.safestring import SafeString

from shipmend.core.amounts import several
from shipmend.core.windows import Window
from shipmend.web.charts.lanes import Bar, Lane, Shape, Span, Tick, Told, in_rows, together
from shipmend.web.charts.picture import FOOT, Cell, Chart, Table, days, picture
from shipmend.web.charts.svg import across, at, joined, stretched, tag

MOST_LANES = 8
MOST_ROWS_OF_TABLE = 100
_LABEL, _ARC, _TICK, _ROW, _APART = 15, 16, 12, 9, 12
_FLAT = 0.004
"""The shortest bar, as a share of the width."""


def timeline(name: str, title: str, window: Window, lanes: Sequence[Lane], *, now: int) -> Chart:
    """The chart of a window. The lanes with most in them are drawn, as they come."""
    span = Span(window.start, window.end)
    busy = sorted(lanes, key=lambda lane: -len(lane.ticks) - len(lane.bars))[:MOST_LANES]
    shown = [lane for lane in lanes if lane in busy and (lane.ticks or lane.bars)]
    drawn, down = [], 0.0
    for lane in shown:
        part, height = _lane(lane, span, down, now)
        drawn.append(part)
        down += height
    summary = _summary(lanes, shown)
    svg = picture(title, summary, down + FOOT, days(window, down), joined(drawn), window=window, kind="timeline")
    return Chart(name, title, summary, svg, _table(shown, window), _keys())


def _lane(lane: Lane, span: Span, top: float, now: int) -> tuple[SafeString, float]:
    ticks = [(tick, tick.tell()) for tick in together(lane.ticks, span)]
    rows, left = in_rows(lane.bars, span)
    has_arcs = any(told.back_to is not None for _, told in ticks)
    rail = top + _LABEL + (_ARC if has_arcs else 4) + _TICK
    more = f", and {several(left, 'more defect')} at the same time" if left else ""
    parts = [
        tag("text", class_="lane", x=0, y=top + 11, text=lane.label + more),
        tag("line", class_="rail", x1=0, x2="100%", y1=rail, y2=rail),
        *(_bar(bar, rail + 7 + row * _ROW, span, now) for row, bar in rows),
        _arcs(((tick.at, told.back_to) for tick, told in ticks if told.back_to is not None), rail, span),
        *(_tick(tick, told, rail, span) for tick, told in ticks),
    ]
    depth = max((row + 1 for row, _ in rows), default=0)
    return joined(parts), rail - top + 7 + depth * _ROW + _APART


def _arcs(ways: Iterable[tuple[int, int]], rail: float, span: Span) -> SafeString:
    """From each rollback back to what it went back to."""
    paths, heads = [], []
    low, high = rail - _TICK, rail - _TICK - _ARC
    for at_, back_to in ways:
        start, end = span.place(at_) * 1000, span.place(back_to) * 1000
        curve = f"M{start:.1f},{low:g}C{start:.1f},{high:g} {end:.1f},{high:g} {end:.1f},{low:g}"
        paths.append(tag("path", class_="arc", d=curve))
        heads.append(at(end / 1000, low, tag("path", class_="head", d="M-3.5,-5L0,0L3.5,-5")))
    return joined([stretched(rail, *paths), *heads]) if paths else SafeString()


def _tick(tick: Tick, told: Told, rail: float, span: Span) -> SafeString:
    hit = tag("rect", class_="hit", x=-5, y=-_TICK - 4, width=10, height=_TICK + 9, data_say=told.say,
              data_to=told.address)  # fmt: skip
    shape = glyph(tick.shape, is_failure=tick.is_failure, is_undone=tick.is_undone, is_many=tick.many > 1)
    return at(span.place(tick.at), rail, shape, hit)


@cache
def glyph(shape: Shape, *, is_failure: bool = False, is_undone: bool = False, is_many: bool = False) -> SafeString:
    """The shape of a release, around the point of the rail that it lies at."""
    classes = f"tick {shape}" + (" many" if is_many else "") + (" undone" if is_undone else "")
    parts = [tag("path", class_=classes, d=_BODIES[shape])]
    if is_undone:
        parts.append(tag("path", class_="tick strike", d="M-4,-4L4,-9"))
    if is_failure:
        parts.append(tag("circle", class_="blame", cy=2, r=3))
    return joined(parts)


_BODIES = {
    Shape.FORWARD: f"M0,0V-{_TICK}",
    Shape.BASELINE: f"M0,0V-{_TICK}M0,-{_TICK}H5",
    Shape.ROLLBACK: f"M0,0V-{_TICK}",
    Shape.DIVERGED: f"M0,0V-5L-4,-{_TICK}M0,-5L4,-{_TICK}",
    Shape.REDEPLOY: "M-1.5,0V-6M1.5,0V-6",
    Shape.FAILED: "M-3.5,-8L3.5,-1M3.5,-8L-3.5,-1",
    Shape.CANCELLED: "M-3.5,-4.5a3.5,3.5 0 1 0 7,0a3.5,3.5 0 1 0 -7,0M-2.5,-2L2.5,-7",
}


def _bar(bar: Bar, down: float, span: Span, now: int) -> SafeString:
    told = bar.tell()
    start = span.place(bar.start)
    end = span.place(now if bar.end is None else bar.end)
    width = max(end - start, _FLAT)
    parts = [
        tag("rect", class_="defect open" if bar.end is None else "defect", x=across(start), y=down,
            width=across(width), height=5),
        *(
            at(span.place(fix), down + 2.5, tag("path", class_="fix", d="M-4,0L0,-4L4,0L0,4Z"))
            for fix in told.fixes
            if span.start <= fix < span.end
        ),
    ]  # fmt: skip
    if bar.end is None:
        parts.append(at(start + width, down + 2.5, tag("path", class_="on", d="M2,-4L6,0L2,4")))
    parts.append(
        tag("rect", class_="hit", x=across(start), y=down - 2, width=across(width), height=_ROW,
            data_say=told.say, data_to=told.address)
    )  # fmt: skip
    return joined(parts)


def _summary(lanes: Sequence[Lane], shown: Sequence[Lane]) -> str:
    releases, defects = (sum(len(each) for each in those) for those in (
        [lane.ticks for lane in lanes], [lane.bars for lane in lanes]))  # fmt: skip
    words = f"{several(releases, 'release')}, {several(defects, 'defect')}"
    left = sum(1 for lane in lanes if lane.ticks or lane.bars) - len(shown)
    more = several(left, "more has", "more have")
    return words + (f"; the {len(shown)} busiest repos, {more} something" if left else "")


def _table(lanes: Sequence[Lane], window: Window) -> Table:
    def when(instant: int) -> str:
        return f"{datetime.fromtimestamp(instant, window.zone):%Y-%m-%d %H:%M}"

    found: list[tuple[int, str, Tick | Bar]] = [
        *((tick.at, lane.label, tick) for lane in lanes for tick in lane.ticks),
        *((bar.start, lane.label, bar) for lane in lanes for bar in lane.bars),
    ]
    found.sort(key=lambda row: (-row[0], row[1]))
    shown = [(instant, lane, each.tell()) for instant, lane, each in found[:MOST_ROWS_OF_TABLE]]
    rows = [
        (Cell(when(instant)), Cell(lane), Cell(told.label, told.address), Cell(told.say))
        for instant, lane, told in shown
    ]
    note = f"The latest {len(rows):,} of {len(found):,}." if len(rows) < len(found) else ""
    return Table(("When", "Repo", "What", "In words"), rows, numbers=0, note=note)


def _keys() -> tuple[tuple[str, SafeString], ...]:
    def key(*children: SafeString, kind: str = "") -> SafeString:
        inside = at(0.5, 17, *children)
        return tag("svg", inside, class_=f"key {kind}".rstrip(), width=22, height=22, aria_hidden="true")

    def release(shape: Shape, *, is_failure: bool = False, is_undone: bool = False) -> SafeString:
        return key(glyph(shape, is_failure=is_failure, is_undone=is_undone))

    return (
        ("release", release(Shape.FORWARD)),
        ("caused a defect", release(Shape.FORWARD, is_failure=True)),
        ("rollback", key(tag("path", class_="arc", d="M7,0C7,-16 -7,-16 -7,-4"),
                         tag("path", class_="head", d="M-10,-8L-7,-3L-4,-8"))),
        ("undone by one", release(Shape.FORWARD, is_undone=True)),
        ("diverged", release(Shape.DIVERGED)),
        ("redeploy", release(Shape.REDEPLOY)),
        ("failed", release(Shape.FAILED)),
        ("cancelled", release(Shape.CANCELLED)),
        ("defect, with a fix", key(tag("rect", class_="defect", x=-10, y=-8, width=18, height=5),
                                   tag("path", class_="fix", d="M4,-5.5L8,-9.5L12,-5.5L8,-1.5Z"))),
        ("still open", key(tag("rect", class_="defect open", x=-10, y=-8, width=14, height=5),
                           tag("path", class_="on", d="M6,-9.5L10,-5.5L6,-1.5"))),
    )  # fmt: skip

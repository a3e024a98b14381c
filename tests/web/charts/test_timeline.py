"""The timeline: what happened lies where it happened, and states differ by shape."""

from __future__ import annotations

from datetime import date
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shipmend.core.windows import Window
from shipmend.web.charts.lanes import (
    MOST_BARS,
    MOST_ROWS,
    MOST_TICKS,
    Bar,
    Lane,
    Shape,
    Span,
    Tick,
    Told,
    in_rows,
    together,
)
from shipmend.web.charts.timeline import MOST_LANES, MOST_ROWS_OF_TABLE, glyph, timeline
from tests.web.charts.reading import numbers, picture_of, share

WINDOW = Window(date(2026, 1, 1), date(2026, 1, 10), ZoneInfo("UTC"))
SPAN = Span(WINDOW.start, WINDOW.end)
HOUR = 3600
NOW = WINDOW.end - HOUR
instants = st.integers(WINDOW.start, WINDOW.end - 1)


def tick(at: int, shape: Shape = Shape.FORWARD, back_to: int | None = None, *, is_failure: bool = False) -> Tick:
    return Tick(at, shape, lambda: Told(f"v{at}", f"said {at}", f"/r/{at}", back_to), is_failure=is_failure)


def bar(start: int, end: int | None, *fixes: int) -> Bar:
    return Bar(start, end, lambda: Told(f"D{start}", f"D{start} said", f"/d/{start}", fixes=fixes))


def test_a_release_a_rollback_and_a_defect_lie_where_they_happened() -> None:
    first, second, back = (WINDOW.start + n * 24 * HOUR for n in (1, 3, 4))
    lane = Lane("shop", [tick(first), tick(second, is_failure=True), tick(back, Shape.ROLLBACK, first)],
                [bar(second, back, back)])  # fmt: skip
    chart = timeline("t", "T", WINDOW, [lane], now=NOW)
    found = picture_of(chart)
    places = [share(each.get("x")) for each in found.root.iter("svg") if each.find("path[@class]") is not None
              and "tick" in (each.find("path").get("class") or "")]  # type: ignore[union-attr] # fmt: skip
    assert places == pytest.approx([0.1, 0.3, 0.4])
    (arc,) = found.marks("arc")
    assert (arc.get("d") or "").startswith("M400.0,")
    assert ",".join((arc.get("d") or "").split(" ")[-1:]).startswith("100.0,")
    (defect,) = found.marks("defect")
    assert (share(defect.get("x")), share(defect.get("width"))) == pytest.approx((0.3, 0.1))
    assert len(found.marks("fix")) == 1
    assert len(found.marks("blame")) == 1
    assert not found.marks("on")


def test_what_is_open_runs_to_now_with_an_open_end() -> None:
    found = picture_of(timeline("t", "T", WINDOW, [Lane("shop", [], [bar(WINDOW.start, None)])], now=NOW))
    (defect,) = found.marks("defect")
    assert share(defect.get("width")) == pytest.approx(SPAN.place(NOW), abs=1e-4)
    assert len(found.marks("on")) == 1


def test_every_state_of_a_release_has_a_shape_of_its_own() -> None:
    drawn = {glyph(shape) for shape in Shape if shape is not Shape.ROLLBACK}
    assert len({markup.split(' d="')[1] for markup in drawn}) == len(Shape) - 1
    plain, undone = glyph(Shape.FORWARD), glyph(Shape.FORWARD, is_undone=True)
    assert plain.count("<path") < undone.count("<path")


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(instants, st.none() | st.integers(0, 30 * 24 * HOUR)), max_size=80))
def test_no_two_bars_of_a_row_touch_and_none_is_forgotten(spans: list[tuple[int, int | None]]) -> None:
    bars = [bar(start, None if length is None else start + length) for start, length in spans]
    placed, left = in_rows(bars, SPAN)
    assert len(placed) + left == len(bars)
    assert len(placed) <= MOST_BARS
    for row in range(MOST_ROWS):
        those = sorted((each.start, each.end) for n, each in placed if n == row)
        assert all(end is not None and end <= start for (_, end), (start, _) in pairwise(those))


def test_in_a_crowd_what_began_in_the_window_is_drawn_before_what_is_older() -> None:
    old = [bar(WINDOW.start - n, None) for n in range(1, 100)]
    new = [bar(WINDOW.start + n * 6 * HOUR, WINDOW.start + n * 6 * HOUR + 60) for n in range(30)]
    placed, _ = in_rows([*old, *new], SPAN)
    assert {id(each) for each in new} - {id(each) for _, each in placed} == set()


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(instants, st.sampled_from(list(Shape))), max_size=400))
def test_ticks_that_touch_become_one_that_tells_how_many(spans: list[tuple[int, Shape]]) -> None:
    ticks = [tick(at, shape) for at, shape in spans]
    drawn = together(ticks, SPAN)
    assert sum(each.many for each in drawn) == len(ticks)
    assert (len(drawn) == len(ticks)) or len(ticks) > MOST_TICKS
    assert {each.shape for each in drawn} == {each.shape for each in ticks}
    assert all(str(each.many) in each.tell().say for each in drawn if each.many > 1)


def test_a_crowd_is_bounded_and_says_what_it_leaves_out() -> None:
    many = [tick(WINDOW.start + n * 60) for n in range(5000)]
    lanes = [Lane(f"repo-{n}", many, [bar(WINDOW.start + i, None) for i in range(300)]) for n in range(20)]
    chart = timeline("t", "T", WINDOW, lanes, now=NOW)
    found = picture_of(chart)
    assert len(found.marks("lane")) == MOST_LANES
    assert f"the {MOST_LANES} busiest repos, 12 more have something" in chart.summary
    assert len(found.said()) < MOST_LANES * (MOST_TICKS + MOST_BARS)
    assert all(f"and {300 - MOST_ROWS} more defects" in text.text for text in found.marks("lane") if text.text)
    assert len(numbers(chart)) == MOST_ROWS_OF_TABLE
    assert chart.table.note == f"The latest {MOST_ROWS_OF_TABLE} of {MOST_LANES * 5300:,}."


def test_the_table_has_every_release_and_defect_with_its_page_the_latest_first() -> None:
    lane = Lane("shop", [tick(WINDOW.start), tick(WINDOW.start + HOUR)], [bar(WINDOW.start + 60, None)])
    chart = timeline("t", "T", WINDOW, [lane, Lane("idle", [], [])], now=NOW)
    assert [row[0] for row in numbers(chart)] == ["2026-01-01 01:00", "2026-01-01 00:01", "2026-01-01 00:00"]
    assert [row[2].address for row in chart.table.rows] == [
        f"/r/{WINDOW.start + HOUR}", f"/d/{WINDOW.start + 60}", f"/r/{WINDOW.start}"]  # fmt: skip
    assert "idle" not in picture_of(chart).words()
    assert chart.summary == "2 releases, 1 defect"

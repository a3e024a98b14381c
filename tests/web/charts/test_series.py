"""A value for each part of a window: what is drawn where, and the same in the table."""

from __future__ import annotations

from datetime import date
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shipmend.core.windows import Interval, Window
from shipmend.web.amounts import DAY, MINUTE
from shipmend.web.charts import scales
from shipmend.web.charts.series import HEIGHT, SPARK_HEIGHT, Style, Value, series, sparkline
from tests.web.charts.reading import Picture, numbers, picture_of, share

UTC = ZoneInfo("UTC")
WINDOW = Window(date(2026, 1, 5), date(2026, 2, 15), UTC)
amounts = st.lists(st.none() | st.floats(0, 1e6, allow_nan=False), min_size=42, max_size=42)


def values(amounts: list[float | None], interval: Interval = Interval.DAILY) -> list[Value]:
    return [
        Value(part, amount, "" if amount is None else f"{amount:g}", n)
        for n, (part, amount) in enumerate(zip(WINDOW.parts(interval), amounts, strict=False))
    ]


@settings(max_examples=50, deadline=None)
@given(amounts)
def test_a_bar_is_as_tall_as_its_value_and_stands_on_its_days(amounts: list[float | None]) -> None:
    chart = series("x", "T", "s", WINDOW, values(amounts), axis=scales.rates, style=Style.BARS, column="V")
    bars = picture_of(chart).marks("bar")
    drawn = [(n, amount) for n, amount in enumerate(amounts) if amount]
    assert len(bars) == len(drawn)
    most = max((amount for _, amount in drawn), default=1)
    tallest = max((float(bar.get("height", "0")) for bar in bars), default=0)
    assert tallest <= HEIGHT + 0.01
    for bar, (n, amount) in zip(bars, drawn, strict=True):
        assert n / 42 <= share(bar.get("x")) + 1e-4
        assert share(bar.get("x")) + share(bar.get("width")) <= (n + 1) / 42 + 1e-4
        assert float(bar.get("height", "0")) == pytest.approx(amount / most * tallest, abs=0.02)
        assert float(bar.get("y", "0")) + float(bar.get("height", "0")) == pytest.approx(HEIGHT, abs=0.02)


@settings(max_examples=50, deadline=None)
@given(amounts)
def test_a_line_has_a_point_for_each_value_and_a_gap_for_each_none(amounts: list[float | None]) -> None:
    chart = series("x", "T", "s", WINDOW, values(amounts), axis=scales.rates, style=Style.LINE, column="V")
    found = picture_of(chart)
    known = [amount for amount in amounts if amount is not None]
    assert len(found.marks("point")) == len(known)
    joined = sum(len((line.get("points") or "").split()) for line in found.marks("line"))
    assert joined == len(known)
    borders = sum(1 for a, b in zip([None, *amounts], amounts, strict=False) if a is None and b is not None)
    assert len(found.marks("line")) == borders


@settings(max_examples=50, deadline=None)
@given(amounts, st.sampled_from(list(Style)))
def test_each_part_says_its_value_and_stands_in_the_table(amounts: list[float | None], style: Style) -> None:
    chart = series("x", "T", "s", WINDOW, values(amounts), axis=scales.rates, style=style, column="V")
    said = picture_of(chart).said()
    assert len(said) == len(numbers(chart)) == 42
    for text, (when, value, _), each in zip(said, numbers(chart), values(amounts), strict=True):
        assert text.startswith(f"{when}: {value or 'nothing to go by'}")
        assert value == each.words


def test_what_stands_on_few_data_points_is_drawn_hollow_and_said() -> None:
    few = [Value(WINDOW, 3, "3", 2, is_enough=False)]
    chart = series("x", "T", "s", WINDOW, few, axis=scales.counts, style=Style.LINE, column="V")
    found = picture_of(chart)
    assert len(found.marks("few")) == 1
    assert "too few to say" in found.said()[0]


def test_a_chart_over_days_can_be_zoomed_and_escapes_what_it_says() -> None:
    evil = [Value(WINDOW, 1, '<b>"&', 1)]
    chart = series("x", '"><i>', "<u>", WINDOW, evil, axis=scales.counts, style=Style.STEPS, column="V")
    found = picture_of(chart)
    assert (found.root.get("data-first"), found.root.get("data-last")) == ("2026-01-05", "2026-02-15")
    assert found.said() == ['2026-01-05 to 2026-02-15: <b>"& (1)']
    assert not list(found.root.iter("b"))


@settings(max_examples=50, deadline=None)
@given(st.lists(st.none() | st.floats(0, 1e9, allow_nan=False), max_size=60))
def test_the_small_line_stays_in_its_box(amounts: list[float | None]) -> None:
    markup = sparkline([Value(WINDOW, amount, "", 1) for amount in amounts])
    known = [amount for amount in amounts if amount is not None]
    assert bool(markup) is bool(known)
    if known:
        points = Picture.of(markup).marks("line")[0].get("points", "").split()
        assert len(points) == len(known)
        assert all(0 <= float(point.split(",")[1]) <= SPARK_HEIGHT for point in points)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(0, 1e9, allow_nan=False, allow_subnormal=False), max_size=20),
       st.sampled_from([scales.counts, scales.rates, scales.shares, scales.durations]))  # fmt: skip
def test_an_axis_holds_all_its_values_with_few_round_steps(values: list[float], kind: object) -> None:
    assert callable(kind)
    axis = kind(values)
    assert all(-1e-9 <= axis.place(value) <= 1 + 1e-9 for value in values)
    assert 1 <= len(axis.ticks) <= 4
    shares = [tick for tick, _ in axis.ticks]
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(1)
    assert len({words for _, words in axis.ticks}) == len(axis.ticks)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(0, 4000 * DAY), max_size=20))
def test_an_axis_of_magnitudes_keeps_the_order_of_times(seconds: list[int]) -> None:
    axis = scales.spans(seconds)
    placed = [axis.place(value) for value in sorted(seconds)]
    assert placed == sorted(placed)
    assert all(0 <= place <= 1 for place in placed)
    assert all(0 <= place <= 1 for place, _ in axis.ticks)
    assert axis.place(MINUTE) <= axis.place(2 * MINUTE)

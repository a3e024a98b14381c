"""Windows of whole days: any cutting covers all of it once, whatever the zone's clocks do."""

from __future__ import annotations

import itertools
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipmend.core.windows import Interval, Window

ZONES = ("UTC", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "America/Sao_Paulo", "Pacific/Apia")
days = st.dates(date(1975, 1, 1), date(2090, 1, 1))
windows = st.builds(
    lambda first, length, zone: Window(first, first + timedelta(days=length), ZoneInfo(zone)),
    days,
    st.integers(0, 800),
    st.sampled_from(ZONES),
)


@given(windows, st.sampled_from(Interval))
def test_the_parts_of_a_window_are_the_window(window: Window, interval: Interval) -> None:
    parts = window.parts(interval)
    assert (parts[0].first, parts[-1].last) == (window.first, window.last)
    assert sum(part.days for part in parts) == window.days
    assert all(before.end == after.start for before, after in itertools.pairwise(parts))
    assert (parts[0].start, parts[-1].end) == (window.start, window.end)


@given(windows, st.sampled_from(Interval))
def test_parts_break_where_a_day_says_so(window: Window, interval: Interval) -> None:
    def name(day: date) -> tuple[int, ...]:
        return {
            Interval.DAILY: (day.toordinal(),),
            Interval.WEEKLY: tuple(day.isocalendar())[:2],
            Interval.MONTHLY: (day.year, day.month),
            Interval.QUARTERLY: (day.year, (day.month - 1) // 3),
        }[interval]

    for part in window.parts(interval):
        each = [part.first + timedelta(days=n) for n in range(part.days)]
        assert len({name(day) for day in each}) == 1
    firsts = [name(part.first) for part in window.parts(interval)]
    assert len(set(firsts)) == len(firsts)


@given(windows)
def test_the_previous_window_is_as_long_and_ends_where_this_one_begins(window: Window) -> None:
    before = window.previous
    assert before.days == window.days
    assert before.end == window.start


@given(windows, st.integers(0, 86_399))
def test_a_window_holds_the_instants_that_its_clocks_show_on_its_days(window: Window, second: int) -> None:
    instant = window.start + second
    shown = datetime.fromtimestamp(instant, window.zone).date()
    assert (window.start <= instant < window.end) == (window.first <= shown <= window.last)


def test_a_day_is_as_long_as_its_clocks_make_it() -> None:
    zone = ZoneInfo("America/New_York")
    spring = Window(date(2024, 3, 10), date(2024, 3, 10), zone)
    autumn = Window(date(2024, 11, 3), date(2024, 11, 3), zone)
    assert [spring.end - spring.start, autumn.end - autumn.start] == [23 * 3600, 25 * 3600]


def test_a_window_can_not_end_before_it_begins() -> None:
    with pytest.raises(ValueError, match="ends before"):
        Window(date(2024, 1, 2), date(2024, 1, 1), ZoneInfo("UTC"))


def test_the_usual_parts_are_a_few_dozen() -> None:
    for count in (1, 7, 30, 45, 46, 90, 365, 400, 401, 3650):
        window = Window.of_days(count, date(2024, 6, 30), ZoneInfo("UTC"))
        assert 1 <= len(window.parts(window.usual_interval)) <= 122

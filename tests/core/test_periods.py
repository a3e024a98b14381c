"""Which days are reported on, and how they are cut up."""

from __future__ import annotations

from datetime import date
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipmend.core.errors import Invalid
from shipmend.core.metrics import ALIASES, INFO, Metric, aliases_of, metric_named
from shipmend.core.periods import LONGEST_DAYS, MOST_PARTS, USUAL_DAYS, choose_interval, choose_window
from shipmend.core.sheets import csv_line
from shipmend.core.windows import Interval, Window

UTC = ZoneInfo("UTC")
TODAY = date(2024, 3, 31)
DAYS = st.dates(date(1970, 1, 1), date(2099, 12, 31))


def window(start: date | None = None, end: date | None = None, days: int | None = None) -> Window:
    return choose_window(start=start, end=end, days=days, today=TODAY, zone=UTC)


@given(DAYS, DAYS)
def test_two_days_are_the_ends_of_a_window_or_refused(start: date, end: date) -> None:
    if 0 <= (end - start).days < LONGEST_DAYS:
        found = window(start, end)
        assert (found.first, found.last) == (start, end)
    else:
        with pytest.raises(Invalid, match="start_date"):
            window(start, end)


@given(st.integers(-10, 2 * LONGEST_DAYS), st.none() | DAYS)
def test_a_number_of_days_ends_today_or_where_it_is_said(days: int, end: date | None) -> None:
    if 1 <= days <= min(LONGEST_DAYS, ((end or TODAY) - date(1969, 12, 31)).days):
        found = window(end=end, days=days)
        assert (found.last, found.days) == (end or TODAY, days)
    else:
        with pytest.raises(Invalid, match="days_ago"):
            window(end=end, days=days)


def test_a_month_is_usual() -> None:
    assert window() == Window.of_days(USUAL_DAYS, TODAY, UTC)
    assert window(start=date(2024, 3, 1)) == Window(date(2024, 3, 1), TODAY, UTC)


@pytest.mark.parametrize(
    ("given_days", "parameter", "says"),
    [
        ({"start": date(2024, 4, 1)}, "start_date", "in the future"),
        ({"start": date(2024, 3, 2), "end": date(2024, 3, 1)}, "start_date", "after end_date"),
        ({"start": date(2024, 3, 2), "days": 3}, "days_ago", "beside start_date"),
        ({"start": date(1969, 12, 31)}, "start_date", "1970-01-01"),
        ({"end": date(2100, 1, 1)}, "end_date", "2099-12-31"),
        ({"days": 0}, "days_ago", "from 1 to"),
    ],
)
def test_days_that_make_no_window_are_refused(given_days: dict[str, object], parameter: str, says: str) -> None:
    with pytest.raises(Invalid, match=says) as refused:
        window(**given_days)  # type: ignore[arg-type]  # of a table
    assert refused.value.parameter == parameter


def test_a_window_is_not_cut_into_too_many_parts() -> None:
    long = window(days=LONGEST_DAYS)
    assert choose_interval(long, None) is Interval.MONTHLY
    assert choose_interval(window(days=MOST_PARTS), Interval.DAILY) is Interval.DAILY
    with pytest.raises(Invalid, match=f"{MOST_PARTS + 1} parts"):
        choose_interval(window(days=MOST_PARTS + 1), Interval.DAILY)
    for interval in (Interval.WEEKLY, Interval.MONTHLY, Interval.QUARTERLY):
        assert len(long.parts(interval)) <= MOST_PARTS


def test_a_segment_goes_by_its_name_its_words_and_what_others_call_it() -> None:
    for metric, info in INFO.items():
        for name in (metric, info.name, info.name.upper(), metric.replace("_", " "), metric.replace("_", "-")):
            assert metric_named(name) is metric
        assert {metric_named(alias) for alias in aliases_of(metric)} <= {metric}
    assert not set(ALIASES) & set(Metric)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("chnage_lead_time", "perhaps change_lead_time"),
        ("Failure rate", "change_fail_rate"),
        ("deploy-frequencies", "perhaps deployment_frequency is meant"),
        ("diff_delta", "give one of deployment_frequency, change_lead_time"),
        ("", "give one of"),
    ],
)
def test_an_unknown_segment_is_answered_with_the_near_ones(text: str, says: str) -> None:
    with pytest.raises(Invalid, match=says):
        metric_named(text)


def test_no_cell_is_a_formula() -> None:
    assert csv_line(["=1+1", "-x", 3, None, 'a"b', "plain"]) == '\'=1+1,\'-x,3,,"a""b",plain\r\n'

"""The window of a page, read from its address, and the ways to other windows."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from django.http import QueryDict
from hypothesis import given, settings
from hypothesis import strategies as st

from shipmend.catalog.queries import Place, Tenant
from shipmend.core.moments import DateOrder
from shipmend.core.values import ResourcePath
from shipmend.core.windows import Interval
from shipmend.web.filters import DaysFilter, ReleaseFilter
from shipmend.web.windows import DAYS, PRESETS, Picker, read_picker

TODAY = date(2026, 3, 10)
NOW = int(datetime(2026, 3, 10, 3, 30, tzinfo=UTC).timestamp())
days = st.dates(date(1970, 1, 1), date(2099, 12, 31))


def picker(address: str = "", zone: str = "UTC", environments: tuple[str, ...] = (), now: int = NOW) -> Picker:
    place = Place(Tenant(uuid4(), "e", zone, DateOrder.NONE), ResourcePath("e"))
    return read_picker(QueryDict(address.lstrip("?")), place, environments, now, extras=("by",))


def test_the_usual_window_is_the_last_thirty_days_on_the_clocks_of_the_entity() -> None:
    usual = picker().window
    assert (usual.last, usual.days) == (TODAY, DAYS)
    assert picker(zone="America/New_York").window.last == TODAY - timedelta(days=1)
    assert picker().query == ""


@given(days, days)
@settings(deadline=None)
def test_days_are_shown_as_given_and_their_address_leads_back_to_them(one: date, other: date) -> None:
    first, last = sorted([one, other])
    seen = picker(f"start_date={first}&end_date={last}")
    if (last - first).days < 10_000:
        assert (seen.window.first, seen.window.last) == (first, last)
        assert picker(seen.query).window == seen.window
    else:
        assert "start_date" in seen.form.errors
        assert seen.window.days == DAYS


@given(days, st.integers(0, 400))
@settings(deadline=None)
def test_earlier_later_and_wider_windows_are_what_they_say(first: date, more: int) -> None:
    last = min(first + timedelta(days=more), date(2099, 12, 31))
    seen = picker(f"start_date={first}&end_date={last}")
    if seen.earlier and seen.window.first - timedelta(days=seen.window.days) >= date(1970, 1, 1):
        assert picker(seen.earlier.address).window == seen.window.previous
    if seen.later:
        after = picker(seen.later.address).window
        assert after.days == seen.window.days
        assert after.first > seen.window.first
    assert (seen.later is None) == (seen.window.last >= TODAY)
    if seen.wider:
        wide = picker(seen.wider.address).window
        assert wide.first <= seen.window.first
        assert wide.last >= seen.window.last
        assert wide.days > seen.window.days


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_moves_with_the_day(preset: int) -> None:
    choice = next(choice for choice in picker().presets if choice.label == f"{preset} days")
    later = picker(choice.address, now=NOW + 5 * 86400)
    assert (later.window.days, later.window.last) == (preset, TODAY + timedelta(days=5))
    assert [each.label for each in later.presets if each.is_current] == [f"{preset} days"]


def test_what_else_the_address_says_goes_along() -> None:
    seen = picker("days=90&environment=staging&interval=weekly&by=severity&page=3", environments=("staging",))
    assert (seen.environment, seen.interval) == ("staging", Interval.WEEKLY)
    assert seen.earlier
    for address in (seen.earlier.address, *(choice.address for choice in seen.presets)):
        query = QueryDict(address.lstrip("?"))
        assert (query["environment"], query["interval"], query["by"]) == ("staging", "weekly", "severity")
        assert "page" not in query
    assert QueryDict(seen.narrowed(by="").lstrip("?")).get("by") is None
    assert "by" not in QueryDict(seen.query.lstrip("?"))


@pytest.mark.parametrize(
    ("address", "field"),
    [
        ("start_date=2026-02-30", "start_date"),
        ("start_date=2026-03-02&end_date=2026-03-01", "end_date"),
        ("start_date=1970-01-01&end_date=2099-12-31", "start_date"),
        ("interval=hourly", "interval"),
        ("interval=daily&days=3000", "interval"),
        ("environment=no-such", "environment"),
        ("days=0", "days"),
        ("days=x", "days"),
    ],
)
def test_what_can_not_be_read_is_told_at_its_field_and_something_is_shown(address: str, field: str) -> None:
    seen = picker(address)
    assert field in seen.form.errors
    assert len(seen.window.parts(seen.interval)) <= 400
    assert seen.environment == "production"


@given(days, days)
@settings(deadline=None)
def test_the_lists_are_asked_for_the_same_days_and_lead_back_to_them(one: date, other: date) -> None:
    first, last = sorted([one, other])
    seen = picker(f"start_date={first}&end_date={last}&environment=staging", environments=("production", "staging"))
    defects = DaysFilter(QueryDict(seen.defects_query.lstrip("?")), ZoneInfo("UTC"))
    releases = ReleaseFilter(QueryDict(seen.releases_query.lstrip("?")), ["staging"], ZoneInfo("UTC"))
    assert releases.narrowing.environment == "staging"
    for listed in (defects, releases):
        if "start_date" in seen.form.errors:
            assert not listed.query
            continue
        assert (listed.narrowing.start, listed.narrowing.end) == (seen.window.start, seen.window.end)
        assert picker(listed.query).window == seen.window


def test_the_lists_are_not_narrowed_to_the_usual_window() -> None:
    assert (picker().defects_query, picker().releases_query) == ("", "")
    assert picker("days=90").defects_query == "?start_date=2025-12-11&end_date=2026-03-10"

"""The date reader beside dateutil and dateparser: where all three read a text, they agree or the case is listed.

Both are used with care, as somebody would who knows their traps: dateutil twice with other defaults, so that a part
filled in from today shows, and with the US zones; dateparser strict, in English, in UTC.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import dateparser
import pytest
from dateutil import parser as dateutil_parser
from hypothesis import given, settings
from hypothesis import strategies as st

from shipmend.core.moments import DateOrder, UnreadableMoment, read_moment
from tests.core.moments_corpus import NOW, READ, REFUSED
from tests.core.moments_formats import WITH_OFFSET, WITHOUT_OFFSET, Format

UTC_ZONE = ZoneInfo("UTC")
US_ZONES = {"EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7, "CET": 1}
OFFSETS = {name: hours * 3600 for name, hours in US_ZONES.items()}
DEFAULTS = (datetime(1971, 1, 1, tzinfo=UTC), datetime(1972, 2, 2, tzinfo=UTC))

DAY_FIRST = "both read D-M-YYYY month first; the contract's 20-12-1990 is day first"
EAST = "dateutil reads the sign of UTC+2 and GMT-0800 the wrong way round"
NO_ZONE = "dateutil drops a zone it does not know"
MOSCOW = "dateutil drops MSK, dateparser has not heard that it was +0400 from 2011 to 2014"
DISAGREED = {
    "03.02.2021 14:40:15 CET": DAY_FIRST,
    "3-12-2021": DAY_FIRST,
    "3.2.2021": DAY_FIRST,
    "03-02-2021 14:40": DAY_FIRST,
    "Feb 3, 2021, 2:40 PM GMT+1": EAST,
    "Wednesday 3 February 2021, 14:40 UTC+1": EAST,
    "2021-02-03 14:40 UTC+2": EAST,
    "2021-02-03 14:40 GMT-0800": EAST,
    "2021-02-03 14:40 AEDT": NO_ZONE,
    "2021-02-03 14:40 JST": NO_ZONE,
    "2021-02-03 14:40 MSK": NO_ZONE,
    "2012-02-03 14:40 MSK": MOSCOW,
}
DISAGREED_FORMATS = {"day first": DAY_FIRST, "German": DAY_FIRST, "US, UTC+1": EAST}


@pytest.fixture(autouse=True)
def _quiet_oracles() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the oracles warn of their own old age and of zones they drop
        yield


def ours(text: str) -> int | None:
    try:
        return read_moment(text, zone=UTC_ZONE, date_order=DateOrder.NONE, now=NOW).epoch
    except UnreadableMoment:
        return None


def by_dateutil(text: str) -> int | None:
    try:
        one, other = (dateutil_parser.parse(text, default=default, tzinfos=OFFSETS) for default in DEFAULTS)
    except (ValueError, OverflowError, TypeError, AttributeError):
        return None
    return int(one.timestamp() // 1) if one == other else None


def by_dateparser(text: str) -> int | None:
    wanted = {"STRICT_PARSING": True, "TIMEZONE": "UTC", "RETURN_AS_TIMEZONE_AWARE": True}
    found = dateparser.parse(text, languages=["en"], settings=wanted)
    return int(found.timestamp() // 1) if found else None


def readings(text: str) -> set[int]:
    """What the readers made of it, or nothing when one of the three refused."""
    found = (ours(text), by_dateutil(text), by_dateparser(text))
    return {epoch for epoch in found if epoch is not None} if None not in found else set()


def test_all_three_readers_agree_or_the_reason_is_known() -> None:
    disagreed = {row[0] for row in READ if len(readings(row[0])) > 1}
    assert disagreed == set(DISAGREED)


def test_the_oracles_read_enough_of_the_corpus_to_be_worth_asking() -> None:
    assert sum(bool(readings(row[0])) for row in READ) >= 75


def test_what_the_oracles_read_and_we_refuse_shows_why_we_refuse() -> None:
    """None of these is a fault of ours: each has two readings, no such day or weekday, or lies out of range."""
    swallowed = [text for text, *_ in REFUSED if by_dateutil(text) is not None and by_dateparser(text) is not None]
    assert {"3/4/2021", "2021-02-03 14:40 IST", "2021-02-03 14:40 GMT+0100 (PST)", "3th February 2021"} <= set(
        swallowed
    )
    assert all(ours(text) is None for text in swallowed)


@pytest.mark.parametrize(
    ("name", "form"), [pair for pair in (WITH_OFFSET | WITHOUT_OFFSET).items() if pair[0] not in DISAGREED_FORMATS]
)
@given(epoch=st.integers(1_000_000_000, NOW), zone=st.sampled_from(["UTC", "Europe/Berlin", "Asia/Kolkata"]))
@settings(max_examples=15, deadline=None)
def test_all_three_readers_agree_on_what_programs_print(name: str, form: Format, epoch: int, zone: str) -> None:
    text = form.text(datetime.fromtimestamp(epoch, ZoneInfo(zone)))
    assert len(readings(text)) <= 1, name


@pytest.mark.parametrize("name", DISAGREED_FORMATS)
def test_a_listed_disagreement_still_exists(name: str) -> None:
    form = (WITH_OFFSET | WITHOUT_OFFSET)[name]
    wall = datetime(2021, 2, 3, 14, 40, 15, tzinfo=ZoneInfo("Europe/Berlin"))
    assert len(readings(form.text(wall))) > 1

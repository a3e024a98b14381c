"""The date reader against instants, zones and texts that nobody chose."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from shipmend.core.moments import DateOrder, Moment, UnreadableMoment, iso, read_moment
from tests.core.moments_corpus import NOW, READ
from tests.core.moments_formats import WITH_OFFSET, WITHOUT_OFFSET, Format

UTC_ZONE = ZoneInfo("UTC")
BLANKS = " \t\r\n\N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}"
LAST = NOW + 86_400
# Ten digits from 2001-09-09 on: the stamps of before are told apart from calendar digits, or refused.
TEN_DIGITS = 1_000_000_000

instants = st.integers(TEN_DIGITS, LAST)
zones = st.sampled_from(sorted(available_timezones() - {"localtime", "Factory"})).map(ZoneInfo)
orders = st.sampled_from(list(DateOrder))


def read(text: str, zone: ZoneInfo = UTC_ZONE, order: DateOrder = DateOrder.NONE) -> Moment:
    return read_moment(text, zone=zone, date_order=order, now=NOW)


def attempt(text: str, zone: ZoneInfo, order: DateOrder) -> Moment | UnreadableMoment:
    try:
        return read(text, zone, order)
    except UnreadableMoment as refusal:
        return refusal


def seconds(offset: timedelta | None) -> int:
    assert offset is not None
    return int(offset.total_seconds())


@pytest.mark.parametrize("form", WITH_OFFSET.values(), ids=WITH_OFFSET.keys())
@given(epoch=instants, theirs=zones, ours=zones, order=orders)
@settings(max_examples=60, deadline=None)
def test_what_a_program_prints_with_its_offset_reads_back_as_the_same_instant(
    form: Format, epoch: int, theirs: ZoneInfo, ours: ZoneInfo, order: DateOrder
) -> None:
    wall = datetime.fromtimestamp(epoch, theirs)
    assert read(form.text(wall), ours, order).epoch == epoch


@pytest.mark.parametrize("form", WITHOUT_OFFSET.values(), ids=WITHOUT_OFFSET.keys())
@given(epoch=st.integers(86_400, LAST), zone=zones, order=orders)
@settings(max_examples=60, deadline=None)
def test_what_a_program_prints_without_an_offset_reads_back_in_the_zone_it_ran_in(
    form: Format, epoch: int, zone: ZoneInfo, order: DateOrder
) -> None:
    wall = datetime.fromtimestamp(epoch, zone)
    wall = wall.replace(second=0 if form.in_minutes else wall.second)
    moment = read(form.text(wall), zone, order)
    expected = int(wall.replace(fold=0).timestamp())
    assert (moment.epoch, moment.offset) == (expected, seconds(wall.replace(fold=0).utcoffset()))


@given(epoch=st.integers(86_400, LAST), zone=zones)
@settings(max_examples=300, deadline=None)
def test_a_wall_clock_with_a_zones_name_reads_back_as_its_first_showing(epoch: int, zone: ZoneInfo) -> None:
    wall = datetime.fromtimestamp(epoch, zone).replace(fold=0)
    assume(zone.key not in {"EST", "MST", "HST", "CET", "EET", "WET", "MET"})
    for text in (f"{wall:%Y-%m-%d %H:%M:%S} {zone.key}", f"{wall:%b %d, %Y %I:%M:%S %p} [{zone.key.lower()}]"):
        assert read(text).epoch == int(wall.timestamp())


@given(epoch=st.integers(86_400, NOW - 86_400), zone=zones)
@settings(max_examples=300, deadline=None)
def test_a_time_that_the_clocks_skip_moves_forward_by_what_they_skip(epoch: int, zone: ZoneInfo) -> None:
    """RFC 5545 by another road: the reading on the zone's own clock is the text plus the width of the gap."""
    naive = datetime.fromtimestamp(epoch, UTC).replace(tzinfo=None)
    before, after = (seconds(naive.replace(tzinfo=zone, fold=fold).utcoffset()) for fold in (0, 1))
    shown = datetime.fromtimestamp(read(f"{naive:%Y-%m-%d %H:%M:%S}", zone).epoch, zone).replace(tzinfo=None)
    assert shown - naive == timedelta(seconds=max(0, after - before))


@given(epoch=st.integers(2 * 86_400, NOW), zone=zones)
@settings(max_examples=300, deadline=None)
def test_a_day_is_the_start_of_that_day_where_the_entity_lives(epoch: int, zone: ZoneInfo) -> None:
    day = datetime.fromtimestamp(epoch, UTC).date()
    start = read(day.isoformat(), zone)
    assert start.precision == "day"
    shown, before = (datetime.fromtimestamp(at, zone) for at in (start.epoch, start.epoch - 1))
    assert before.date() < day
    assert shown.date() == day or shown.hour == 0


@given(epoch=st.integers(0, LAST))
def test_the_iso_text_of_an_instant_reads_back(epoch: int) -> None:
    moment = read(iso(epoch))
    assert (moment.epoch, moment.as_iso()) == (epoch, iso(epoch))


PIECES = (
    *"2021 02 03 3 14 40 15 60 24 00 1612360815 1990 20210203 144015 99 - / . : , ; + T Z W @ ( ) [ ] # ' \" ~".split(),  # noqa: SIM905 - read as a line of text
    *"Feb February May Wed Wednesday Mon 1st 3rd of the at on noon midnight am PM p.m. ago now".split(),  # noqa: SIM905 - as above
    *"UTC GMT PST CST IST CET XYZ Europe/Berlin europe/london +0100 -08:00 +5 m=+0.1 US & Canada".split(),  # noqa: SIM905 - as above
    " ", "  ", "\t", "\N{NARROW NO-BREAK SPACE}", "\N{MINUS SIGN}", "é", "٣", "\x00", "\ud800",
)  # fmt: skip
edits = st.lists(
    st.tuples(st.integers(0, 40), st.integers(0, 2), st.sampled_from("0123456789:-/ .,+()[]TZapmCE")),
    min_size=1,
    max_size=3,
)


@st.composite
def damaged(draw: st.DrawFn) -> str:
    """A text that is read, with a few characters taken out or put in."""
    text = draw(st.sampled_from(READ))[0]
    for position, removed, character in draw(edits):
        text = text[:position] + character * (removed != 1) + text[position + min(removed, 1) :]
    return text


texts = st.one_of(
    damaged(),
    st.text(max_size=120),
    st.text(alphabet="0123456789-/:. TZ+apm", max_size=30),
    st.lists(st.sampled_from(PIECES), max_size=14).map("".join),
    st.lists(st.sampled_from(PIECES), max_size=10).map(" ".join),
)


@given(text=texts, zone=zones, order=orders)
@settings(max_examples=1200, deadline=None)
def test_any_text_is_a_moment_in_range_or_refused_in_words(text: str, zone: ZoneInfo, order: DateOrder) -> None:
    outcome = attempt(text, zone, order)
    if isinstance(outcome, UnreadableMoment):
        assert outcome.because
        assert outcome.mend
    else:
        assert 0 <= outcome.epoch <= LAST
        assert -12 * 3600 <= outcome.offset <= 15 * 3600
        assert outcome.text == text.strip(BLANKS)
        assert outcome.wall_clock()
        assert read(outcome.as_iso()).epoch == outcome.epoch


@given(row=st.sampled_from(READ), data=st.data())
@settings(max_examples=200, deadline=None)
def test_letter_case_and_doubled_spaces_change_nothing(
    row: tuple[str, int, float, str, str], data: st.DataObject
) -> None:
    text = row[0]
    changed = data.draw(st.sampled_from([text.upper(), text.lower(), text.title(), text.replace(" ", "   ")]))
    assume(len(changed) <= 100)
    assert read(changed).epoch == row[1]


@given(row=st.sampled_from(READ), junk=st.sampled_from(["x", "!", "0 0", "?", "foo bar", "2021-02-03", "/1", "é"]))
@settings(max_examples=200, deadline=None)
def test_nothing_may_follow_a_text_that_is_read(row: tuple[str, int, float, str, str], junk: str) -> None:
    for text in (f"{row[0].strip()} {junk}", f"{junk} {row[0].strip()}"):
        with pytest.raises(UnreadableMoment):
            read(text)

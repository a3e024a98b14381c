"""The date reader, case by case: what it must read, what it must refuse and in which words."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from shipmend.core.errors import Invalid
from shipmend.core.moments import DateOrder, Moment, UnreadableMoment, iso, read_moment
from tests.core.moments_corpus import NOW, READ, REFUSED, at

UTC = ZoneInfo("UTC")


def read(text: str, zone: str = "UTC", order: DateOrder = DateOrder.NONE, now: int = NOW) -> Moment:
    return read_moment(text, zone=ZoneInfo(zone), date_order=order, now=now)


@pytest.mark.parametrize(("text", "epoch", "hours", "shape", "precision"), READ, ids=[row[0] for row in READ])
def test_a_known_form_is_read_as_the_instant_worked_out_by_hand(
    text: str, epoch: int, hours: float, shape: str, precision: str
) -> None:
    moment = read(text)
    assert (moment.epoch, moment.offset) == (epoch, hours * 3600)
    assert (moment.shape, moment.precision) == (shape, precision)
    assert moment.text == text.strip()


@pytest.mark.parametrize(("text", "because", "mend"), REFUSED, ids=[repr(row[0]) for row in REFUSED])
def test_anything_else_is_refused_with_the_reason_and_what_to_write(text: str, because: str, mend: str) -> None:
    with pytest.raises(UnreadableMoment) as refusal:
        read(text)
    assert because in refusal.value.because
    assert mend in refusal.value.mend


def test_the_phrases_of_a_refusal_make_one_sentence_with_the_parameter_and_the_value() -> None:
    with pytest.raises(UnreadableMoment) as refusal:
        read("3/4/2021")
    sentence = str(Invalid("released_at", refusal.value.because, mend=refusal.value.mend, value="3/4/2021"))
    assert sentence == ('released_at "3/4/2021" could be 3 April or 4 March 2021: write 2021-04-03 or 2021-03-04.')


@pytest.mark.parametrize("row", REFUSED, ids=[repr(row[0]) for row in REFUSED])
def test_no_phrase_of_a_refusal_ends_the_sentence_it_is_put_into(row: tuple[str, str, str]) -> None:
    with pytest.raises(UnreadableMoment) as refusal:
        read(row[0])
    for phrase in (refusal.value.because, refusal.value.mend):
        assert phrase == phrase.strip()
        assert not phrase.endswith((".", ":"))
        assert phrase[0].islower()


@pytest.mark.parametrize(
    ("order", "wall"),
    [(DateOrder.DAY_FIRST, "2021-04-03 00:00:00"), (DateOrder.MONTH_FIRST, "2021-03-04 00:00:00")],
)
def test_the_entity_decides_a_slashed_date_that_could_be_read_two_ways(order: DateOrder, wall: str) -> None:
    assert read("3/4/2021", order=order).epoch == at(wall)


@pytest.mark.parametrize("order", list(DateOrder))
@pytest.mark.parametrize(
    ("text", "wall"),
    [
        ("13/4/2021", "2021-04-13 00:00:00"),
        ("4/13/2021", "2021-04-13 00:00:00"),
        ("4/4/2021", "2021-04-04 00:00:00"),
        ("03-04-2021", "2021-04-03 00:00:00"),
        ("3.4.2021", "2021-04-03 00:00:00"),
        ("2021/04/03", "2021-04-03 00:00:00"),
    ],
)
def test_the_entity_does_not_decide_what_has_one_reading(order: DateOrder, text: str, wall: str) -> None:
    assert read(text, order=order).epoch == at(wall)


def test_a_text_without_a_zone_is_read_in_the_zone_of_the_entity() -> None:
    moment = read("May 25, 2021 at 4:20pm", zone="America/Los_Angeles")
    assert (moment.epoch, moment.offset) == (at("2021-05-25 16:20:00", -7), -7 * 3600)


def test_a_day_without_a_time_starts_when_the_entitys_day_starts() -> None:
    assert read("20-12-1990", zone="Asia/Tokyo").epoch == at("1990-12-20 00:00:00", 9)
    # Beirut's clocks went from 00:00 to 01:00 that night: the day began at one.
    assert read("2021-03-28", zone="Asia/Beirut").epoch == at("2021-03-28 01:00:00", 3)


def test_a_day_that_a_place_skipped_moves_forward() -> None:
    assert read("2011-12-30 12:00", zone="Pacific/Apia").epoch == at("2011-12-31 12:00:00", 14)


@pytest.mark.parametrize(
    ("zone", "text", "east"),
    [
        ("Asia/Kolkata", "2021-02-03 14:40:00 IST", 5.5),
        ("Asia/Jerusalem", "2021-02-03 14:40:00 IST", 2),
        ("Europe/Dublin", "2021-07-03 14:40:00 IST", 1),
        ("Europe/Dublin", "2021-02-03 14:40:00 IST", 1),
        ("Europe/London", "2021-07-03 14:40:00 BST", 1),
        ("America/Halifax", "2021-02-03 14:40:00 AST", -4),
        ("Pacific/Pago_Pago", "2021-02-03 14:40:00 SST", -11),
        ("Asia/Shanghai", "2021-02-03 14:40:00 CST", 8),
        ("Asia/Taipei", "2021-02-03 14:40:00 CST", 8),
        ("America/Havana", "2021-02-03 14:40:00 CST", -5),
        ("America/Havana", "2021-07-03 14:40:00 CDT", -4),
        ("America/Chicago", "2021-07-03 14:40:00 CST", -6),
        ("Europe/Berlin", "2021-07-03 14:40:00 CST", -6),
        ("Europe/Moscow", "2012-07-03 14:40:00 MSK", 4),
        ("Europe/London", "2021-07-03 14:40:00 GMT", 0),
    ],
)
def test_an_abbreviation_means_what_it_means_where_the_entity_lives(zone: str, text: str, east: float) -> None:
    assert read(text, zone=zone).epoch == at(text, east)


def test_an_abbreviation_of_another_country_stays_unclear_where_the_entity_lives() -> None:
    with pytest.raises(UnreadableMoment, match="India"):
        read("2021-02-03 14:40 IST", zone="Europe/London")


def test_a_skipped_time_is_echoed_as_the_caller_wrote_it() -> None:
    assert read("2021-03-28 02:30", zone="Europe/Berlin").wall_clock() == "Mar 28, 2021 2:30am"


def test_every_minute_of_the_day_is_read_on_both_clocks() -> None:
    for minute in range(24 * 60):
        hour, rest = divmod(minute, 60)
        texts = (f"{hour}:{rest:02}", f"{hour:02}:{rest:02}:59", f"{hour % 12 or 12}:{rest:02} {'ap'[hour // 12]}m")
        wanted = (0, 59, 0)
        start = at("2021-02-03 00:00:00") + minute * 60
        assert [read(f"2021-02-03 {text}").epoch - start for text in texts] == list(wanted)


def test_every_month_is_read_by_its_name_and_its_three_letters() -> None:
    names = "January February March April May June July August September October November December"
    for number, name in enumerate(names.split(), 1):
        for word in (name, name[:3], name[:3].upper() + "."):
            assert read(f"{word} 3, 2021").epoch == at(f"2021-{number:02}-03 00:00:00")


def test_every_weekday_is_read_by_its_spellings_and_must_be_the_right_one() -> None:
    spellings = ("Mon Monday", "Tue Tues Tuesday", "Wed Weds Wednesday", "Thu Thur Thurs Thursday", "Fri Friday")
    for day, words in enumerate((*spellings, "Sat Saturday", "Sun Sunday"), 1):
        for word in words.split():
            assert read(f"{word}, {day} Feb 2021").epoch == at(f"2021-02-{day:02} 00:00:00")
            with pytest.raises(UnreadableMoment, match="is a "):
                read(f"{word}, {day + 1} Feb 2021")


def test_every_day_has_one_right_ordinal() -> None:
    right = {1: "st", 2: "nd", 3: "rd", 21: "st", 22: "nd", 23: "rd", 31: "st"}
    for day in range(1, 32):
        for suffix in ("st", "nd", "rd", "th"):
            if suffix == right.get(day, "th"):
                assert read(f"March {day}{suffix}, 2021").epoch == at(f"2021-03-{day:02} 00:00:00")
            else:
                with pytest.raises(UnreadableMoment, match=f'says "{day}{suffix}"'):
                    read(f"March {day}{suffix}, 2021")


@pytest.mark.parametrize(
    ("text", "defect", "release"),
    [
        ("Jan 1, 2021 at 5:40pm PST", "Jan 1, 2021 5:40pm", "Jan 1 at 5:40 pm"),
        ("May 25, 2021 at 4:20pm", "May 25, 2021 4:20pm", "May 25 at 4:20 pm"),
        ("2021-12-31T23:05:59-08:00", "Dec 31, 2021 11:05pm", "Dec 31 at 11:05 pm"),
        ("2021-06-09T00:07:00+14:00", "Jun 9, 2021 12:07am", "Jun 9 at 12:07 am"),
        ("2021-06-09T12:00:00Z", "Jun 9, 2021 12:00pm", "Jun 9 at 12:00 pm"),
        ("20-12-1990", "Dec 20, 1990 12:00am", "Dec 20 at 12:00 am"),
        ("1612360815 +0100", "Feb 3, 2021 3:00pm", "Feb 3 at 3:00 pm"),
    ],
)
def test_the_callers_own_wall_clock_is_echoed_as_in_the_contract(text: str, defect: str, release: str) -> None:
    assert (read(text).wall_clock(), read(text).wall_clock_release()) == (defect, release)


def test_an_instant_is_written_in_iso_8601_and_utc() -> None:
    assert read("Jan 1, 2021 at 5:40pm PST").as_iso() == "2021-01-02T01:40:00Z"
    assert [iso(0), iso(-1), iso(253402300799)] == [
        "1970-01-01T00:00:00Z",
        "1969-12-31T23:59:59Z",
        "9999-12-31T23:59:59Z",
    ]

"""From the parts of a matched shape to year, month and day, or to the reason why they name no one day."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from shipmend.core.moments.clock import Groups
from shipmend.core.moments.days import check_suffix, day_number, in_words, month_number
from shipmend.core.moments.moment import DateOrder, UnreadableMoment

YearMonthDay = tuple[int, int, int]
ReadDate = Callable[[Groups, DateOrder], YearMonthDay]

_MONTHS = 12
_CENTURY_TURNS_AT = 50
_SHORT = 2


def numbers(groups: Groups, _order: DateOrder) -> YearMonthDay:
    """Groups `y`, `mo`, `d`: nothing to decide."""
    return _int(groups, "y"), _int(groups, "mo"), _int(groups, "d")


def day_first(groups: Groups, order: DateOrder) -> YearMonthDay:
    """D-M-YYYY and D.M.YYYY: day first whatever the entity's setting, as the contract's 20-12-1990 has it."""
    year, month, day = numbers(groups, order)
    if month > _MONTHS >= day:
        mend = f"write {year}-{day:02}-{month:02} if that is the day meant"
        raise UnreadableMoment(f"is read day first and has no month {month}", mend)
    return year, month, day


def slashes(groups: Groups, order: DateOrder) -> YearMonthDay:
    """A/B/YYYY: decided by the numbers where they can, else by the entity's setting, else refused."""
    first, second, year = _int(groups, "a"), _int(groups, "b"), _int(groups, "y")
    if first > _MONTHS:
        return year, second, first
    if second > _MONTHS or first == second or order is DateOrder.MONTH_FIRST:
        return year, first, second
    if order is DateOrder.DAY_FIRST:
        return year, second, first
    day_number(year, first, second)
    one, other = in_words(year, second, first), in_words(year, first, second)
    mend = f"write {year}-{second:02}-{first:02} or {year}-{first:02}-{second:02}"
    raise UnreadableMoment(f"could be {one.removesuffix(f' {year}')} or {other}", mend)


def named(groups: Groups, _order: DateOrder) -> YearMonthDay:
    """Groups `y`, `mon` (a name), `d`, and `suffix` for 1st, 2nd, 3rd."""
    day, suffix = _int(groups, "d"), groups.get("suffix")
    if suffix:
        check_suffix(day, suffix)
    return _int(groups, "y"), month_number(groups["mon"] or ""), day


def short_year(groups: Groups, order: DateOrder) -> YearMonthDay:
    """As `named`, the year with two digits or four. RFC 5322 section 4.3: from 50 on, the last century."""
    year, month, day = named(groups, order)
    if len(groups["y"] or "") == _SHORT:
        year += 1900 if year >= _CENTURY_TURNS_AT else 2000
    return year, month, day


def week_date(groups: Groups, _order: DateOrder) -> YearMonthDay:
    """ISO 8601 week dates: 2021-W05-3."""
    year, week, weekday = _int(groups, "y"), _int(groups, "week"), _int(groups, "wday")
    day_number(year, 1, 1)
    try:
        day = date.fromisocalendar(year, week, weekday)
    except ValueError:
        raise UnreadableMoment(f"has no day {weekday} of week {week}", "write the date as year-month-day") from None
    return day.year, day.month, day.day


def ordinal_date(groups: Groups, _order: DateOrder) -> YearMonthDay:
    """ISO 8601 ordinal dates: 2021-034."""
    year, number = _int(groups, "y"), _int(groups, "number")
    day_number(year, 1, 1)
    day = date.fromordinal(date(year, 1, 1).toordinal() + number - 1)
    if day.year != year:
        raise UnreadableMoment(f"has no day {number} of the year {year}", "write the date as year-month-day")
    return day.year, day.month, day.day


def _int(groups: Groups, name: str) -> int:
    return int(groups[name] or 0)

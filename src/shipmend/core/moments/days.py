"""Days of the calendar: names, lengths, and the sentences for days that do not exist."""

from __future__ import annotations

from calendar import monthrange
from datetime import date

from shipmend.core.moments.moment import UnreadableMoment

FIRST_YEAR, LAST_YEAR = 1970, 2099
MONTH_NAMES = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
WEEKDAY_NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

MONTHS = {name.lower(): n for n, name in enumerate(MONTH_NAMES, 1)}
MONTHS |= {name[:3].lower(): n for n, name in enumerate(MONTH_NAMES, 1)} | {"sept": 9}
WEEKDAYS = {name.lower(): n for n, name in enumerate(WEEKDAY_NAMES)}
WEEKDAYS |= {name[:3].lower(): n for n, name in enumerate(WEEKDAY_NAMES)}
WEEKDAYS |= {"tues": 1, "weds": 2, "thur": 3, "thurs": 3}

_EPOCH_DAY = date(1970, 1, 1).toordinal()
_SUFFIXES = {1: "st", 2: "nd", 3: "rd", 21: "st", 22: "nd", 23: "rd", 31: "st"}


def in_words(year: int, month: int, day: int) -> str:
    """`3 April 2021`: the form that no reader takes for another day."""
    return f"{day} {MONTH_NAMES[month - 1]} {year}"


def day_number(year: int, month: int, day: int) -> int:
    """Days since 1970-01-01. UnreadableMoment when there is no such day, or the year is out of range."""
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise UnreadableMoment(f"is in the year {year:04}, outside {FIRST_YEAR} to {LAST_YEAR}", "correct the year")
    try:
        return date(year, month, day).toordinal() - _EPOCH_DAY
    except ValueError:
        raise _no_such_day(year, month, day) from None


def _no_such_day(year: int, month: int, day: int) -> UnreadableMoment:
    if not 1 <= month <= 12:
        swapped = 1 <= day <= 12 < month <= 31
        mend = f"write year, month, day: {year}-{day:02}-{month:02}" if swapped else "write a month from 1 to 12"
        return UnreadableMoment(f"has no month {month}", mend)
    last = monthrange(year, month)[1]
    name = MONTH_NAMES[month - 1]
    return UnreadableMoment(f"has no day {day}, as {name} {year} has {last} days", f"write a day from 1 to {last}")


def check_weekday(named: int | None, number: int) -> None:
    """Raise UnreadableMoment when the weekday that was named (0 = Monday) is not that of the day."""
    if named is None or named == (number + 3) % 7:
        return
    right = WEEKDAY_NAMES[(number + 3) % 7]
    day = date.fromordinal(number + _EPOCH_DAY)
    raise UnreadableMoment(
        f"says {WEEKDAY_NAMES[named]}, but {in_words(day.year, day.month, day.day)} is a {right}",
        f"write {right} or correct the date",
    )


def check_suffix(day: int, suffix: str) -> None:
    """Raise UnreadableMoment for `3th`: which of the two letters or the digit is wrong can't be known."""
    right = _SUFFIXES.get(day, "th")
    if suffix.lower() != right:
        raise UnreadableMoment(f'says "{day}{suffix}"', f"write {day}{right} or {day}")


def month_number(word: str) -> int:
    """The month's number for its English name or three-letter form. UnreadableMoment when it is neither."""
    number = MONTHS.get(word.lower())
    if number is None:
        raise UnreadableMoment(
            f'has "{word}" where an English month should be',
            "write a month's name, such as Feb, or its number",
        )
    return number

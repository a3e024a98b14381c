"""The closed list of shapes. Each is one regular expression without nested repetition, matched at the start.

What a shape leaves over is the zone, which `offsets` reads to its end: so a text is read whole or refused.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from shipmend.core.moments import dates
from shipmend.core.moments.clock import CLOCK, TIME, read_clock
from shipmend.core.moments.days import MONTHS, WEEKDAYS, check_weekday, day_number
from shipmend.core.moments.moment import DateOrder, Precision


class Written(NamedTuple):
    """A date and time as written, its zone still to be read.

    `day` counts from 1970-01-01, `seconds` from that day's midnight; `rest` is the text that holds the zone.
    """

    shape: str
    day: int
    seconds: int
    precision: Precision
    rest: str


class _Shape(NamedTuple):
    name: str
    pattern: re.Pattern[str]
    date: dates.ReadDate
    needs_weekday: bool = False


def _shape(name: str, pattern: str, date: dates.ReadDate, *, needs_weekday: bool = False) -> _Shape:
    return _Shape(name, re.compile(pattern, re.IGNORECASE | re.ASCII), date, needs_weekday)


_YEAR = r"(?P<y>[0-9]{4})(?![0-9])"
_DAY = r"(?P<d>[0-9]{1,2})"
_MONTH = r"(?P<mo>[0-9]{1,2})"
_MON = r"(?P<mon>[a-z]{3,9})"
_SUFFIX = r"(?P<suffix>st|nd|rd|th)?"
_YMD = r"(?P<y>[0-9]{4})-(?P<mo>[0-9]{2})-(?P<d>[0-9]{2})"
_YMD_BASIC = r"(?P<y>[0-9]{4})(?P<mo>[0-9]{2})(?P<d>[0-9]{2})"
_TIME_24 = r"(?P<h>[0-9]{2}):(?P<mi>[0-9]{2})(?::(?P<s>[0-9]{2}))?"
_HMS = r"(?P<h>[0-9]{2})(?P<c>[:-]?)(?P<mi>[0-9]{2})(?P=c)(?P<s>[0-9]{2})(?![0-9])"
_FRACTION = r"(?:[.,](?P<f>[0-9]{1,12}))?"
_TIME_BASIC = rf"(?P<h>[0-9]{{2}})(?:(?P<c>:?)(?P<mi>[0-9]{{2}})(?:(?P=c)(?P<s>[0-9]{{2}}){_FRACTION})?)?"
# RFC 822 names eight zones; Go writes whatever abbreviation its own zone has.
_MAIL_ZONE = r"(?= (?:[+-][0-9]{4}|UT|[a-z]{3,5})(?: \(|\Z))"

_ZONE_BETWEEN = r"(?: (?P<z>[a-z+-][a-z0-9_+:/-]*))?"

# Two-digit years are read only where a standard or a program writes them: RFC 822 and 850, and Jira.
_FROM_DIGIT = (
    _shape("iso", rf"{_YMD}(?![0-9_]){CLOCK}", dates.numbers),
    _shape("slashes", rf"(?P<a>[0-9]{{1,2}})/(?P<b>[0-9]{{1,2}})/{_YEAR}{CLOCK}", dates.slashes),
    _shape("year_first", rf"(?P<y>[0-9]{{4}})(?P<p>[-/.]){_MONTH}(?P=p){_DAY}(?![0-9_]){CLOCK}", dates.numbers),
    _shape("day_first", rf"{_DAY}(?P<p>[-.]){_MONTH}(?P=p){_YEAR}{CLOCK}", dates.day_first),
    _shape(
        "rfc2822",
        rf"{_DAY} (?P<mon>[a-z]{{3}}) (?P<y>[0-9]{{4}}|[0-9]{{2}}) {_TIME_24}{_MAIL_ZONE}",
        dates.short_year,
    ),
    _shape(
        "rfc850",
        rf"{_DAY}-(?P<mon>[a-z]{{3}})-(?P<y>[0-9]{{2}}) {_TIME_24}{_MAIL_ZONE}",
        dates.short_year,
        needs_weekday=True,
    ),
    _shape("clf", rf"{_DAY}/(?P<mon>[a-z]{{3}})/(?P<y>[0-9]{{4}}):{_TIME_24}", dates.named),
    _shape("jira", rf"{_DAY}/(?P<mon>[a-z]{{3}})/(?P<y>[0-9]{{2}})(?![0-9]){CLOCK}", dates.short_year),
    _shape("day_month", rf"{_DAY}{_SUFFIX}(?P<p>[ /-])(?:of )?{_MON}\.?,?(?P=p){_YEAR}{CLOCK}", dates.named),
    _shape("ctime", rf"{_DAY} {_MON} {TIME}{_ZONE_BETWEEN} {_YEAR}", dates.named),
    _shape("year_month_day", rf"{_YEAR}(?P<p>[ -]){_MON}(?P=p){_DAY}(?![0-9]){CLOCK}", dates.named),
    # Tags and directories are named so. They need the seconds: 20210203-0926 could end in an offset.
    _shape("file_name", rf"{_YMD_BASIC}[_-]{_HMS}", dates.numbers),
    _shape("file_name", rf"{_YMD}_{_HMS}", dates.numbers),
    _shape("iso_basic", rf"{_YMD_BASIC}(?![0-9_])(?:(?:(?P<t>T)| ){_TIME_BASIC})?", dates.numbers),
    _shape(
        "digits",
        rf"{_YMD_BASIC}(?P<h>[0-9]{{2}})(?P<mi>[0-9]{{2}})(?P<s>[0-9]{{2}})(?![0-9]){_FRACTION}",
        dates.numbers,
    ),
    _shape("iso_week", rf"(?P<y>[0-9]{{4}})-W(?P<week>[0-9]{{2}})-(?P<wday>[0-9])(?![0-9]){CLOCK}", dates.week_date),
    _shape(
        "iso_week",
        rf"(?P<y>[0-9]{{4}})W(?P<week>[0-9]{{2}})(?P<wday>[0-9])(?![0-9])(?:(?P<t>T){_TIME_BASIC})?",
        dates.week_date,
    ),
    _shape("iso_ordinal", rf"(?P<y>[0-9]{{4}})-(?P<number>[0-9]{{3}})(?![0-9]){CLOCK}", dates.ordinal_date),
)
_FROM_LETTER = (
    _shape("month_day", rf"{_MON}\.?[ -]{_DAY}{_SUFFIX}(?:, ?|[ -]){_YEAR}{CLOCK}", dates.named),
    _shape("ctime", rf"{_MON} {_DAY} {TIME}{_ZONE_BETWEEN} {_YEAR}", dates.named),
)

_WEEKDAY = re.compile(r"(?:(?!the )(?P<weekday>[a-z]{3,9})\.?,? )?(?:the )?", re.IGNORECASE | re.ASCII)
_NO_ZONE = "|".join(sorted({word[:3] for word in (*MONTHS, *WEEKDAYS)}))
_TIME_FIRST = re.compile(
    rf"(?:at )?{TIME}(?: (?P<z>[+-][0-9:]{{3,6}}|(?!{_NO_ZONE}|on |the )[a-z][a-z0-9_+/-]*))?,? (?:on )?",
    re.IGNORECASE | re.ASCII,
)


def read_shape(text: str, order: DateOrder) -> Written | None:
    """What `text` says, or None when it has none of the shapes.

    UnreadableMoment when it has one and names no such day or time, or could be read two ways.
    """
    bare = text[1:-1] if text[0] == "[" and text[-1] == "]" else text
    return _read_at(bare, 0, order) or _read_time_first(bare, order)


def _read_at(text: str, position: int, order: DateOrder) -> Written | None:
    weekday, position = _weekday(text, position)
    for shape in _FROM_DIGIT if text[position : position + 1].isdigit() else _FROM_LETTER:
        found = shape.pattern.match(text, position)
        if found and (weekday is not None or not shape.needs_weekday):
            return _written(shape, found, weekday, order)
    return None


def _weekday(text: str, position: int) -> tuple[int | None, int]:
    """The weekday that is named at the start (0 = Monday), and where the date begins."""
    found = None if text[position : position + 1].isdigit() else _WEEKDAY.match(text, position)
    if found is None or not found[0]:
        return None, position
    weekday = WEEKDAYS.get((found["weekday"] or "").lower())
    return (None, position) if found["weekday"] and weekday is None else (weekday, found.end())


def _written(shape: _Shape, found: re.Match[str], weekday: int | None, order: DateOrder) -> Written:
    groups = found.groupdict()
    day = day_number(*shape.date(groups, order))
    check_weekday(weekday, day)
    seconds, precision = read_clock(groups)
    rest = found.string[found.end() :]
    between = groups.get("z")
    return Written(shape.name, day, seconds, precision, f" {between}{rest}" if between else rest)


def _read_time_first(text: str, order: DateOrder) -> Written | None:
    """`14:40 CET, 3 Feb 2021`: a time, perhaps its zone, and one of the dates above without another time."""
    found = _TIME_FIRST.match(text)
    date = found and _read_at(text, found.end(), order)
    if not found or not date or date.precision is not Precision.DAY:
        return None
    seconds, precision = read_clock(found.groupdict())
    rest = f" {found['z']}{date.rest}" if found["z"] else date.rest
    return Written("time_first", date.day, seconds, precision, rest)

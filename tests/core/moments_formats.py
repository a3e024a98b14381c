"""Programs that print times, each written here anew: an instant in, the text that program would print out.

A format that names its zone or offset reads back wherever the entity lives; the others only where it lives.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import format_datetime
from time import asctime, gmtime
from typing import NamedTuple

Print = Callable[[datetime], str]

MONTHS = "January February March April May June July August September October November December".split()  # noqa: SIM905 - twelve words read better than twelve strings
WEEKDAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()  # noqa: SIM905 - as above


class Format(NamedTuple):
    """How a program prints an instant, and whether it leaves the seconds out."""

    text: Print
    in_minutes: bool = False


def _offset(wall: datetime, colon: str = "") -> str:
    offset = wall.utcoffset()
    assert offset is not None
    minutes = int(offset.total_seconds()) // 60
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}{colon}{abs(minutes) % 60:02}"


def _hms(wall: datetime) -> str:
    return f"{wall.hour:02}:{wall.minute:02}:{wall.second:02}"


def _twelve(wall: datetime) -> str:
    return f"{(wall.hour + 11) % 12 + 1}:{wall.minute:02}"


def _half(wall: datetime) -> str:
    return "AM" if wall.hour < 12 else "PM"


def _month(wall: datetime) -> str:
    return MONTHS[wall.month - 1]


def _weekday(wall: datetime) -> str:
    return WEEKDAYS[wall.weekday()]


def _ordinal(day: int) -> str:
    return f"{day}{'th' if day in (11, 12, 13) else {1: 'st', 2: 'nd', 3: 'rd'}.get(day % 10, 'th')}"


def _git(wall: datetime) -> str:
    return f"{_weekday(wall)[:3]} {_month(wall)[:3]} {wall.day} {_hms(wall)} {wall.year} {_offset(wall)}"


def _javascript(wall: datetime) -> str:
    day = f"{_weekday(wall)[:3]} {_month(wall)[:3]} {wall.day:02} {wall.year}"
    return f"{day} {_hms(wall)} GMT{_offset(wall)} (Some Standard Time)"


def _rfc850(wall: datetime) -> str:
    utc = wall.astimezone(UTC)
    return f"{_weekday(utc)}, {utc.day:02}-{_month(utc)[:3]}-{utc.year % 100:02} {_hms(utc)} GMT"


def _week(wall: datetime) -> str:
    year, week, day = wall.isocalendar()
    return f"{year}-W{week:02}-{day}T{_hms(wall)}{_offset(wall, ':')}"


def _go(wall: datetime) -> str:
    """Where a zone has no letters, Go prints its offset twice, the second time as short as it can."""
    offset = _offset(wall)
    return f"{wall:%Y-%m-%d} {_hms(wall)}.123456789 {offset} {offset.removesuffix('00')} m=+0.000012345"


WITH_OFFSET = {
    "iso": Format(lambda wall: wall.isoformat()),
    "iso with a fraction": Format(lambda wall: wall.isoformat(sep=" ", timespec="milliseconds")),
    "iso basic": Format(lambda wall: f"{wall:%Y%m%dT%H%M%S}{_offset(wall)}"),
    "iso week": Format(_week),
    "iso ordinal": Format(lambda wall: f"{wall:%Y-%jT}{_hms(wall)}{_offset(wall, ':')}"),
    "iso in UTC": Format(lambda wall: wall.astimezone(UTC).isoformat().replace("+00:00", "Z")),
    "mail": Format(format_datetime),
    "http": Format(lambda wall: format_datetime(wall.astimezone(UTC), usegmt=True)),
    "rfc 850": Format(_rfc850),
    "git": Format(_git),
    "git iso, Ruby": Format(lambda wall: f"{wall:%Y-%m-%d} {_hms(wall)} {_offset(wall)}"),
    "git raw": Format(lambda wall: f"{int(wall.timestamp())} {_offset(wall)}"),
    "Twitter": Format(
        lambda wall: f"{_weekday(wall)[:3]} {_month(wall)[:3]} {wall.day:02} {_hms(wall)} {_offset(wall)} {wall.year}"
    ),
    "JavaScript": Format(_javascript),
    "Go": Format(_go),
    "Apache": Format(lambda wall: f"[{wall.day:02}/{_month(wall)[:3]}/{wall.year}:{_hms(wall)} {_offset(wall)}]"),
    "Heroku": Format(lambda wall: f"{wall:%Y/%m/%d} {_hms(wall)} {_offset(wall)} (~ 15m ago)"),
    "Java": Format(lambda wall: f"{wall.isoformat()}[{wall.tzinfo}]"),
    "US, UTC+1": Format(
        lambda wall: (
            f"{_month(wall)[:3]} {wall.day}, {wall.year}, {_twelve(wall)}:{wall.second:02} {_half(wall)} "
            f"GMT{_offset(wall, ':')}"
        )
    ),
    "time first": Format(lambda wall: f"{_hms(wall)} {_offset(wall)}, {wall.day} {_month(wall)} {wall.year}"),
    "seconds": Format(lambda wall: str(int(wall.timestamp()))),
    "milliseconds": Format(lambda wall: f"{int(wall.timestamp())}987"),
    "microseconds": Format(lambda wall: f"{int(wall.timestamp())}987654"),
    ".NET JSON": Format(lambda wall: f"/Date({int(wall.timestamp())}987)/"),
}

WITHOUT_OFFSET = {
    "iso, bare": Format(lambda wall: f"{wall:%Y-%m-%d}T{_hms(wall)}"),
    "fourteen digits": Format(lambda wall: f"{wall:%Y%m%d%H%M%S}"),
    "C": Format(lambda wall: asctime(gmtime(int(wall.replace(tzinfo=UTC).timestamp())))),
    "US": Format(
        lambda wall: f"{_month(wall)} {wall.day}, {wall.year} at {_twelve(wall)}{_half(wall).lower()}", in_minutes=True
    ),
    "US with an ordinal": Format(
        lambda wall: (
            f"{_weekday(wall)}, {_month(wall)[:3]}. {_ordinal(wall.day)}, {wall.year} @ "
            f"{_twelve(wall)}:{wall.second:02} {_half(wall)[0].lower()}.m."
        )
    ),
    "British": Format(
        lambda wall: f"{_ordinal(wall.day)} {_month(wall)} {wall.year} {_twelve(wall)} {_half(wall)}", in_minutes=True
    ),
    "day first": Format(lambda wall: f"{wall.day}-{wall.month}-{wall.year} {_hms(wall)}"),
    "German": Format(lambda wall: f"{wall:%d.%m.%Y}, {_hms(wall)}"),
    "Jira": Format(
        lambda wall: f"{wall.day:02}/{_month(wall)[:3]}/{wall.year % 100:02} {_twelve(wall)} {_half(wall)}",
        in_minutes=True,
    ),
    "Oracle": Format(lambda wall: f"{wall.day:02}-{_month(wall)[:3].upper()}-{wall.year} {_hms(wall)}"),
    "systemd": Format(lambda wall: f"{_weekday(wall)[:3]} {wall:%Y-%m-%d} {_hms(wall)}"),
}

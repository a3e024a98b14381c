"""Unix time as programs print it: seconds to nanoseconds since 1970, git's raw form, .NET's JSON."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import datetime
from typing import NamedTuple

from shipmend.core.moments.days import FIRST_YEAR, LAST_YEAR
from shipmend.core.moments.moment import Precision, UnreadableMoment, either, iso
from shipmend.core.moments.offsets import numeric_offset

_SECONDS = re.compile(r"@?([1-9][0-9]{8,9})(\.[0-9]{1,9})?( [+-][0-9]{4})?")
_FINER = {
    "epoch_milliseconds": (re.compile(r"([1-9][0-9]{11,12})"), 1_000),
    "epoch_microseconds": (re.compile(r"([1-9][0-9]{15})"), 1_000_000),
    "epoch_nanoseconds": (re.compile(r"([1-9][0-9]{18})"), 1_000_000_000),
    "dotnet_json": (re.compile(r"\\?/Date\(([0-9]{12,13})(?:[+-][0-9]{4})?\)\\?/", re.IGNORECASE), 1_000),
}
_CALENDAR_DIGITS = 12
_CALENDAR_FORMS = ("%Y%m%d%H%M", "%d%m%Y%H%M", "%m%d%Y%H%M", "%y%m%d%H%M%S")


class Stamp(NamedTuple):
    """An instant that needs no zone to be read. `offset`: the seconds that were written beside it, else 0."""

    shape: str
    epoch: int
    offset: int
    precision: Precision


def read_stamp(text: str) -> Stamp | None:
    """The instant, or None when `text` is no Unix time; UnreadableMoment if it could be a date too."""
    found = _SECONDS.fullmatch(text)
    if found:
        digits, fraction, zone = found.groups()
        precision = Precision.FRACTION if fraction else Precision.SECOND
        offset = numeric_offset(zone) if zone else 0
        return Stamp("git_raw" if zone else "epoch_seconds", int(digits), offset, precision)
    for shape, (pattern, units) in _FINER.items():
        found = pattern.fullmatch(text)
        if found:
            epoch = int(found[1]) // units
            _refuse_calendar(text, epoch)
            return Stamp(shape, epoch, 0, Precision.FRACTION)
    return None


def _refuse_calendar(text: str, epoch: int) -> None:
    """Twelve digits may be a date and time: no guess between that and milliseconds of 1973 to 2001."""
    days = _in_calendar(text) if len(text) == _CALENDAR_DIGITS else []
    if days:
        because = f"could be {', '.join(days)} or, in milliseconds, {iso(epoch)}"
        raise UnreadableMoment(because, f"write {either([*days, str(epoch)])}")


def _in_calendar(text: str) -> list[str]:
    days = []
    for form in _CALENDAR_FORMS:
        with suppress(ValueError):
            day = datetime.strptime(text, form)  # noqa: DTZ007 - a wall clock, only to be shown
            if FIRST_YEAR <= day.year <= LAST_YEAR:
                days.append(day.isoformat(timespec="minutes"))
    return days

"""Time zones: the IANA list by name, and what a zone says about a wall clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from functools import cache, lru_cache
from zoneinfo import ZoneInfo, available_timezones

from shipmend.core.moments.moment import UnreadableMoment, either, wall_at

# Entries of the list that are for machines: `localtime` would mean another zone on another server.
_NO_ZONES = {"localtime", "Factory"}
_SOUGHT_CHARACTERS = 40


@cache
def _names() -> dict[str, str]:
    """Every IANA name under its lower case."""
    return {name.lower(): name for name in available_timezones() if name not in _NO_ZONES}


@lru_cache(maxsize=64)
def _load(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def find_zone(name: str) -> ZoneInfo | None:
    """The IANA zone of that name, in any case, or None."""
    found = _names().get(name.lower())
    return _load(found) if found else None


def open_zone(name: str) -> ZoneInfo:
    """The IANA zone of that name, in any case.

    UnreadableMoment when there is none; its `mend` names zones with nearly that name, or of that city.
    """
    zone = find_zone(name.strip())
    if zone is None:
        near = near_names(name) or ["a name such as Europe/Berlin", "America/New_York"]
        raise UnreadableMoment("is not a zone of the IANA list", f"write {either(near)}")
    return zone


def near_names(name: str) -> list[str]:
    """Up to three IANA names that a misspelt or shortened one may have meant."""
    sought, names = name.strip().lower().replace(" ", "_"), _names()
    exact = [names[key] for key in sorted(names) if key.endswith("/" + sought) or key.startswith(sought + "_")]
    if exact:
        return exact[:3]
    likely = [key for key in sorted(names) if key[:2] == sought[:2] or _city(key)[:2] == _city(sought)[:2]]
    return [names[key] for key in get_close_matches(sought[:_SOUGHT_CHARACTERS], likely, cutoff=0.85)]


def _city(name: str) -> str:
    return name.rpartition("/")[2]


def offset_in(zone: ZoneInfo, wall: int) -> int:
    """Seconds east of UTC when the zone's clocks show `wall` (seconds since 1970-01-01 00:00 on that clock).

    A time that a clock change repeats is its first showing. One that it skips is read at the offset before
    the change, which shifts it forward: RFC 5545, and `compatible` in ECMAScript's Temporal.
    """
    return _seconds(wall_at(wall).replace(tzinfo=zone).utcoffset())


def offset_at(zone: ZoneInfo, epoch: int) -> int:
    """Seconds east of UTC in the zone at an instant."""
    return _seconds(wall_at(epoch).replace(tzinfo=UTC).astimezone(zone).utcoffset())


def abbreviation_in(zone: ZoneInfo, word: str, wall: int) -> int | None:
    """The offset that an abbreviation (upper case) has on the zone's own clocks in that year, or None."""
    here = wall_at(wall).replace(tzinfo=zone)
    if str(here.tzname()).upper() == word:
        return _seconds(here.utcoffset())
    return _abbreviations(zone, here.year).get(word)


@lru_cache(maxsize=256)
def _abbreviations(zone: ZoneInfo, year: int) -> dict[str, int]:
    months = [datetime(year, month, 1, 12, tzinfo=zone) for month in range(1, 13)]
    return {str(month.tzname()).upper(): _seconds(month.utcoffset()) for month in months}


def _seconds(offset: timedelta | None) -> int:
    return int(offset.total_seconds()) if offset else 0

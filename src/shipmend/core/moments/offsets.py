"""The offset from UTC that is written behind a time.

Order of trust: a numeric offset; UTC; an IANA name; an abbreviation in use in the entity's own zone; the
eight US abbreviations of RFC 5322, taken literally (PST in July stays -0800); a short list that means one
thing all over the world. Everything else is refused. Where two are written (`+01:00[Europe/Berlin]`,
`-0800 (PST)`), they must agree.
"""

from __future__ import annotations

import re
from typing import NamedTuple
from zoneinfo import ZoneInfo

from shipmend.core.moments.abbreviations import AMBIGUOUS, ELSEWHERE, LITERAL, LONG_NAMES, UTC_NAMES
from shipmend.core.moments.moment import EXAMPLE, UnreadableMoment, either
from shipmend.core.moments.zones import (
    abbreviation_in,
    find_zone,
    near_names,
    offset_at,
    offset_in,
    open_zone,
)

_WESTMOST, _EASTMOST = -12 * 3600, 14 * 3600
_MOST_MARKS = 2
_NEAR_LETTERS = 4

_NAME = r"[a-z][a-z0-9_+/-]*"
_DIGITS = r"(?:(?P<hhmm>[0-9]{4})(?![0-9])|(?P<h>[0-9]{1,2})(?::(?P<m>[0-9]{2})(?::(?P<s>[0-9]{2}))?)?)"
_MARK = re.compile(
    rf" ?(?P<utc>UTC|GMT|UT)? ?(?P<sign>[+-]){_DIGITS}"
    r"| ?(?P<word>Z|UTC|GMT|UT)(?![a-z0-9_+/-])"
    rf"| (?P<long>{'|'.join(map(re.escape, LONG_NAMES))})"
    rf"| ?\[!?(?P<bracket>{_NAME})\]"
    r"| \((?P<comment>[^()]+)\)"
    rf"| (?P<name>{_NAME})",
    re.IGNORECASE | re.ASCII,
)
_LONG_NAMES = {name.lower(): zone for name, zone in LONG_NAMES.items()}
# What may stand in parentheses behind an offset and is not a zone known here: Heroku's age of a release, and
# the browsers' own words for a zone, in any language.
_REMARK = re.compile(r"~ ?[0-9]+[a-z]{1,2} ago|[^0-9~]+", re.IGNORECASE)
_LOST_PLUS = re.compile(r"(?: (?:UTC|GMT))? [0-9]{2}:?[0-9]{2}(?![0-9])", re.IGNORECASE)
# Go's Time.String adds its monotonic clock, which says nothing about the time of day.
_MONOTONIC = re.compile(r" m=[+-][0-9]+\.[0-9]+\Z", re.IGNORECASE)


class Place(NamedTuple):
    """Where the offset is wanted.

    `wall` is in seconds since 1970-01-01 00:00 on the caller's clock, `own` the zone of the entity.
    """

    wall: int
    own: ZoneInfo


class _Mark(NamedTuple):
    text: str
    offset: int | None
    zone: ZoneInfo | None = None
    is_remark: bool = False


def read_offset(text: str, place: Place) -> int:
    """Seconds east of UTC that `text`, all that follows the time, stands for; UnreadableMoment if unclear."""
    if text.strip().upper() in UTC_NAMES:
        return 0
    marks = _marks(_MONOTONIC.sub("", text))
    if not marks:
        return offset_in(place.own, place.wall)
    lead = next((mark for mark in marks if mark.offset is not None), marks[0])
    offset = lead.offset if lead.offset is not None else _offset_of(lead, place)
    for mark in marks:
        if mark is not lead and not _admits(mark, offset, place):
            raise _contradiction(lead, mark)
    return offset


def numeric_offset(text: str) -> int:
    """Seconds for a text that is known to be a numeric offset. UnreadableMoment when it is out of range."""
    return _marks(text)[0].offset or 0


def _seconds(found: re.Match[str]) -> int:
    hhmm = found["hhmm"]
    hours, minutes = (hhmm[:2], hhmm[2:]) if hhmm else (found["h"], found["m"] or "0")
    if len(hours) == 1 and not found["utc"] and not found["m"]:
        raise _trailing(found[0])
    size = int(hours) * 3600 + int(minutes) * 60 + int(found["s"] or 0)
    offset = -size if found["sign"] == "-" else size
    if max(int(minutes), int(found["s"] or 0)) > 59 or not _WESTMOST <= offset <= _EASTMOST:
        raise UnreadableMoment(
            f'has the offset "{found[0].strip()}", which no place on earth uses',
            "write an offset from -1200 to +1400",
        )
    return offset


def _marks(text: str) -> list[_Mark]:
    marks: list[_Mark] = []
    position = 0
    while position < len(text):
        found = _MARK.match(text, position)
        if found is None or len(marks) == _MOST_MARKS:
            raise _trailing(text)
        marks.append(_mark(found))
        position = found.end()
    return marks


def _mark(found: re.Match[str]) -> _Mark:
    if found["sign"]:
        return _Mark(found[0].strip(), _seconds(found))
    if found["long"]:
        return _Mark(found["long"], None, find_zone(_LONG_NAMES[found["long"].lower()]))
    name = found["word"] or found["bracket"] or found["name"] or found["comment"]
    if name.upper() in UTC_NAMES:
        return _Mark(name, 0)
    inner = _MARK.fullmatch(name) if found["comment"] else None
    if inner and inner["sign"]:
        return _mark(inner)
    # RFC 9557 and Java: what stands in brackets is the name of a zone.
    zone = find_zone(name) if found["bracket"] else _zone_called(name)
    return _Mark(name, None, zone, is_remark=found["comment"] is not None)


def _zone_called(name: str) -> ZoneInfo | None:
    """The IANA zone, unless the name is an abbreviation first: CET in July is +0100, the zone CET is not."""
    return None if name.upper() in LITERAL or name.upper() in AMBIGUOUS else find_zone(name)


def _offset_of(mark: _Mark, place: Place) -> int:
    """The offset when nothing but this mark tells it."""
    if mark.zone is not None:
        return offset_in(mark.zone, place.wall)
    word = mark.text.upper()
    known = _abbreviation(word, place)
    if known is None:
        raise _ambiguous(word) if word in AMBIGUOUS else _unknown(mark.text)
    return known


def _abbreviation(word: str, place: Place) -> int | None:
    own = abbreviation_in(place.own, word, place.wall)
    if own is None and word == "MSK":  # +0400 from 2011 to 2014, +0300 before and since
        own = abbreviation_in(open_zone("Europe/Moscow"), word, place.wall)
    return LITERAL.get(word) if own is None else own


def _admits(mark: _Mark, offset: int, place: Place) -> bool:
    """Whether the mark can stand beside that offset."""
    if mark.offset is not None:
        return mark.offset == offset
    if mark.zone is not None:
        return offset_at(mark.zone, place.wall - offset) == offset
    word = mark.text.upper()
    readings = {_abbreviation(word, place), *AMBIGUOUS.get(word, {}).values(), *ELSEWHERE.get(word, ())}
    if readings != {None}:
        return offset in readings
    if mark.is_remark and _REMARK.fullmatch(mark.text):
        return True
    raise _unknown(mark.text)


def _shown(offset: int) -> str:
    hours, minutes = divmod(abs(offset) // 60, 60)
    return f"{'-' if offset < 0 else '+'}{hours:02}{minutes:02}"


def _ambiguous(word: str) -> UnreadableMoment:
    readings = [f"{place} ({_shown(offset)})" for place, offset in AMBIGUOUS[word].items()]
    offsets = [_shown(offset) for offset in AMBIGUOUS[word].values()]
    return UnreadableMoment(
        f'names the zone "{word}", which could be {either(readings)}',
        f"write the offset instead: {either(offsets)}",
    )


def _unknown(name: str) -> UnreadableMoment:
    near = near_names(name) if len(name) >= _NEAR_LETTERS else []
    mend = f"write {either(near)}" if near else "write an offset such as +0100, or a zone such as Europe/Berlin"
    return UnreadableMoment(f'names the zone "{name}", which is not known', mend)


def _contradiction(lead: _Mark, other: _Mark) -> UnreadableMoment:
    return UnreadableMoment(
        f'says "{lead.text}" and "{other.text}", which contradict each other at that time',
        f"keep the one that is right, {lead.text} or {other.text}",
    )


def _trailing(text: str) -> UnreadableMoment:
    if _LOST_PLUS.match(text):
        return UnreadableMoment(
            f'goes on with "{text.strip()}", perhaps an offset whose + a form body turned into a space',
            "send the + as %2B, as curl does with --data-urlencode, or write the time in UTC with a Z",
        )
    return UnreadableMoment(f'goes on with "{text.strip()}", which is no time and no zone', f"write the form {EXAMPLE}")

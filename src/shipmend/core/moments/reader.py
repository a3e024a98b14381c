"""`read_moment`: bounds the text, has it read, and checks what came out against the clock."""

from __future__ import annotations

import re
from zoneinfo import ZoneInfo

from shipmend.core.moments.clock import DAY_SECONDS
from shipmend.core.moments.moment import EXAMPLE, DateOrder, Moment, Precision, UnreadableMoment, iso
from shipmend.core.moments.offsets import Place, read_offset
from shipmend.core.moments.refusals import excuse
from shipmend.core.moments.shapes import Written, read_shape
from shipmend.core.moments.stamps import Stamp, read_stamp

MOST_CHARACTERS = 100
AHEAD_SECONDS = 24 * 3600

# Browsers put a narrow no-break space before PM; typographers put a true minus before an offset.
_BLANKS = " \t\r\n\N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}"
_PLAIN = str.maketrans({"\N{NO-BREAK SPACE}": " ", "\N{NARROW NO-BREAK SPACE}": " ", "\N{MINUS SIGN}": "-"})
_SPACES = re.compile(" {2,}")
# A hyphen and digits behind a date alone: an hour to one reader, an offset to another.
_HOUR_OR_OFFSET = re.compile(r" ?-(?P<h>[0-9]{2}):?(?P<m>[0-9]{2})?")


def read_moment(text: str, *, zone: ZoneInfo, date_order: DateOrder, now: int | None) -> Moment:
    """The one moment that `text` names.

    `zone` is used when the text names none, `date_order` when A/B/YYYY could be both; `now`, in seconds since
    1970 UTC, serves only to refuse what lies more than 24 hours ahead, which None lets pass. UnreadableMoment for
    everything else.
    """
    trimmed = text.strip(_BLANKS)
    plain = _plain(trimmed)
    stamp = _stamp(plain, zone, date_order)
    _check_range(stamp.epoch, now)
    return Moment(stamp.epoch, stamp.offset, trimmed, stamp.shape, stamp.precision)


def _plain(text: str) -> str:
    """The text with plain spaces and hyphens, if it can be a date at all."""
    if not text:
        raise UnreadableMoment("is empty", f"write the form {EXAMPLE}")
    if len(text) > MOST_CHARACTERS:
        raise UnreadableMoment(f"is longer than {MOST_CHARACTERS} characters", f"write the form {EXAMPLE}")
    plain = text.translate(_PLAIN)
    if not (plain.isascii() and plain.isprintable()):
        _check_characters(plain)
    return _SPACES.sub(" ", plain) if "  " in plain else plain


def _check_characters(text: str) -> None:
    for character in text:
        if not character.isprintable():
            code = f"U+{ord(character):04X}"
            raise UnreadableMoment(f"holds the control or invisible character {code}", "send it without")
        if not character.isascii() and character.isdigit():
            raise UnreadableMoment(f'holds the digit "{character}"', "write it in the digits 0 to 9")


def _stamp(text: str, zone: ZoneInfo, order: DateOrder) -> Stamp:
    written = read_shape(text, order)
    if written is not None:
        return _placed(written, zone)
    stamp = read_stamp(text)
    if stamp is None:
        raise excuse(text)
    return stamp


def _placed(written: Written, zone: ZoneInfo) -> Stamp:
    if written.precision is Precision.DAY:
        _check_no_hour(written.rest)
    wall = written.day * DAY_SECONDS + written.seconds
    offset = read_offset(written.rest, Place(wall, zone))
    return Stamp(written.shape, wall - offset, offset, written.precision)


def _check_no_hour(rest: str) -> None:
    found = _HOUR_OR_OFFSET.fullmatch(rest)
    if found:
        time = f"{found['h']}:{found['m'] or '00'}"
        raise UnreadableMoment(
            f'ends in "{rest.strip()}", which could be a time or an offset', f"write T{time} or T00:00-{time}"
        )


def _check_range(epoch: int, now: int | None) -> None:
    if epoch < 0:
        raise UnreadableMoment("lies before 1970 in UTC", "correct the year")
    if now is not None and epoch > now + AHEAD_SECONDS:
        raise UnreadableMoment(
            f"is {iso(epoch)}, more than 24 hours ahead of this server's clock",
            "correct the date or the zone",
        )

"""Times of day as people and programs write them: `14:40`, `14:40:15.123`, `2:40 p.m.`, `8am`, `noon`."""

from __future__ import annotations

from collections.abc import Mapping

from shipmend.core.moments.moment import Precision, UnreadableMoment

DAY_SECONDS = 86_400
_NOON = 12

# The groups that `read_clock` asks for; `t` is the T of ISO 8601, behind which an hour may stand alone.
TIME = (
    r"(?:(?P<word>(?:12(?::00)? )?(?:noon|midnight))\b"
    r"|(?P<h>[0-9]{1,2})(?::(?P<mi>[0-9]{2})(?::(?P<s>[0-9]{2})(?:[.,](?P<f>[0-9]{1,12}))?)?)?"
    r"(?: ?(?P<half>[ap]\.?m\b\.?))?)"
)
CLOCK = rf"(?:(?:(?P<t>T)|,? (?:at |@ ?|- )?){TIME})?"

Groups = Mapping[str, str | None]


def read_clock(groups: Groups) -> tuple[int, Precision]:
    """Seconds since midnight (86,400 for 24:00), and how finely they were written; no time is 0."""
    word = groups.get("word")
    if word:
        return _named(word)
    if not groups.get("h"):
        return 0, Precision.DAY
    return _counted(groups)


def _named(word: str) -> tuple[int, Precision]:
    if word.lower().endswith("midnight"):
        raise UnreadableMoment(
            'says "midnight", which could be the start or the end of that day', "write 00:00 or 24:00"
        )
    return _NOON * 3600, Precision.MINUTE


def _counted(groups: Groups) -> tuple[int, Precision]:
    hour, minute, second = _hour(groups), int(groups["mi"] or 0), int(groups.get("s") or 0)
    if minute > 59 or second > 60:
        raise _no_such_time(f"minute {minute}" if minute > 59 else f"second {second}")
    fraction = groups.get("f")
    if hour > 24 or (hour == 24 and (minute or second or int(fraction or 0))):
        raise _no_such_time(f"hour {hour}" if hour > 24 else "time after 24:00")
    # A leap second is the second after it: Unix time does not count it.
    return hour * 3600 + minute * 60 + second, _precision(groups)


def _precision(groups: Groups) -> Precision:
    if groups.get("f"):
        return Precision.FRACTION
    return Precision.SECOND if groups.get("s") else Precision.MINUTE


def _hour(groups: Groups) -> int:
    hour, half = int(groups["h"] or 0), groups.get("half")
    if half:
        return _hour_of_twelve(hour, half[0].lower(), groups["mi"] or "00")
    if groups["mi"] is None and not groups.get("t"):
        raise UnreadableMoment(f"has the hour {hour} without minutes", f"write both with a colon, such as {hour:02}:00")
    return hour


def _hour_of_twelve(hour: int, half: str, minute: str) -> int:
    if hour > 23:
        raise _no_such_time(f"hour {hour}")
    if not 1 <= hour <= _NOON:
        meant = f"write {hour:02}:{minute} without am or pm"
        also = f", or {hour - _NOON}:{minute}{half}m" if hour > _NOON else ""
        raise UnreadableMoment(f"has the hour {hour} on a twelve-hour clock", meant + also)
    return hour % _NOON + (_NOON if half == "p" else 0)


def _no_such_time(what: str) -> UnreadableMoment:
    return UnreadableMoment(f"has the {what}, which no clock shows", "write a time from 00:00:00 to 24:00:00")

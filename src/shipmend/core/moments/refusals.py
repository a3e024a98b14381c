"""The words for a text that has none of the shapes: what it seems to be, and what to write instead."""

from __future__ import annotations

import re

from shipmend.core.moments.days import MONTHS, WEEKDAYS
from shipmend.core.moments.moment import EXAMPLE, UnreadableMoment

_WHOLE = f"write the whole date, such as {EXAMPLE}"
_NOW = f"for the time of the call send the parameter that ends in _now as true; for another time {_WHOLE}"
_DIGITS = (
    "write Unix time in seconds (9 or 10 digits), milliseconds (12 or 13), microseconds (16) or nanoseconds (19), "
    f"or a date such as {EXAMPLE}"
)

_MON = "(?:" + "|".join(sorted(MONTHS, key=len, reverse=True)) + r")\.?"
_DAY_NAME = "(?:" + "|".join(sorted(WEEKDAYS, key=len, reverse=True)) + r")\.?"
_DAY = "[0-9]{1,2}(?:st|nd|rd|th)?"
_SHORT_YEAR = r"'?[0-9]{2}(?![0-9:]| ?[ap]\.?m)"
_UNIT = "(?:s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|d|days?|w|weeks?|months?|y|years?)"

_RELATIVE = (
    r".*\b(?:now|today|tonight|yesterday|tomorrow|ago|last|next|this|since)\b.*"
    rf"|(?:in |[+-] ?)?(?:an?|[0-9]{{1,6}}) ?{_UNIT}(?:[ ,].*)?|-?p[0-9t][0-9a-z.]*"
)

# The first that fits speaks. None of them lets a text in, so they may be rough.
_EXCUSES = tuple(
    (re.compile(pattern, re.IGNORECASE), because, mend)
    for pattern, because, mend in (
        (r"(['\"]).*\1", "is wrapped in quotation marks", "send it without them"),
        (_RELATIVE, "means another time whenever it is read", _NOW),
        (_DAY_NAME, "names a weekday but no date", _WHOLE),
        ("[0-9]{4}", "has a year but no month and day", _WHOLE),
        ("[0-9]+", "is a number that is neither Unix time nor a date in digits", _DIGITS),
        (
            r"(?:at )?(?:[0-9]{1,2}(?::[0-9.,:]+| ?[ap]\.?m\b)|noon|midnight)[^0-9]*(?:[+-][0-9:]+)?",
            "has a time but no date",
            _WHOLE,
        ),
        (
            rf"[0-9]{{4}}[-/. ](?:w?[0-9]{{1,2}}|{_MON})|(?:[0-9]{{1,2}}[-/.]|{_MON},?[ -/]?)[0-9]{{4}}",
            "has no day",
            _WHOLE,
        ),
        (
            rf"{_DAY}([-/. ])(?:[0-9]{{1,2}}|{_MON})\1{_SHORT_YEAR}.*|{_MON}[ -]{_DAY},?[ -]{_SHORT_YEAR}.*",
            "has a year of two digits",
            "write the year with four digits",
        ),
        (
            rf"(?!.*[0-9]{{4}})(?:{_DAY}[-/. ](?:of )?(?:[0-9]{{1,2}}|{_MON})\.?|{_MON}[ -]{_DAY})(?:[ ,].*)?",
            "has no year",
            _WHOLE,
        ),
    )
)
_WEEKDAY = re.compile(rf"{_DAY_NAME},? (?:the )?(?=[0-9a-z])", re.IGNORECASE)


def excuse(text: str) -> UnreadableMoment:
    """Why a text of no shape is refused. `text` is trimmed and holds single spaces."""
    bare = _WEEKDAY.sub("", text, count=1) if _WEEKDAY.match(text) else text
    for pattern, because, mend in _EXCUSES:
        if pattern.fullmatch(bare):
            return UnreadableMoment(because, mend)
    return UnreadableMoment("is not a date and time in a known form", f"write the form {EXAMPLE}")

"""Numbers in words: `2 d 4 h`, `1.3 a day`, `12 %`."""

from __future__ import annotations

from shipmend.core.metrics import Unit

MINUTE, HOUR, DAY = 60, 3600, 86400
_TIMES = ((1, "day"), (7, "week"), (365.25 / 12, "month"), (365.25, "year"))
"""Days, and what so many are called."""


def duration(seconds: int) -> str:
    """A span of time in its two largest units: `2 d 4 h`."""
    if seconds < MINUTE:
        return f"{max(seconds, 0)} s"
    if seconds < HOUR:
        return f"{seconds // MINUTE} min"
    if seconds < DAY:
        return _pair(seconds // HOUR, "h", seconds % HOUR // MINUTE, "min")
    return _pair(seconds // DAY, "d", seconds % DAY // HOUR if seconds < 14 * DAY else 0, "h")


def _pair(large: int, unit: str, small: int, small_unit: str) -> str:
    return f"{large} {unit} {small} {small_unit}" if small else f"{large} {unit}"


def plain(value: float) -> str:
    """A number with as many digits as matter: 1,234, 12, 1.3, 0.04."""
    if value >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.2g}" if value < 10 else f"{value:.0f}"


def percent(share: float) -> str:
    """A share of a whole: 12 %, and 0.4 % where that is more than nothing."""
    value = share * 100
    return f"{value:.1g} %" if 0 < value < 1 else f"{value:.0f} %"


def rate(per_day: float) -> str:
    """How often: a day, or in the shortest time of those that see one at least: a week, a month, a year."""
    often = next((each for each in _TIMES if per_day * each[0] >= 1), _TIMES[-1] if per_day else _TIMES[0])
    return f"{plain(per_day * often[0])} a {often[1]}"


def in_words(value: float | None, unit: Unit) -> str:
    """A value of a metric; nothing for None."""
    if value is None:
        return ""
    if unit is Unit.SECONDS:
        return duration(int(value))
    if unit is Unit.SHARE:
        return percent(value)
    return rate(value) if unit is Unit.PER_DAY else plain(value)

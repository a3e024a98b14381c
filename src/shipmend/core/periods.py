"""Which days a report is about, and how they are cut up, from what somebody asks for."""

from __future__ import annotations

from datetime import date, timedelta
from zoneinfo import ZoneInfo

from shipmend.core.errors import Invalid
from shipmend.core.windows import Interval, Window

FIRST_DAY = date(1970, 1, 1)
LAST_DAY = date(2099, 12, 31)
USUAL_DAYS = 30
LONGEST_DAYS = 20 * 366
MOST_PARTS = 1_100
"""Of a window: three years by the day."""


def choose_window(*, start: date | None, end: date | None, days: int | None, today: date, zone: ZoneInfo) -> Window:
    """The days from `start` to `end`; or so many days, with `end` the last one, which is today unless said.

    Raises Invalid naming start_date, end_date or days_ago.
    """
    _check_limits("start_date", start)
    _check_limits("end_date", end)
    if start and days is not None:
        raise Invalid("days_ago", "stands beside start_date", value=str(days), mend="give one of them")
    last = end or today
    if start is None:
        return Window.of_days(_checked_days(USUAL_DAYS if days is None else days, last), last, zone)
    if start > last:
        lies = "after end_date" if end else "in the future, and no end_date is given"
        raise Invalid("start_date", f"lies {lies}", value=start.isoformat(), mend="give an earlier one")
    window = Window(start, last, zone)
    if window.days > LONGEST_DAYS:
        because = f"begins a window of {window.days} days"
        raise Invalid("start_date", because, value=start.isoformat(), mend=f"ask for at most {LONGEST_DAYS}")
    return window


def choose_interval(window: Window, asked: Interval | None) -> Interval:
    """How to cut up a window: as asked, else so that a chart shows it well. Raises Invalid naming interval_em."""
    interval = asked or window.usual_interval
    parts = len(window.parts(interval))
    if parts > MOST_PARTS:
        mend = f"at most {MOST_PARTS} are given, so take a longer interval or fewer days"
        raise Invalid("interval_em", f"cuts the window into {parts} parts", value=str(interval), mend=mend)
    return interval


def _check_limits(parameter: str, day: date | None) -> None:
    if day and not FIRST_DAY <= day <= LAST_DAY:
        mend = f"give a day from {FIRST_DAY} to {LAST_DAY}"
        raise Invalid(parameter, "lies outside of what is kept", value=day.isoformat(), mend=mend)


def _checked_days(days: int, last: date) -> int:
    reach = (last - FIRST_DAY).days + 1
    most = min(LONGEST_DAYS, reach)
    if not 1 <= days <= most:
        first = last - timedelta(days=most - 1)
        mend = f"give a number from 1 to {most}, which begins on {first}"
        raise Invalid("days_ago", "is not a number of days to report on", value=str(days), mend=mend)
    return days

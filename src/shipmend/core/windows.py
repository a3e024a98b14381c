"""Periods of whole days on an entity's clocks, and the parts that a chart cuts them into."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

_DAY = timedelta(days=1)
_DAYS_BY_DAY = 45
_DAYS_BY_WEEK = 400
_MONTHS = {"monthly": 1, "quarterly": 3}


class Interval(StrEnum):
    """How long a part of a window is. Weeks begin on Monday, quarters with January."""

    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"
    QUARTERLY = "quarterly"


def midnight(day: date, zone: ZoneInfo) -> int:
    """The instant (epoch seconds) at which a day begins in a zone; where midnight is skipped, what comes instead."""
    return int(datetime.combine(day, time(), zone).timestamp())


@dataclass(frozen=True, slots=True)
class Window:
    """From the beginning of the day `first` to the end of the day `last`, in `zone`."""

    first: date
    last: date
    zone: ZoneInfo

    def __post_init__(self) -> None:
        if self.last < self.first:
            raise ValueError("a window ends before it begins")

    @classmethod
    def of_days(cls, days: int, last: date, zone: ZoneInfo) -> Window:
        """The given number of days, ending with `last`."""
        return cls(last - _DAY * (days - 1), last, zone)

    @property
    def start(self) -> int:
        """Epoch seconds of the first instant inside."""
        return midnight(self.first, self.zone)

    @property
    def end(self) -> int:
        """Epoch seconds of the first instant that is not inside any more."""
        return midnight(self.last + _DAY, self.zone)

    @property
    def days(self) -> int:
        """How many days it has, both ends counted."""
        return (self.last - self.first).days + 1

    @property
    def previous(self) -> Window:
        """As many days, just before."""
        return Window.of_days(self.days, self.first - _DAY, self.zone)

    @property
    def usual_interval(self) -> Interval:
        """Parts that are neither too many nor too few for a chart."""
        if self.days <= _DAYS_BY_DAY:
            return Interval.DAILY
        return Interval.WEEKLY if self.days <= _DAYS_BY_WEEK else Interval.MONTHLY

    def parts(self, interval: Interval) -> tuple[Window, ...]:
        """The window cut at the borders of days, weeks, months or quarters: the first and the last may be shorter."""
        starts = [self.first, *_borders(self.first, self.last, interval)]
        ends = [start - _DAY for start in starts[1:]] + [self.last]
        return tuple(Window(first, last, self.zone) for first, last in zip(starts, ends, strict=True))


def _borders(first: date, last: date, interval: Interval) -> Iterator[date]:
    """The days after `first`, up to `last`, on which a part begins."""
    day = _after(first, interval)
    while day <= last:
        yield day
        day = _after(day, interval)


def _after(day: date, interval: Interval) -> date:
    """The first day of the part that follows the one that `day` is in."""
    if interval is Interval.DAILY:
        return day + _DAY
    if interval is Interval.WEEKLY:
        return day + timedelta(days=7 - day.weekday())
    months = _MONTHS[interval]
    month = (day.month - 1) // months * months + months
    return date(day.year + month // 12, month % 12 + 1, 1)

"""The weeks of the story, counted back from the one that it ends in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

WORKDAYS = 5
MORNING = 8.75
HOURS = 8.5


@dataclass(frozen=True, slots=True)
class Calendar:
    """Turns weeks and wall clock hours into epoch seconds. Week 0 holds the day that the story is told on."""

    monday: date
    zone: ZoneInfo

    @classmethod
    def around(cls, now: int, zone: ZoneInfo) -> Calendar:
        """The calendar whose week 0 holds an instant."""
        day = datetime.fromtimestamp(now, zone).date()
        return cls(day - timedelta(days=day.weekday()), zone)

    def at(self, week: int, day: int, hour: float) -> int:
        """A weekday (0 is Monday) and hour of a week."""
        midnight = datetime.combine(self.monday + timedelta(weeks=week, days=day), time.min, self.zone)
        # Wall clock hours: on the days when the clocks change they stay those that people read.
        return int((midnight + timedelta(minutes=round(hour * 60))).timestamp())

    def week_of(self, at: int) -> int:
        """The week that holds an instant."""
        return (datetime.fromtimestamp(at, self.zone).date() - self.monday).days // 7

    def day_of(self, now: int) -> int:
        """When the day began that holds an instant."""
        day = datetime.fromtimestamp(now, self.zone).date()
        return int(datetime.combine(day, time.min, self.zone).timestamp())

    def worked(self, days: float) -> int:
        """The instant so many working days after the Monday of week 0 (before, if negative)."""
        whole = int(days // 1)
        return self.at(whole // WORKDAYS, whole % WORKDAYS, MORNING + (days - whole) * HOURS)

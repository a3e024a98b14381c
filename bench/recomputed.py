"""The figures of an instance worked out from the rows of its audits, by local dates and plain loops.

Nothing of Shipmend's own is used: this is the second opinion of `recompute`.
"""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal, getcontext
from fractions import Fraction
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

Row = dict[str, Any]
Stats = dict[str, Any]

Z = Decimal("1.959963984540054")
getcontext().prec = 40


@dataclass(frozen=True)
class Days:
    """Some days, both ends included."""

    first: date
    last: date

    def has(self, day: date | None) -> bool:
        return day is not None and self.first <= day <= self.last

    @property
    def count(self) -> int:
        return (self.last - self.first).days + 1

    @property
    def before(self) -> Days:
        return Days(self.first - timedelta(days=self.count), self.first - timedelta(days=1))

    def parts(self, interval: str) -> list[Days]:
        """The days, one after the other, gathered while they belong to the same part."""
        parts: list[list[date]] = []
        for n in range(self.count):
            day = self.first + timedelta(days=n)
            if parts and _part_of(parts[-1][-1], interval) == _part_of(day, interval):
                parts[-1].append(day)
            else:
                parts.append([day])
        return [Days(part[0], part[-1]) for part in parts]


def _part_of(day: date, interval: str) -> tuple[int, ...]:
    return {
        "daily": (day.toordinal(),),
        "weekly": tuple(day.isocalendar())[:2],
        "monthly": (day.year, day.month),
        "quarterly": (day.year, (day.month + 2) // 3),
    }[interval]


@dataclass
class Rows:
    """What a place, or a group of it, has."""

    releases: list[Row]
    commits: list[Row]
    defects: list[Row]
    fixes: list[tuple[Row, Row]]
    """With their defects."""
    waiting: int = 0


class Recomputation:
    """The figures of an instance, from its rows."""

    def __init__(self, zone: ZoneInfo, *, rollbacks_fail: bool) -> None:
        self.zone = zone
        self.rollbacks_fail = rollbacks_fail
        self.metrics: dict[str, Callable[[Rows, Days], Stats]] = {
            "deployment_frequency": self.frequency,
            "change_lead_time": self.lead_time,
            "change_fail_rate": self.fail_rate,
            "failed_deployment_recovery_time": self.recovery_time,
            "deployment_rework_rate": self.rework_rate,
            "time_to_first_fix": self.first_fix,
            "fixes_not_holding": self.not_holding,
            "commits_waiting": lambda rows, _: plain(rows.waiting),
            "open_defects": lambda rows, days: plain(self.open(rows, days)),
        }

    def day(self, text: str | None) -> date | None:
        """The local date of an instant."""
        return local_date(text, self.zone) if text else None

    def frequency(self, rows: Rows, days: Days) -> Stats:
        here = self.released(rows, days)
        counted = sum(1 for row in here if why_not(row) is None)
        return stats(counted / days.count, counted, counted, days.count, excluded=Counter(map(why_not, here)))

    def lead_time(self, rows: Rows, days: Days) -> Stats:
        here = [row for row in rows.commits if days.has(self.day(row["released_at"]))]
        baselines = {row["id"] for row in rows.releases if row["kind"] == "baseline"}
        times, excluded, shipping = [], Counter[str | None](), set()
        for row in here:
            seconds = None if row["authored_at"] is None else between(row["authored_at"], row["released_at"])
            if row["release_id"] in baselines:
                excluded["baseline"] += 1
            elif row["is_merge"]:
                excluded["merge"] += 1
            elif seconds is None:
                excluded["timeless"] += 1
            elif seconds < 0:
                excluded["early"] += 1
            else:
                times.append(seconds)
                shipping.add(row["release_id"])
        return durations(times, excluded, {"releases": len(shipping)})

    def fail_rate(self, rows: Rows, days: Days) -> Stats:
        here = self.released(rows, days)
        counted = [row for row in here if why_not(row) is None]
        broke = [row["id"] for row in counted if row["caused_defects"]]
        undone = [row["id"] for row in counted if row["undone_by"]]
        failed = {*broke, *undone} if self.rollbacks_fail else {*broke}
        beside = {
            "with_defect": len(broke),
            "undone": len(undone),
            "both": len({*broke} & {*undone}),
            "guessed": sum(
                1
                for row in counted
                if row["caused_defects"] and {each["kind"] for each in row["caused_defects"]} == {"guess"}
            ),
            "unattributed": sum(
                1
                for row in rows.defects
                if days.has(self.day(row["detected_at"])) and row["cause"]["release_id"] is None
            ),
            "elsewhere": sum(
                1 for row in rows.defects if days.has(self.day(row["detected_at"])) and row["cause_counts"] is False
            ),
        }
        return share(len(failed), len(counted), Counter(map(why_not, here)), beside)

    def rework_rate(self, rows: Rows, days: Days) -> Stats:
        here = self.released(rows, days)
        counted = [row for row in here if why_not(row) is None]
        return share(sum(1 for row in counted if row["carried_fixes"]), len(counted), Counter(map(why_not, here)), {})

    def recovery_time(self, rows: Rows, days: Days) -> Stats:
        beside = {"still_open": self.open(rows, days)}
        return self.since_detection(rows, days, lambda row: row["resolved_at"], beside)

    def first_fix(self, rows: Rows, days: Days) -> Stats:
        return self.since_detection(
            rows, days, lambda row: min(filter(None, (fix["released_at"] for fix in row["fixes"])), default=None), {}
        )

    def not_holding(self, rows: Rows, days: Days) -> Stats:
        here = [(fix, defect) for fix, defect in rows.fixes if days.has(self.day(fix["released_at"]))]
        return share(sum(1 for fix, _ in here if not fix["is_holding"]), len(here), Counter(), {})

    def since_detection(
        self, rows: Rows, days: Days, end: Callable[[Row], str | None], beside: dict[str, int]
    ) -> Stats:
        ends = [(row["detected_at"], at) for row in rows.defects if days.has(self.day(at := end(row)))]
        seconds = [between(detected, at) for detected, at in ends if at]
        backward = sum(1 for each in seconds if each < 0)
        return durations([each for each in seconds if each >= 0], Counter({"backward": backward}), beside)

    def open(self, rows: Rows, days: Days) -> int:
        """How many are open when the last day ends."""
        return sum(
            1
            for row in rows.defects
            if (self.day(row["detected_at"]) or date.max) <= days.last
            and (row["resolved_at"] is None or (self.day(row["resolved_at"]) or date.min) > days.last)
        )

    def released(self, rows: Rows, days: Days) -> list[Row]:
        return [row for row in rows.releases if days.has(self.day(row["released_at"]))]


@cache
def local_date(text: str, zone: ZoneInfo) -> date:
    """Of an instant in ISO 8601."""
    return datetime.fromisoformat(text).astimezone(zone).date()


def why_not(release: Row) -> str | None:
    """Why a release does not count."""
    if release["status"] != "succeeded":
        return str(release["status"])
    if release["commit_state"] not in ("known", "unverified"):
        return "unsettled"
    return "redeploy" if release["kind"] == "redeploy" else None


def between(start: str, end: str) -> int:
    """Seconds."""
    return int((datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds())


def plain(count: int) -> Stats:
    return stats(count, count, count, 1)


def stats(
    value: float | None,
    n: int,
    numerator: int,
    denominator: int,
    *,
    interval: list[float] | None = None,
    excluded: Counter[str | None] | None = None,
    beside: dict[str, int] | None = None,
    **sample: float,
) -> Stats:
    """A figure in the form of a report, without its words."""
    return {
        "value": value,
        "n": n,
        "numerator": numerator,
        "denominator": denominator,
        **{name: sample.get(name) for name in ("mean", "median", "p75", "p90")},
        "interval": interval,
        "excluded": {reason: count for reason, count in (excluded or {}).items() if reason and count},
        "beside": beside or {},
    }


def share(part: int, whole: int, excluded: Counter[str | None], beside: dict[str, int]) -> Stats:
    value = part / whole if whole else None
    return stats(value, whole, part, whole, interval=wilson(part, whole), excluded=excluded, beside=beside)


def wilson(part: int, whole: int) -> list[float] | None:
    """The roots of the equation that Wilson's interval solves, to six digits."""
    if not whole:
        return None
    n, p, z2 = Decimal(whole), Decimal(part) / Decimal(whole), Z * Z
    # (1 + z²/n) x² - (2p + z²/n) x + p² = 0
    a, b, c = 1 + z2 / n, -(2 * p + z2 / n), p * p
    root = max(Decimal(0), b * b - 4 * a * c).sqrt()
    return [float(round(min(max((-b + sign * root) / (2 * a), Decimal(0)), Decimal(1)), 6)) for sign in (-1, 1)]


def durations(times: list[int], excluded: Counter[str | None], beside: dict[str, int]) -> Stats:
    n = len(times)
    if not n:
        return stats(None, 0, 0, 0, excluded=excluded, beside=beside)
    ordered = sorted(times)
    median = statistics.median(ordered)
    rank = order_statistic(n)
    return stats(
        median, n, sum(times), n,
        interval=[ordered[rank - 1], ordered[-rank]] if rank else None,
        excluded=excluded, beside=beside, mean=sum(times) / n, median=median,
        p75=ordered[math.ceil(Fraction(75 * n, 100)) - 1], p90=ordered[math.ceil(Fraction(90 * n, 100)) - 1],
    )  # fmt: skip


@cache
def order_statistic(n: int) -> int:
    """The rank whose values, from both ends, hold the median of all in 95 of 100 cases; 0 when none does."""
    if n > 60:
        return int((n - float(Z) * math.sqrt(n)) / 2)
    rank = 0
    while Fraction(sum(math.comb(n, k) for k in range(rank + 1)), 2**n) <= Fraction(25, 1000):
        rank += 1
    return rank

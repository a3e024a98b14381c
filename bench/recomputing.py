"""Recompute every figure of an instance from its own rows: `bench/recompute.py BASE_URL TOKEN PATH`.

It asks the public API alone: /reports for figures, /audits for the releases, commits and defects behind them. From
these it works every figure out its own way, by local dates and plain loops, without a line of Shipmend's code: each
metric over the window, the window before and every part of it, by the day, week, month and quarter, and split by every
dimension. Prints what was compared; ends with 1 when anything differs by as much as the last digit.
"""

from __future__ import annotations

import argparse
import json
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from bench.recomputed import Days, Recomputation, Row, Rows, Stats, why_not

INTERVALS = ("daily", "weekly", "monthly", "quarterly")
MOST_PARTS = 1100
DAYS_AT_ONCE = 5000
PLENTY = 10


def main() -> None:
    """Compare, print, and end with 1 when something differs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("base_url", metavar="BASE_URL", help="such as http://127.0.0.1:8000")
    parser.add_argument("token", metavar="TOKEN")
    parser.add_argument("resource_path", metavar="RESOURCE_PATH")
    parser.add_argument("--start", type=date.fromisoformat, help="the first day; a year before the last one")
    parser.add_argument("--end", type=date.fromisoformat, help="the last day; today")
    parser.add_argument("--environment", default="production")
    given = parser.parse_args()
    end = given.end or datetime.now().astimezone().date()
    start = given.start or end - timedelta(days=364)
    report = recompute(Instance(given.base_url, given.token), given.resource_path, given.environment, start, end)
    print("\n".join(report.lines()))
    sys.exit(1 if report.differences else 0)


@dataclass(frozen=True)
class Instance:
    """The public API of an instance."""

    base_url: str
    token: str

    def get(self, path: str, **parameters: object) -> Any:
        """The answer to a GET, as JSON."""
        with self._open(f"{self.base_url.rstrip('/')}/api/v1/{path}?{urllib.parse.urlencode(parameters)}") as answer:
            return json.load(answer)

    def lines(self, url: str) -> Iterator[Row]:
        """The rows of an audits call, which is given as it stands in a report."""
        with self._open(f"{url}&format=jsonl") as answer:
            for line in answer:
                yield json.loads(line)

    def rows(self, kind: str, **parameters: object) -> list[Row]:
        """Every row of a kind."""
        query = urllib.parse.urlencode({"resource_type": kind, **parameters})
        return list(self.lines(f"{self.base_url.rstrip('/')}/api/v1/audits?{query}"))

    def _open(self, url: str) -> Any:
        request = urllib.request.Request(url, headers={"Authorization": f"Bearer {self.token}"})  # noqa: S310 -- the address that the caller gives
        try:
            return urllib.request.urlopen(request, timeout=600)  # noqa: S310 -- as above
        except urllib.error.HTTPError as refused:
            raise SystemExit(f"{url} was refused: {json.load(refused)['response_detail']}") from refused


@dataclass
class Report:
    """What was compared."""

    title: str
    metrics: dict[str, tuple[Any, int, int]] = field(default_factory=dict)
    """By name the figure over the window, its n, and how many figures of it were compared."""
    compared: int = 0
    differences: list[str] = field(default_factory=list)

    def compare(self, what: str, reported: object, recomputed: object) -> None:
        """Note one comparison."""
        self.compared += 1
        if reported != recomputed:
            self.differences.append(f"{what}: reported {reported!r}, recomputed {recomputed!r}")

    def check(self, what: str, *, is_so: bool) -> None:
        """Note whether something is as it should be."""
        self.compare(what, is_so, True)  # noqa: FBT003 -- a value like any other

    def lines(self) -> Iterator[str]:
        """For people."""
        yield self.title
        yield f"{'metric':<34}{'value':>24}{'n':>8}{'figures':>9}"
        for name, (value, n, figures) in self.metrics.items():
            yield f"{name:<34}{'none' if value is None else value:>24}{n:>8}{figures:>9}"
        yield f"{self.compared} values compared, {len(self.differences)} differ."
        yield from self.differences[:50]


def recompute(instance: Instance, path: str, environment: str, start: date, end: date) -> Report:
    """Compare everything that the instance reports of a place and a window."""
    days = Days(start, end)
    place = {"resource_path": path, "environment": environment}
    rows = read(instance, place, Days(days.before.first, end))
    infos = instance.get("segment_introspections")["segment_introspections"]
    told = ask(instance, place, days, [info["segment_em"] for info in infos], "quarterly")
    zone = told["context"]["time_zone"]
    found = Recomputation(ZoneInfo(zone), rollbacks_fail=told["rules"]["rollbacks_fail"])
    report = Report(f"{path}, {environment}, {start} to {end} ({zone}): {len(rows.releases)} releases,"
                    f" {len(rows.commits)} commits, {len(rows.defects)} defects")  # fmt: skip
    check_rows(report, rows)
    for interval in (each for each in INTERVALS if len(days.parts(each)) <= MOST_PARTS):
        told = ask(instance, place, days, [info["segment_em"] for info in infos], interval)
        for segment in told["segments"]:
            check(report, found, told, segment, rows, days)
    for segment in told["segments"]:
        check_links(report, instance, told["summary_stats"][segment["name"]], segment["segment_em"])
    for dimension in sorted({each for info in infos for each in info["dimensions"]}):
        metrics = [info["segment_em"] for info in infos if dimension in info["dimensions"]]
        told = ask(instance, place, days, metrics, "monthly", segment_by=dimension)
        groups = split(instance, rows, dimension, told, found, days)
        report.compare(f"groups by {dimension}", {each["value"] for each in told["segments"]}, set(groups))
        for segment in told["segments"]:
            if segment["value"] in groups:
                check(report, found, told, segment, groups[segment["value"]], days)
    return report


def read(instance: Instance, place: dict[str, str], days: Days) -> Rows:
    """All rows of some days, asked for some years at a time; a defect that lasts comes more than once."""
    stretches = [
        {**place, "start_date": first, "end_date": min(first + timedelta(days=DAYS_AT_ONCE - 1), days.last)}
        for first in (days.first + timedelta(days=n) for n in range(0, days.count, DAYS_AT_ONCE))
    ]
    releases, commits = (
        [row for stretch in stretches for row in instance.rows(kind, **stretch)] for kind in ("releases", "commits")
    )
    by_key = {row["defect_key"]: row for stretch in stretches for row in instance.rows("defects", **stretch)}
    inside, defects = place["resource_path"], list(by_key.values())
    fixes = [(fix, row) for row in defects for fix in row["fixes"] if is_in(fix["resource_path"], inside)]
    return Rows(releases, commits, defects, fixes, instance.get("waiting", **place)["total"])


def is_in(path: str, place: str) -> bool:
    return f"{path}/".startswith(f"{place}/")


def ask(
    instance: Instance, place: dict[str, str], days: Days, metrics: Sequence[str], interval: str, **more: str
) -> Any:
    return instance.get(
        "reports", **place, segment_em=",".join(metrics), interval_em=interval, generate_summary_stats="true",
        start_date=days.first, end_date=days.last, **more,
    )  # fmt: skip


def check(report: Report, found: Recomputation, told: Any, segment: Row, rows: Rows, days: Days) -> None:
    """One segment: its figure, that of the days before, and every point of its series."""
    name, metric = segment["name"], segment["segment_em"]
    figure = found.metrics[metric]
    summary = told["summary_stats"][name]
    compare_stats(report, name, summary, figure(rows, days))
    figures = 1
    if metric != "commits_waiting":
        compare_stats(report, f"{name} before", summary["previous"], figure(rows, days.before))
        parts = days.parts(told["interval_em"])
        points = told["series_segments"][name]
        report.compare(f"{name} dates", [each["date"] for each in points], [str(part.first) for part in parts])
        for point, part in zip(points, parts, strict=True):
            own = figure(rows, part)
            told_point = point["y"], point["n"], point["numerator"], point["denominator"]
            own_point = own["value"], own["n"], own["numerator"], own["denominator"]
            report.compare(f"{name} {part.first}", told_point, own_point)
        figures += 1 + len(parts)
    if segment["value"] is None:
        before = report.metrics.get(metric, (None, 0, 0))[2]
        report.metrics[metric] = (summary["value"], summary["n"], before + figures)
    else:
        value, n, before = report.metrics[metric]
        report.metrics[metric] = (value, n, before + figures)


def compare_stats(report: Report, what: str, told: Stats, own: Stats) -> None:
    """Every number of a figure."""
    counts = {each["aside"]: each["count"] for each in told["beside"]}
    flat = {**told, "excluded": {each["reason"]: each["count"] for each in told["excluded"]}, "beside": counts}
    for key, value in own.items():
        report.compare(f"{what} {key}", flat[key], value)
    enough = told["n"] >= PLENTY or told["unit"] in ("releases per day", "commits", "defects")
    report.compare(f"{what} is_enough", told["is_enough"], enough)


def check_rows(report: Report, rows: Rows) -> None:
    """Whether the rows agree with one another: who is blamed, what holds, what counts, what was carried."""
    listed = {row["id"]: row for row in rows.releases}
    carriers: defaultdict[tuple[str, str | None], list[Row]] = defaultdict(list)
    for row in reversed(rows.releases):
        if why_not(row) in (None, "redeploy"):
            carriers[row["resource_path"], row["released_at"]].append(row)
    for row in rows.releases:
        report.compare(f"release {row['id']} reason", row["excluded_because"], why_not(row))
        report.check(f"release {row['id']} carried fixes only if it went live",
                     is_so=why_not(row) in (None, "redeploy") or not row["carried_fixes"])  # fmt: skip
    for row in rows.defects:
        key = row["defect_key"]
        blamed, entry = listed.get(row["cause"]["release_id"]), {"defect_key": key, "kind": row["cause"]["kind"]}
        if blamed:
            report.check(f"{key} is told of by the release that caused it", is_so=entry in blamed["caused_defects"])
        last = {fix["resource_path"]: fix["released_at"] for fix in row["fixes"] if fix["released_at"]}
        for fix in row["fixes"]:
            if fix["released_at"] and fix["released_at"] != last[fix["resource_path"]]:
                report.check(f"{key} has a fix that did not hold", is_so=not fix["is_holding"])
            carrier = listed.get(fix["carried_by"])
            if carrier:
                report.check(f"{key} is told of by the release that fixed it", is_so=key in carrier["carried_fixes"])
            at_once = carriers[fix["resource_path"], fix["released_at"]]
            if not fix["release_sha"] and at_once:
                first = next((each for each in at_once if why_not(each) is None), at_once[0])
                report.compare(f"{key} carried by", fix["carried_by"], first["id"])


def check_links(report: Report, instance: Instance, summary: Stats, metric: str) -> None:
    """Whether the rows that a figure links to are those it is made of."""
    if metric in ("commits_waiting", "fixes_not_holding"):
        return
    counts = Counter(row["counts_as"] for row in instance.lines(summary["rows_url"]))
    is_share = summary["unit"] == "share"
    counted = counts["numerator"] + (counts["denominator"] if is_share else 0)
    report.compare(f"{metric} rows", (counted, counts["excluded"]),
                   (summary["n"], sum(each["count"] for each in summary["excluded"])))  # fmt: skip
    if is_share:
        report.compare(f"{metric} numerator rows", counts["numerator"], summary["numerator"])


def split(
    instance: Instance, rows: Rows, dimension: str, told: Any, found: Recomputation, days: Days
) -> dict[str, Rows]:
    """The rows of each value of a dimension, by what the report calls it."""
    if dimension == "author":
        return by_author(rows, found, days)
    if dimension == "severity":
        return {label(severity): of_severity(rows, severity) for severity in {row["severity"] for row in rows.defects}}
    environment = told["context"]["environment"]
    places = {each["value"]: each["resource_path"] for each in told["segments"]}
    return {value: of_place(instance, rows, place, environment) for value, place in places.items()}


def label(severity: int | None) -> str:
    return "not given" if severity is None else str(severity)


def of_severity(rows: Rows, severity: int | None) -> Rows:
    return Rows([], [], [row for row in rows.defects if row["severity"] == severity],
                [(fix, row) for fix, row in rows.fixes if row["severity"] == severity])  # fmt: skip


def of_place(instance: Instance, rows: Rows, place: str, environment: str) -> Rows:
    return Rows(
        [row for row in rows.releases if is_in(row["resource_path"], place)],
        [row for row in rows.commits if is_in(row["resource_path"], place)],
        [row for row in rows.defects if any(is_in(path, place) for path in (row["resource_path"], *row["repos"]))],
        [(fix, row) for fix, row in rows.fixes if is_in(fix["resource_path"], place)],
        instance.get("waiting", resource_path=place, environment=environment)["total"],
    )


def by_author(rows: Rows, found: Recomputation, days: Days, most: int = 50) -> dict[str, Rows]:
    """Those with the most commits in the window; a baseline's commits are nobody's."""
    baselines = {row["id"] for row in rows.releases if row["kind"] == "baseline"}
    people: defaultdict[str, list[Row]] = defaultdict(list)
    for row in rows.commits:
        if row["release_id"] not in baselines:
            people[row["author_email"].lower().strip() or row["author_name"]].append(row)
    ranked = []
    for commits in people.values():
        named = Counter((row["author_name"], row["author_email"]) for row in commits)
        name, email = min(named, key=lambda each: (-named[each], each))
        here = sum(1 for row in commits if days.has(found.day(row["released_at"])))
        ranked.append((-here, f"{name} <{email}>", Rows(rows.releases, commits, [], [])))
    first = sorted((each for each in ranked if each[0]), key=lambda each: each[:2])[:most]
    return {title: own for _, title, own in first}


if __name__ == "__main__":
    main()

"""The sample's story: the same for a seed and day, growing from day to day, and whole whatever the day."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shipmend.core.releases import Status
from shipmend.demo.calendar import Calendar
from shipmend.demo.commands import commands
from shipmend.demo.incidents import INCIDENTS
from shipmend.demo.plan import TIME_ZONE, Detection, Plan
from shipmend.demo.values import PRODUCTION, Deploy, Fixed
from tests.demo.sample import NOW

DAY = 24 * 3600
WEDNESDAY = NOW
DAYS = st.integers(WEDNESDAY - 500 * DAY, WEDNESDAY + 500 * DAY)


def _told(plan: Plan) -> list[str]:
    return ["".join(commands(repo.team.history, plan.until)) for repo in plan.repos]


def test_a_seed_and_a_day_tell_one_story() -> None:
    assert _told(Plan.make(1, WEDNESDAY)) == _told(Plan.make(1, WEDNESDAY + 3600))
    assert _told(Plan.make(1, WEDNESDAY)) != _told(Plan.make(2, WEDNESDAY))


def test_the_next_day_of_a_week_goes_on_where_the_last_one_ended() -> None:
    before, after = Plan.make(1, WEDNESDAY), Plan.make(1, WEDNESDAY + DAY)
    assert after.until == before.until + DAY
    for repo, later in zip(before.repos, after.repos, strict=True):
        there = [made for made in repo.team.history.made if made.at <= before.until]
        assert there == [made for made in later.team.history.made if made.at <= before.until]


@settings(max_examples=15, deadline=None)
@given(DAYS, st.integers(0, 99))
def test_any_day_gives_a_whole_story(now: int, seed: int) -> None:
    plan = Plan.make(seed, now)
    assert now - 1.1 * DAY < plan.until <= now
    commits = {id(made) for repo in plan.repos for made in repo.team.history.made if made.at <= plan.until}
    detected: set[str] = set()
    times = []
    for _, what in plan.reports():
        times.append(what.at)
        if isinstance(what, Detection):
            detected.add(what.incident.key)
        else:
            assert what.commit is None or id(what.commit) in commits
            assert isinstance(what, Deploy) or what.key in detected
    assert times == sorted(times)
    assert times[-1] <= plan.until


@settings(max_examples=15, deadline=None)
@given(DAYS, st.integers(0, 99))
def test_parents_come_first_and_tags_name_what_is_there(now: int, seed: int) -> None:
    for repo in Plan.make(seed, now).repos:
        history = repo.team.history
        for made in history.made:
            assert all(parent < made.number for parent in made.parents)
            assert all(history.made[parent - 1].at <= made.at for parent in made.parents)
        assert len({tag.name for tag in history.tags}) == len(history.tags)
        assert all(history.made[tag.commit - 1].at <= tag.at for tag in history.tags)


@pytest.mark.parametrize("weekday", range(7))
def test_the_last_four_weeks_are_worse_for_checkout_on_any_weekday(weekday: int) -> None:
    plan = Plan.make(1, WEDNESDAY + (weekday - 2) * DAY)
    checkout = next(repo for repo in plan.repos if repo.path.repo == "checkout")

    def shipped(weeks_ago: int) -> list[Deploy]:
        end = plan.until - weeks_ago * 7 * DAY
        return [
            each
            for each in checkout.team.deploys
            if each.environment == PRODUCTION and each.status is Status.SUCCEEDED and end - 28 * DAY < each.at <= end
        ]

    def found(weeks_ago: int) -> int:
        end = plan.until - weeks_ago * 7 * DAY
        return sum(each.path == checkout.path and end - 28 * DAY < each.at <= end for each in plan.detections)

    last, before = shipped(0), shipped(4)
    assert found(0) >= 2 > found(4)
    assert _rollbacks(last) == 1
    assert _rollbacks(before) == 0
    assert _commits_in_largest(last) > 2 * _commits_in_largest(before)


def _rollbacks(deploys: list[Deploy]) -> int:
    return sum(later.commit.number < earlier.commit.number for earlier, later in pairwise(deploys))


def _commits_in_largest(deploys: list[Deploy]) -> int:
    return max(later.commit.number - earlier.commit.number for earlier, later in pairwise(deploys))


def test_every_kind_of_thing_is_in_it() -> None:
    plan = Plan.make(1, WEDNESDAY)
    reports = [what for _, what in plan.reports()]
    assert {what.status for what in reports if isinstance(what, Deploy)} == set(Status)
    fixes = [what for what in reports if isinstance(what, Fixed)]
    fixed = {key: [fix for fix in fixes if fix.key == key] for key in (each.key for each in INCIDENTS)}
    assert any(not those for those in fixed.values())
    assert any(len(those) > 1 for those in fixed.values())
    assert {(fix.commit is None, fix.with_time) for fix in fixes} == {(True, True), (False, True), (False, False)}
    assert {detection.path.level for detection in plan.detections} == {"entity", "organization", "repo"}


@given(st.dates(date(2000, 1, 3), date(2037, 12, 31)), st.integers(-60, 0), st.integers(0, 6), st.floats(0, 23.9))
def test_the_calendar_keeps_the_wall_clock(day: date, week: int, weekday: int, hour: float) -> None:
    zone = ZoneInfo(TIME_ZONE)
    calendar = Calendar(day - timedelta(days=day.weekday()), zone)
    assert calendar.week_of(calendar.at(week, weekday, hour)) == week

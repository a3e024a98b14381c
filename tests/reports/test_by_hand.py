"""Stories whose numbers are worked out by hand; docs/metrics.md tells the same ones.

Nothing here is copied from an answer: each number stands beside how it comes about. All on UTC clocks, in June 2024
unless said.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from shipmend.catalog.models import Entity
from shipmend.core.dora import Aside
from shipmend.core.facts import Reason
from shipmend.core.metrics import INFO, Metric
from shipmend.core.windows import Interval
from tests.gitworld import GitRepo
from tests.world import World

pytestmark = pytest.mark.database

WORDS = {
    Reason.FAILED: "failed",
    Reason.CANCELLED: "cancelled",
    Reason.REDEPLOY: "redeploy",
    Reason.UNSETTLED: "unsettled",
    Reason.MERGE: "merges",
    Reason.BASELINE: "the baseline's commits",
    Reason.TIMELESS: "commits without a usable authorship time",
    Reason.EARLY: "commits authored after their release",
    Reason.BACKWARD: "dated before their detection",
}
"""How docs/metrics.md names what is left out."""
HOUR = 3600
DAY = 24 * HOUR


@dataclass(frozen=True)
class Team:
    """Somebody who reports to the API, and asks what the numbers are."""

    world: World

    def repo(self, git: GitRepo, slug: str = "shop") -> str:
        return str(self.world.repo(slug, git).path)

    def release(self, path: str, sha: str, at: str, **more: object) -> str:
        call = {"resource_path": path, "release_sha": sha, "released_at": at, **more}
        reply = self.world.api().post("releases", call)
        assert reply.status == 200, reply.json
        return str(reply.json["release"]["id"])

    def defect(self, path: str, key: str, **more: object) -> None:
        reply = self.world.api().post("critical_defects", {"resource_path": path, "defect_key": key, **more})
        assert reply.status == 200, reply.json

    def report(
        self, metric: Metric, first: date, last: date, path: str = "", by: Interval = Interval.DAILY
    ) -> dict[str, Any]:
        """What the Reports API says."""
        reply = self.world.api().get(
            "reports",
            resource_path=path or self.world.path,
            segment_em=metric,
            start_date=first,
            end_date=last,
            interval_em=by,
            generate_summary_stats="true",
        )
        assert reply.status == 200, reply.json
        return reply.json

    def summary(self, metric: Metric, first: date, last: date, path: str = "") -> dict[str, Any]:
        """The figure of a window with all that stands beside it."""
        found: dict[str, Any] = self.report(metric, first, last, path)["summary_stats"][INFO[metric].name]
        return found

    def asked(self, metric: Metric, path: str = "", *, days: int = 10) -> dict[str, Any]:
        """The figure of the first days of June."""
        return self.summary(metric, date(2024, 6, 1), date(2024, 6, days), path)

    def points(
        self, metric: Metric, first: date, last: date, path: str, by: Interval = Interval.DAILY
    ) -> list[dict[str, Any]]:
        """The parts of a window."""
        found: list[dict[str, Any]] = self.report(metric, first, last, path, by)["series_segments"][INFO[metric].name]
        return found


@pytest.fixture
def team(world: World) -> Team:
    return Team(world)


def june(day: int, hour: int, minute: int = 0) -> str:
    return f"2024-06-{day:02}T{hour:02}:{minute:02}:00Z"


def fraction(figure: dict[str, Any]) -> tuple[int, int]:
    return figure["numerator"], figure["denominator"]


def left_out(figure: dict[str, Any]) -> dict[str, int]:
    return {left["reason"]: left["count"] for left in figure["excluded"]}


def beside(figure: dict[str, Any]) -> dict[str, int]:
    return {each["aside"]: each["count"] for each in figure["beside"] if each["count"]}


class TestRolledBack:
    """V1 V2 V3 V1: two releases are undone by one, and later V3 goes live once more."""

    @pytest.fixture
    def path(self, team: Team, git_repo: GitRepo) -> str:
        a = git_repo.commit("a", at=june(1, 10))
        b = git_repo.commit("b", at=june(3, 10))
        c = git_repo.commit("c", at=june(4, 22))
        d = git_repo.commit("d", at=june(5, 10))
        assert c != a
        path = team.repo(git_repo)
        team.release(path, a, june(2, 10), name="V1")
        team.release(path, b, june(4, 10), name="V2")
        team.release(path, d, june(5, 16), name="V3")
        team.release(path, a, june(5, 18), name="V1 again")
        return path

    def test_all_four_are_deployments(self, team: Team, path: str) -> None:
        figure = team.asked(Metric.DEPLOYMENT_FREQUENCY, path)
        assert fraction(figure) == (4, 10)
        assert figure["value"] == 4 / 10
        assert left_out(figure) == {}

    def test_going_back_ships_nothing(self, team: Team, path: str) -> None:
        figure = team.asked(Metric.CHANGE_LEAD_TIME, path)
        # b: 3 June 10:00 to 4 June 10:00. c: 4 June 22:00 to 5 June 16:00. d: 5 June 10:00 to 16:00. a: nobody knows.
        assert figure["n"] == 3
        assert figure["value"] == 18 * HOUR
        assert figure["mean"] == (24 + 18 + 6) / 3 * HOUR
        assert (figure["p75"], figure["p90"]) == (24 * HOUR, 24 * HOUR)  # ranks 2.25 and 2.7, rounded up: 3
        assert left_out(figure) == {Reason.BASELINE: 1}

    def test_v2_and_v3_failed(self, team: Team, path: str) -> None:
        figure = team.asked(Metric.CHANGE_FAIL_RATE, path)
        assert fraction(figure) == (2, 4)
        assert beside(figure) == {Aside.UNDONE: 2}
        # Wilson, with z² = 3.84: ½ ± 1.96 · √(¼ ÷ 4 + 3.84 ÷ 64) ÷ (1 + 3.84 ÷ 4).
        assert [round(end, 2) for end in figure["interval"]] == [0.15, 0.85]

    def test_an_entity_may_hold_that_rollbacks_are_no_failures(self, team: Team, path: str) -> None:
        Entity.objects.filter(id=team.world.tenant.id).update(rollbacks_fail=False)
        figure = team.asked(Metric.CHANGE_FAIL_RATE, path)
        assert fraction(figure) == (0, 4)
        assert beside(figure) == {Aside.UNDONE: 2}

    def test_nothing_waits_although_v1_is_live(self, team: Team, path: str) -> None:
        assert team.asked(Metric.COMMITS_WAITING, path)["value"] == 0

    def test_what_goes_live_once_more_was_shipped_before(self, team: Team, path: str, git_repo: GitRepo) -> None:
        team.release(path, git_repo.sha("main"), june(7, 10), name="V3 again")
        assert fraction(team.asked(Metric.DEPLOYMENT_FREQUENCY, path)) == (5, 10)
        assert team.asked(Metric.CHANGE_LEAD_TIME, path)["n"] == 3
        assert fraction(team.asked(Metric.CHANGE_FAIL_RATE, path)) == (2, 5)


class TestHotfixMergedBack:
    """A fix is released from the version that is live, and merged into a trunk that had gone on."""

    @pytest.fixture
    def path(self, team: Team, git_repo: GitRepo) -> str:
        a = git_repo.commit("a", at=june(1, 10))
        git_repo.commit("b", at=june(3, 10))
        h = git_repo.commit("h", at=june(3, 14), branch="hotfix", parents=[a])
        m = git_repo.merge("hotfix", at=june(3, 18))
        path = team.repo(git_repo)
        team.release(path, a, june(2, 10), name="1.0")
        team.release(path, h, june(3, 16), name="1.0.1")
        team.release(path, m, june(5, 10), name="1.1")
        team.defect(path, "PAY-1", detected_at=june(3, 12))
        team.defect(path, "PAY-1", fix_released_at=june(3, 16), fix_released_sha=h)
        return path

    def test_the_hotfix_is_shipped_once(self, team: Team, path: str) -> None:
        figure = team.asked(Metric.CHANGE_LEAD_TIME, path)
        # h: 3 June 14:00 to 16:00. b: 3 June 10:00 to 5 June 10:00. The median of two is their mean.
        assert figure["n"] == 2
        assert figure["value"] == 25 * HOUR
        assert figure["p75"] == 48 * HOUR
        assert left_out(figure) == {Reason.BASELINE: 1, Reason.MERGE: 1}

    def test_the_release_before_the_detection_is_blamed(self, team: Team, path: str) -> None:
        figure = team.asked(Metric.CHANGE_FAIL_RATE, path)
        assert fraction(figure) == (1, 3)
        assert beside(figure) == {Aside.WITH_DEFECT: 1, Aside.GUESSED: 1}

    def test_only_the_hotfix_is_rework(self, team: Team, path: str) -> None:
        assert fraction(team.asked(Metric.REWORK_RATE, path)) == (1, 3)

    def test_it_took_four_hours(self, team: Team, path: str) -> None:
        for metric in (Metric.RECOVERY_TIME, Metric.TIME_TO_FIRST_FIX):
            figure = team.asked(metric, path)
            assert (figure["value"], figure["n"]) == (4 * HOUR, 1)
            assert not figure["is_enough"]
        assert fraction(team.asked(Metric.FIXES_NOT_HOLDING, path)) == (0, 1)
        assert team.asked(Metric.OPEN_DEFECTS, path)["value"] == 0

    def test_a_second_fix_in_the_repo_says_that_the_first_did_not_hold(self, team: Team, path: str) -> None:
        team.defect(path, "PAY-1", fix_released_at=june(5, 10))
        assert fraction(team.asked(Metric.FIXES_NOT_HOLDING, path)) == (1, 2)
        assert team.asked(Metric.TIME_TO_FIRST_FIX, path)["value"] == 4 * HOUR
        assert team.asked(Metric.RECOVERY_TIME, path)["value"] == 46 * HOUR  # 3 June 12:00 to 5 June 10:00
        assert fraction(team.asked(Metric.REWORK_RATE, path)) == (2, 3)  # 1.1 went live at the instant of that fix


class TestBackfilledYear:
    """The whole of 2023 is recorded afterwards, newest first: a commit on each 1st, released on the 11th."""

    YEAR = (date(2023, 1, 1), date(2023, 12, 31))

    @pytest.fixture
    def commits(self, git_repo: GitRepo) -> list[str]:
        return [git_repo.commit(f"m{month}", at=f"2023-{month:02}-01T10:00:00Z") for month in range(1, 13)]

    @pytest.fixture
    def path(self, team: Team, git_repo: GitRepo, commits: list[str]) -> str:
        path = team.repo(git_repo)
        for month in range(12, 0, -1):
            team.release(path, commits[month - 1], f"2023-{month:02}-11T10:00:00Z")
        return path

    def test_it_counts_as_if_it_had_been_reported_at_the_time(self, team: Team, path: str) -> None:
        frequency = team.summary(Metric.DEPLOYMENT_FREQUENCY, *self.YEAR, path)
        assert fraction(frequency) == (12, 365)
        assert frequency["value"] == 12 / 365
        months = team.points(Metric.DEPLOYMENT_FREQUENCY, *self.YEAR, path, Interval.MONTHLY)
        assert [fraction(point) for point in months] == [
            (1, days) for days in (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
        ]
        lead = team.summary(Metric.CHANGE_LEAD_TIME, *self.YEAR, path)
        assert (lead["value"], lead["n"]) == (10 * DAY, 11)
        assert left_out(lead) == {Reason.BASELINE: 1}

    def test_the_second_half_stands_beside_the_days_before(self, team: Team, path: str) -> None:
        # 184 days, and the 184 before them: from 29 December 2022 to 30 June 2023.
        half = team.summary(Metric.DEPLOYMENT_FREQUENCY, date(2023, 7, 1), date(2023, 12, 31), path)
        assert fraction(half) == (6, 184)
        assert (half["previous"]["start_date"], half["previous"]["end_date"]) == ("2022-12-29", "2023-06-30")
        assert fraction(half["previous"]) == (6, 184)

    def test_a_release_that_turns_up_late_takes_its_commits(self, team: Team, path: str, commits: list[str]) -> None:
        team.release(path, commits[6], "2023-07-03T10:00:00Z")
        frequency = team.summary(Metric.DEPLOYMENT_FREQUENCY, *self.YEAR, path)
        # One more, and that of 11 July has become a redeploy of the same commit.
        assert fraction(frequency) == (12, 365)
        assert left_out(frequency) == {Reason.REDEPLOY: 1}
        lead = team.summary(Metric.CHANGE_LEAD_TIME, *self.YEAR, path)
        assert (lead["value"], lead["n"]) == (10 * DAY, 11)
        assert lead["mean"] == (10 * 10 + 2) * DAY / 11


class TestTwoReposOneIncident:
    """Two repos in production, and an incident of their organization that is mended in both."""

    @pytest.fixture
    def gits(self, tmp_path: Path) -> tuple[GitRepo, GitRepo]:
        shop, pay = GitRepo(tmp_path / "shop.git"), GitRepo(tmp_path / "pay.git")
        for at in (june(1, 10), june(3, 10), june(4, 13)):
            shop.commit(at, at=at)
        for at in (june(1, 11), june(3, 11), june(5, 10)):
            pay.commit(at, at=at)
        return shop, pay

    @pytest.fixture
    def ids(self, team: Team, gits: tuple[GitRepo, GitRepo]) -> dict[str, str]:
        """The releases by name; the incident is found on 4 June at 12:00."""
        ids = {}
        for git, slug, times in (
            (gits[0], "shop", (june(2, 10), june(4, 10), june(4, 15))),
            (gits[1], "pay", (june(2, 12), june(4, 11), june(5, 12))),
        ):
            path = team.repo(git, slug)
            for number, (sha, at) in enumerate(zip(git.commits, times, strict=True), 1):
                ids[f"{slug} {number}"] = team.release(path, sha, at)
            last = list(git.commits)[-1]
            if slug == "shop":
                team.defect(f"{team.world.path}/acme", "INC-1", detected_at=june(4, 12))
            team.defect(path, "INC-1", fix_released_at=times[-1], fix_released_sha=last)
        return ids

    def test_it_is_one_failure_and_two_releases_of_rework(self, team: Team, ids: dict[str, str]) -> None:
        assert len(ids) == 6
        assert fraction(team.asked(Metric.DEPLOYMENT_FREQUENCY)) == (6, 10)
        # Fixed in both, so either may be to blame: the last before 12:00 is the one of pay at 11:00.
        assert fraction(team.asked(Metric.CHANGE_FAIL_RATE)) == (1, 6)
        assert fraction(team.asked(Metric.REWORK_RATE)) == (2, 6)
        assert fraction(team.asked(Metric.FIXES_NOT_HOLDING)) == (0, 2)

    def test_it_lasted_until_the_second_repo_had_its_fix(self, team: Team, ids: dict[str, str]) -> None:
        assert ids
        recovery, first = team.asked(Metric.RECOVERY_TIME), team.asked(Metric.TIME_TO_FIRST_FIX)
        assert (recovery["value"], recovery["n"]) == (24 * HOUR, 1)
        assert (first["value"], first["n"]) == (3 * HOUR, 1)

    def test_lead_times_are_those_of_both(self, team: Team, ids: dict[str, str]) -> None:
        assert ids
        figure = team.asked(Metric.CHANGE_LEAD_TIME)
        # shop: 24 h and 2 h; pay: 24 h and 2 h.
        assert (figure["value"], figure["n"], figure["p90"]) == (13 * HOUR, 4, 24 * HOUR)
        assert left_out(figure) == {Reason.BASELINE: 2}

    def test_each_repo_has_the_incident_and_its_own_releases(self, team: Team, ids: dict[str, str]) -> None:
        assert ids
        shop, pay = (str(team.world.repo_path(slug)) for slug in ("shop", "pay"))
        assert fraction(team.asked(Metric.CHANGE_FAIL_RATE, shop)) == (0, 3)
        assert fraction(team.asked(Metric.CHANGE_FAIL_RATE, pay)) == (1, 3)
        for path in (shop, pay):
            assert fraction(team.asked(Metric.REWORK_RATE, path)) == (1, 3)
            recovery = team.asked(Metric.RECOVERY_TIME, path)
            assert (recovery["value"], recovery["n"]) == (24 * HOUR, 1)

    def test_the_release_that_somebody_names_is_to_blame(self, team: Team, ids: dict[str, str]) -> None:
        reply = team.world.api().post("critical_defect_causes/INC-1", release=ids["shop 2"])
        assert reply.status == 200, reply.json
        shop, pay = (str(team.world.repo_path(slug)) for slug in ("shop", "pay"))
        assert fraction(team.asked(Metric.CHANGE_FAIL_RATE, shop)) == (1, 3)
        assert fraction(team.asked(Metric.CHANGE_FAIL_RATE, pay)) == (0, 3)
        assert beside(team.asked(Metric.CHANGE_FAIL_RATE)) == {Aside.WITH_DEFECT: 1}


class TestLeftOut:
    """What is left out, and why."""

    @pytest.fixture
    def path(self, team: Team, git_repo: GitRepo) -> str:
        a = git_repo.commit("a", at=june(1, 10))
        b = git_repo.commit("b", at=june(2, 10))
        git_repo.commit("c", at=june(3, 10), author_at=june(9, 10))
        d = git_repo.raw_commit(author=b"A <a@example.org> 99999999999999 +0000")
        e = git_repo.commit("e", at=june(8, 10))
        path = team.repo(git_repo)
        team.release(path, a, june(1, 12))
        team.release(path, d, june(4, 9), status="failed")
        team.release(path, d, june(4, 10))
        team.release(path, d, june(5, 10))
        team.release(path, d, june(6, 10), status="cancelled")
        team.defect(path, "D-1", detected_at=june(3, 10))
        team.defect(path, "D-1", fix_released_sha=b)
        team.defect(path, "D-2", detected_at=june(8, 10))
        team.defect(path, "D-3", detected_at=june(20, 10))
        assert e == git_repo.sha("main")
        return path

    def test_a_release_that_failed_was_cancelled_or_changed_nothing(self, team: Team, path: str) -> None:
        figure = team.asked(Metric.DEPLOYMENT_FREQUENCY, path, days=30)
        assert fraction(figure) == (2, 30)
        assert left_out(figure) == {Reason.FAILED: 1, Reason.CANCELLED: 1, Reason.REDEPLOY: 1}

    def test_a_commit_whose_clock_can_not_be_believed(self, team: Team, path: str) -> None:
        figure = team.asked(Metric.CHANGE_LEAD_TIME, path, days=30)
        assert (figure["value"], figure["n"]) == (48 * HOUR, 1)  # b alone: 2 June 10:00 to 4 June 10:00
        assert left_out(figure) == {Reason.BASELINE: 1, Reason.TIMELESS: 1, Reason.EARLY: 1}

    def test_a_defect_whose_fix_is_dated_before_it(self, team: Team, path: str) -> None:
        figure = team.asked(Metric.RECOVERY_TIME, path, days=30)
        assert (figure["value"], figure["n"]) == (None, 0)
        assert left_out(figure) == {Reason.BACKWARD: 1}
        assert beside(figure) == {Aside.STILL_OPEN: 2}

    def test_a_defect_long_after_any_release(self, team: Team, path: str) -> None:
        figure = team.asked(Metric.CHANGE_FAIL_RATE, path, days=30)
        # D-1: the release of 1 June. D-2: that of 4 June, 96 hours before. D-3: none in the 168 hours before.
        assert fraction(figure) == (2, 2)
        assert beside(figure) == {Aside.WITH_DEFECT: 2, Aside.GUESSED: 2, Aside.UNATTRIBUTED: 1}

    def test_a_defect_blamed_on_what_does_not_count(self, team: Team, path: str, git_repo: GitRepo) -> None:
        tip = git_repo.sha("main")
        tried = team.release(path, tip, june(2, 12), environment="staging")
        api = team.world.api()
        assert api.post("critical_defect_causes/D-1", release=tried).status == 200
        team.release(path, tip, june(7, 10))
        assert api.post("critical_defect_causes/D-2", accept="true").status == 200
        # What was accepted turns out to have been live before.
        team.release(path, tip, june(6, 11))
        figure = team.asked(Metric.CHANGE_FAIL_RATE, path, days=30)
        assert fraction(figure) == (0, 3)
        assert beside(figure) == {Aside.UNATTRIBUTED: 1, Aside.ELSEWHERE: 2}

    def test_what_is_open_and_what_waits(self, team: Team, path: str) -> None:
        assert team.asked(Metric.OPEN_DEFECTS, path, days=10)["value"] == 1
        assert team.asked(Metric.OPEN_DEFECTS, path, days=30)["value"] == 2
        assert team.asked(Metric.COMMITS_WAITING, path)["value"] == 1


def test_days_are_those_of_the_entity_s_zone(team: Team, git_repo: GitRepo) -> None:
    Entity.objects.filter(id=team.world.tenant.id).update(time_zone="America/New_York")
    a = git_repo.commit("a", at=june(1, 10))
    b = git_repo.commit("b", at=june(2, 10))
    path = team.repo(git_repo)
    team.release(path, a, june(2, 12))
    team.release(path, b, june(11, 3))  # on 10 June at 23:00 in New York
    days = team.points(Metric.DEPLOYMENT_FREQUENCY, date(2024, 6, 10), date(2024, 6, 11), path)
    assert [(point["date"], point["numerator"]) for point in days] == [("2024-06-10", 1), ("2024-06-11", 0)]


def test_the_page_tells_every_metric_and_every_reason() -> None:
    page = (Path(__file__).parents[2] / "docs" / "metrics.md").read_text()
    for info in INFO.values():
        assert f"**{info.name}**" in page
    told = " ".join(page.split())
    for word in WORDS.values():
        assert word in told
    assert WORDS.keys() == set(Reason)

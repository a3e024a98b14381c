"""Facts from the database against git itself and the words of the definitions, whatever came, went or moved when."""

from __future__ import annotations

import random
import statistics
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from shipmend.catalog.queries import find_place
from shipmend.core.causes import CauseKind
from shipmend.core.dora import Figure, figures
from shipmend.core.facts import Reason
from shipmend.core.metrics import Dimension, Metric
from shipmend.core.moments import iso
from shipmend.core.values import ResourcePath
from shipmend.core.windows import Interval, Window
from shipmend.delivery.causes import causes_of
from shipmend.delivery.models import CriticalDefect, ReleaseLead
from shipmend.reports.load import Ground
from shipmend.reports.series import ground_of, groups, measure
from tests.gitworld import GitRepo
from tests.questions import asked
from tests.reports.busy import Busy
from tests.world import FIRST_DAY, World

pytestmark = pytest.mark.database

DAY = 86_400
START = datetime.fromtimestamp(FIRST_DAY, UTC).date()
WHOLE = Window(START, date.fromordinal(START.toordinal() + 60), ZoneInfo("UTC"))


def ground(world: World, path: ResourcePath | None = None, environment: str = "production") -> Ground:
    return ground_of(find_place(world.tenant, path or world.path), environment, WHOLE)


def found(world: World, path: ResourcePath | None = None, environment: str = "production") -> dict[Metric, Figure]:
    here = ground(world, path, environment)
    return figures(here.facts, WHOLE, here.rules)


@dataclass
class Line:
    """A repo with twenty commits a day apart, some of them on branches, and a merge."""

    world: World
    git: GitRepo
    slug: str = "shop"

    def __post_init__(self) -> None:
        for n in range(20):
            branch = f"side-{n}" if n % 5 == 4 else "main"
            parents = None if branch == "main" else [self.git.sha("main")]
            self.git.commit(f"c{n}", at=FIRST_DAY + n * DAY, branch=branch, parents=parents)
        self.git.merge("side-9", at=FIRST_DAY + 20 * DAY)
        self.path = str(self.world.repo(self.slug, self.git).path)
        self.api = self.world.api()

    def release(self, sha: str, day: float, **more: str) -> str:
        call = {"resource_path": self.path, "release_sha": sha, "released_at": iso(FIRST_DAY + int(day * DAY))}
        reply = self.api.post("releases", {**call, **more})
        assert reply.status == 200, reply.json
        return str(reply.json["release"]["id"])

    def leads(self, releases: list[tuple[float, str]]) -> list[int]:
        """By git: the seconds that each commit, merges apart, took to the first release that has it; no baseline."""
        times: list[int] = []
        seen: list[str] = []
        for at, sha in sorted(releases):
            new = self.git.git("log", "--no-merges", "--format=%at", sha, "--not", *seen).split()
            seconds = [FIRST_DAY + int(at * DAY) - int(authored) for authored in new]
            times += [each for each in seconds if each >= 0] if seen else []
            seen.append(sha)
        return times


@pytest.fixture
def line(world: World, git_repo: GitRepo) -> Line:
    return Line(world, git_repo)


@pytest.mark.parametrize("seed", range(4))
def test_lead_times_are_those_of_git_after_every_change(line: Line, seed: int) -> None:
    chance = random.Random(seed)
    commits = list(line.git.commits)
    days = chance.sample(range(46), 8)
    standing: dict[str, tuple[float, str]] = {}
    for _ in range(8):
        if standing and chance.random() < 0.3:
            gone = chance.choice(list(standing))
            assert line.api.delete(f"releases/{gone}").status == 200
            del standing[gone]
        else:
            day, sha = days.pop() + 0.5, chance.choice(commits)
            standing[line.release(sha, day)] = (day, sha)
        lead = found(line.world)[Metric.CHANGE_LEAD_TIME]
        times = line.leads(list(standing.values()))
        assert (lead.n, lead.numerator) == (len(times), sum(times))
        assert lead.value == (statistics.median(times) if times else None)


def test_what_is_kept_is_what_is_found_anew(line: Line) -> None:
    commits = list(line.git.commits)
    for sha, day in ((commits[3], 5), (commits[12], 14), (commits[-1], 22)):
        line.release(sha, day)
    first, kept = found(line.world), found(line.world)
    assert ReleaseLead.objects.filter(entity_id=line.world.tenant.id).count() == 3
    ReleaseLead.objects.filter(entity_id=line.world.tenant.id).delete()
    assert first == kept == found(line.world)


def test_a_baseline_tells_how_many_commits_and_takes_no_part(line: Line) -> None:
    commits = list(line.git.commits)
    line.release(commits[3], 5)
    lead = found(line.world)[Metric.CHANGE_LEAD_TIME]
    assert (lead.n, [(each.reason, each.amount) for each in lead.excluded]) == (0, [(Reason.BASELINE, 4)])
    line.release(commits[0], 2)
    lead = found(line.world)[Metric.CHANGE_LEAD_TIME]
    assert (lead.n, [(each.reason, each.amount) for each in lead.excluded]) == (3, [(Reason.BASELINE, 1)])


def test_a_rollback_undoes_what_it_went_back_over(line: Line) -> None:
    a, b, c, *_ = line.git.commits
    one, two, three = (line.release(sha, day) for sha, day in ((a, 5), (b, 6), (c, 7)))
    back = line.release(a, 8)
    undone = {
        str(row.release.id): str(row.release.undone_by) for row in ground(line.world).facts.releases if row.is_undone
    }
    assert undone == {two: back, three: back}
    assert found(line.world)[Metric.CHANGE_FAIL_RATE].numerator == 2
    # Reported late, and of another day: what was undone follows.
    assert line.api.delete(f"releases/{back}").status == 200
    assert found(line.world)[Metric.CHANGE_FAIL_RATE].numerator == 0
    line.release(b, 7.5)
    assert found(line.world)[Metric.CHANGE_FAIL_RATE].numerator == 1
    assert one not in {str(row.release.id) for row in ground(line.world).facts.releases if row.is_undone}


def test_taking_all_away_and_adding_it_again_in_another_order_changes_nothing(line: Line) -> None:
    a, _b, c, d, e, *_ = line.git.commits
    calls: list[tuple[str, float, dict[str, str]]] = [
        (a, 5, {}), (c, 6, {}), (a, 7, {}), (c, 8, {}), (c, 8.5, {}), (d, 9, {"status": "failed"}), (e, 9.5, {}),
    ]  # fmt: skip
    ids = [line.release(sha, day, **more) for sha, day, more in calls]
    before = found(line.world)
    for each in ids:
        line.api.delete(f"releases/{each}")
    assert found(line.world)[Metric.DEPLOYMENT_FREQUENCY].n == 0
    for sha, day, more in reversed(calls):
        line.release(sha, day, **more)
    assert found(line.world) == before


def test_a_fix_is_carried_by_the_first_release_with_its_commit(line: Line) -> None:
    a, b, _c, d, *_ = line.git.commits
    line.release(a, 5)
    carrier = line.release(d, 9)
    call = {"resource_path": line.path, "defect_key": "X", "detected_at": iso(FIRST_DAY + 6 * DAY)}
    assert (
        line.api.post("critical_defects", call, fix_released_sha=b, fix_released_at=iso(FIRST_DAY + 8 * DAY)).status
        == 200
    )
    rows = {str(row.release.id): row.fixes for row in ground(line.world).facts.releases}
    assert [id_ for id_, fixes in rows.items() if fixes] == [carrier]
    assert found(line.world)[Metric.REWORK_RATE].numerator == 1


def test_where_no_history_tells_a_fix_is_carried_by_its_sha_or_its_instant(world: World) -> None:
    path = str(world.repo("blind").path)
    api = world.api()
    for day, sha in ((5, "a"), (6, "b"), (7, "c"), (8, "b")):
        call = {"resource_path": path, "release_sha": sha * 40, "released_at": iso(FIRST_DAY + day * DAY)}
        assert api.post("releases", call).status == 200
    defect = {"resource_path": path, "defect_key": "X", "detected_at": iso(FIRST_DAY + 5 * DAY)}
    by_sha = {"fix_released_sha": "b" * 40, "fix_released_at": iso(FIRST_DAY + 9 * DAY)}
    assert api.post("critical_defects", {**defect, **by_sha}).status == 200
    assert api.post("critical_defects", {**defect, "fix_released_at": iso(FIRST_DAY + 7 * DAY)}).status == 200
    carried = [row.release.released_at for row in ground(world).facts.releases if row.fixes]
    assert carried == [FIRST_DAY + 6 * DAY, FIRST_DAY + 7 * DAY]


def test_environments_and_strangers_are_apart(line: Line, stranger: World) -> None:
    a, b, *_ = line.git.commits
    line.release(a, 5)
    line.release(b, 6, environment="staging")
    assert found(line.world)[Metric.DEPLOYMENT_FREQUENCY].n == 1
    assert found(line.world, environment="staging")[Metric.DEPLOYMENT_FREQUENCY].n == 1
    assert found(stranger)[Metric.DEPLOYMENT_FREQUENCY].n == 0


def test_a_defect_of_the_entity_blames_a_repo_and_counts_there(
    world: World, git_repo: GitRepo, tmp_path_factory: pytest.TempPathFactory
) -> None:
    one = Line(world, git_repo, "one")
    two = Line(world, GitRepo(tmp_path_factory.mktemp("two") / "two.git"), "two")
    one.release(next(iter(one.git.commits)), 5)
    guilty = two.release(next(iter(two.git.commits)), 6)
    defect = {"resource_path": str(world.path), "defect_key": "X", "detected_at": iso(FIRST_DAY + 7 * DAY)}
    assert world.api().post("critical_defects", defect).status == 200
    assert found(world)[Metric.CHANGE_FAIL_RATE].numerator == 0
    for each in (one, two):
        fix = {"resource_path": each.path, "defect_key": "X", "fix_released_at": iso(FIRST_DAY + 8 * DAY)}
        assert world.api().post("critical_defects", fix).status == 200
    here = ground(world)
    assert [str(row.release.id) for row in here.facts.releases if row.defects] == [guilty]
    assert found(world)[Metric.RECOVERY_TIME].n == 1
    rates = {group.label: figures(group.facts, WHOLE, here.rules) for group in groups(here, Dimension.REPO)}
    assert [rates[each.path][Metric.CHANGE_FAIL_RATE].numerator for each in (one, two)] == [0, 1]
    assert [rates[each.path][Metric.RECOVERY_TIME].n for each in (one, two)] == [1, 1]


def test_a_part_of_a_repo_counts_the_commits_that_touch_its_paths(world: World, git_repo: GitRepo) -> None:
    for n in range(6):
        git_repo.commit(f"c{n}", at=FIRST_DAY + n * DAY, files={f"{'api' if n % 2 else 'web'}/{n}.txt": str(n)})
    source = world.repo("mono", git_repo)
    part = world.part("api", source, "api/**")
    commits = list(git_repo.commits)
    for sha, day in ((commits[1], 7), (commits[5], 9)):
        call = {"resource_path": str(part.path), "release_sha": sha, "released_at": iso(FIRST_DAY + day * DAY)}
        assert world.api().post("releases", call).status == 200
    for _ in range(2):
        lead = found(world, part.path)[Metric.CHANGE_LEAD_TIME]
        assert (lead.n, lead.numerator) == (2, (6 + 4) * DAY)


@pytest.mark.parametrize("seed", [21, 22])
def test_a_cause_is_the_same_from_all_releases_read_and_from_the_last_ones_looked_up(
    world: World, tmp_path: Path, seed: int
) -> None:
    Busy(world, tmp_path, seed)
    read = ground(world).causes
    looked_up = causes_of(world.tenant, CriticalDefect.objects.filter(entity_id=world.tenant.id))
    assert read == {id_: looked_up[id_] for id_ in read}
    assert {cause.kind for cause in read.values()} == {CauseKind.GUESS, CauseKind.UNATTRIBUTED}


def test_the_number_of_queries_does_not_grow(line: Line) -> None:
    commits = list(line.git.commits)

    def cost() -> int:
        found(line.world)
        with asked() as questions:
            here = ground(line.world)
            for metric in set(Metric) - {Metric.COMMITS_WAITING}:
                measure(here, metric, WHOLE, Interval.WEEKLY)
        return questions.count

    line.release(commits[0], 3)
    few = cost()
    for n, sha in enumerate(commits[1:], start=1):
        line.release(sha, 20 + n)
        call = {"resource_path": line.path, "defect_key": f"D{n}", "detected_at": iso(FIRST_DAY + (20 + n) * DAY)}
        assert line.api.post("critical_defects", call, fix_released_at=iso(FIRST_DAY + 50 * DAY)).status == 200
    assert cost() == few


def test_a_defect_whose_fix_is_dated_long_before_it_is_left_out_where_it_was_resolved(line: Line) -> None:
    defect = {"resource_path": line.path, "defect_key": "X", "detected_at": iso(FIRST_DAY + 90 * DAY)}
    reply = line.api.post("critical_defects", defect, fix_released_sha=next(iter(line.git.commits)))
    assert reply.status == 200, reply.json
    recovery = found(line.world)[Metric.RECOVERY_TIME]
    assert (recovery.n, [(each.reason, each.amount) for each in recovery.excluded]) == (0, [(Reason.BACKWARD, 1)])

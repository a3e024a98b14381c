"""Which release carried a fix, by the words of docs/metrics.md and git, in whatever order all was recorded."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise, permutations

import pytest

from shipmend.catalog.queries import find_repo
from shipmend.core.moments import iso
from shipmend.core.releases import ReleaseCommit
from shipmend.core.values import ResourcePath
from shipmend.history import queries as history
from tests.gitworld import GitRepo
from tests.reports.busy import DAY, FIRST, LAST
from tests.world import FIRST_DAY, Api, World

pytestmark = pytest.mark.database


@dataclass(frozen=True)
class Told:
    """A release as it is reported; its name is all that it has in common with the same one elsewhere."""

    name: str
    sha: str
    at: int
    status: str = "succeeded"


@dataclass
class Scene:
    """A repo, whose environments all see the same releases."""

    path: str
    api: Api

    def release(self, environment: str, releases: Iterable[Told]) -> None:
        """Report them, in this order."""
        for told in releases:
            call = {"release_sha": told.sha, "released_at": iso(told.at), "name": told.name, "status": told.status}
            reply = self.api.post("releases", {**call, "resource_path": self.path, "environment": environment})
            assert reply.status == 200, reply.json

    def defect(self, key: str, **fix: object) -> None:
        """Report a defect with a fix."""
        call = {"resource_path": self.path, "defect_key": key, "detected_at": iso(FIRST_DAY)}
        reply = self.api.post("critical_defects", {**call, **fix})
        assert reply.status == 200, reply.json

    def audits(self, environment: str) -> list[dict[str, object]]:
        """Every release with the fixes it carried."""
        days = {"start_date": FIRST, "end_date": LAST}
        place = {"resource_path": self.path, "environment": environment}
        reply = self.api.get("audits", resource_type="releases", **place, **days)
        assert reply.status == 200, reply.json
        found: list[dict[str, object]] = reply.json["audits"]
        return found

    def fixed(self, environment: str) -> dict[str, list[str]]:
        """The same from the pages of the releases."""
        found = {}
        for row in self.audits(environment):
            reply = self.api.get(f"releases/{row['id']}/changes")
            assert reply.status == 200, reply.json
            found[str(row["name"])] = [defect["defect_key"] for defect in reply.json["changes"]["defects_fixed"]]
        return {name: sorted(keys) for name, keys in found.items() if keys}

    def carried(self, environment: str) -> dict[str, list[str]]:
        """Which fixes each release carried, by its name; none that carried nothing."""
        return {str(row["name"]): row["carried_fixes"] for row in self.audits(environment) if row["carried_fixes"]}  # type: ignore[misc]  # a list of keys


@dataclass(frozen=True)
class Fix:
    """A fix as it is reported, of a defect of its own."""

    key: str
    sha: str = ""
    at: int | None = None

    @property
    def call(self) -> dict[str, object]:
        """What is said of it."""
        at = {} if self.at is None else {"fix_released_at": iso(self.at)}
        return {"fix_released_sha": self.sha, **at} if self.sha else {**at}


def by_definition(
    releases: Iterable[Told], fixes: Iterable[Fix], numbers: dict[str, int], contained: dict[str, set[str]]
) -> dict[str, list[str]]:
    """Which fixes each release carried; `contained` has what git says a commit contains, where git is asked."""
    live = [told for told in releases if told.status == "succeeded"]
    live.sort(key=lambda told: (told.at, numbers.get(told.sha, -1), told.sha))
    redeploys = [later for earlier, later in pairwise(live) if earlier.sha == later.sha]
    found: dict[str, list[str]] = {}
    for fix in fixes:
        if fix.sha in contained:
            carriers = [told for told in live if fix.sha in contained[told.sha]]
        else:
            here = [told for told in live if told.at == fix.at]
            carriers = [told for told in live if told.sha == fix.sha]
            carriers = carriers or [told for told in here if told not in redeploys] or here
        if carriers:
            found.setdefault(carriers[0].name, []).append(fix.key)
    return {name: sorted(keys) for name, keys in found.items()}


def numbers_of(world: World, scene: Scene, commits: Iterable[str]) -> dict[str, int]:
    repo = find_repo(ResourcePath.parse(scene.path))
    found = {sha: history.commit_by_sha(world.tenant.id, repo.number, sha) for sha in commits}
    return {
        sha: seen.number for sha, seen in found.items() if isinstance(seen, ReleaseCommit) and seen.number is not None
    }


def happened(chance: random.Random, commits: Sequence[str]) -> tuple[list[Told], list[Fix]]:
    """Releases and fixes, many of which share a second."""
    seconds = [FIRST_DAY + n * DAY for n in range(1, 6)]
    events = chance.sample([(sha, at) for sha in commits for at in seconds], 14)
    statuses = ["succeeded"] * 5 + ["failed", "cancelled"]
    releases = [Told(f"r{n}", sha, at, chance.choice(statuses)) for n, (sha, at) in enumerate(events)]
    fixes = []
    for n in range(12):
        sha, at = chance.choice(commits), chance.choice(seconds)
        fixes.append(Fix(f"D-{n:02}", *chance.choice([("", at), (sha, at), (sha, at + 7)])))
    return releases, fixes


def scene_of(world: World, git: GitRepo | None) -> Scene:
    return Scene(str(world.repo(git=git).path), world.api())


@pytest.fixture
def line(git_repo: GitRepo) -> list[str]:
    return [git_repo.commit(f"c{n}", at=FIRST_DAY + n) for n in range(8)]


def test_of_several_releases_in_the_second_of_a_fix_one_that_counts_carries_it(
    world: World, git_repo: GitRepo, line: list[str]
) -> None:
    scene = scene_of(world, git_repo)
    at = FIRST_DAY + 5 * DAY
    releases = [
        Told("base", line[1], at - DAY),
        Told("redeploy", line[1], at),
        Told("forward", line[3], at),
        Told("further", line[4], at),
    ]
    scene.defect("TIE", fix_released_at=iso(at))
    for n, order in enumerate(permutations(releases)):
        scene.release(f"e{n}", order)
        assert scene.carried(f"e{n}") == {"forward": ["TIE"]}, [told.name for told in order]


def test_a_fix_whose_commit_is_known_waits_for_the_release_that_contains_it(
    world: World, git_repo: GitRepo, line: list[str]
) -> None:
    scene = scene_of(world, git_repo)
    at = FIRST_DAY + 5 * DAY
    scene.release("e", [Told("one", line[1], at - DAY), Told("two", line[3], at)])
    scene.defect("KNOWN", fix_released_sha=line[5], fix_released_at=iso(at))
    assert scene.carried("e") == {}
    scene.release("e", [Told("three", line[6], at + DAY)])
    assert scene.carried("e") == {"three": ["KNOWN"]}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("has_history", [True, False])
def test_audits_and_pages_name_the_release_that_the_definition_names_whatever_was_recorded_first(
    world: World, git_repo: GitRepo, seed: int, has_history: bool
) -> None:
    chance = random.Random(seed)
    for n in range(8):
        branch = chance.choice(["main", "side"])
        git_repo.commit(f"c{n}", at=FIRST_DAY + n, branch=branch)
        git_repo.tag(f"keep-{n}", git_repo.sha(branch))
    commits = list(git_repo.commits)
    scene = scene_of(world, git_repo if has_history else None)
    numbers = numbers_of(world, scene, commits) if has_history else {}
    contained = {sha: set(git_repo.git("rev-list", sha).split()) for sha in commits} if has_history else {}
    releases, fixes = happened(chance, commits)
    scene.release("first", releases)
    for fix in chance.sample(fixes, len(fixes)):
        scene.defect(fix.key, **fix.call)
    scene.release("second", chance.sample(releases, len(releases)))
    expected = by_definition(releases, fixes, numbers, contained)
    assert len(expected) > 3
    for environment in ("first", "second"):
        assert scene.carried(environment) == expected
        assert scene.fixed(environment) == expected

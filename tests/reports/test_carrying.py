"""Which release carried a fix, by the words of docs/metrics.md and git, in whatever order all was recorded."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import permutations

import pytest

from shipmend.core.moments import iso
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

    def carried(self, environment: str) -> dict[str, list[str]]:
        """Which fixes each release carried, by its name; none that carried nothing."""
        return {str(row["name"]): row["carried_fixes"] for row in self.audits(environment) if row["carried_fixes"]}  # type: ignore[misc]  # a list of keys


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

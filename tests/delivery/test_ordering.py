"""Lists of releases, many of which went live in the same second: the same whatever was recorded first."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import Any

import pytest

from shipmend.catalog.queries import Place, find_place
from shipmend.core.live import State
from shipmend.core.moments import iso
from shipmend.core.streams import order
from shipmend.core.values import ResourcePath
from shipmend.delivery.defect_page import read_defect_page
from shipmend.delivery.live import live_of_release
from shipmend.delivery.models import Release
from shipmend.delivery.queries import list_releases
from shipmend.delivery.store import release_by_id
from shipmend.delivery.tickets import find_ticket
from shipmend.history.indexed import indexed_repos
from tests.gitworld import GitRepo
from tests.world import FIRST_DAY, World

pytestmark = pytest.mark.database

DAY = 86_400
Call = dict[str, Any]


@dataclass(frozen=True)
class Scene:
    """An entity with two repos of one history."""

    world: World
    git: GitRepo

    @classmethod
    def make(cls, git: GitRepo) -> Scene:
        world = World.make()
        for slug in ("shop", "till"):
            world.repo(slug, git)
        return cls(world, git)

    def record(self, calls: Iterable[Call]) -> None:
        """Report releases, in this order, each to the repo of its slug."""
        api = self.world.api()
        for call in calls:
            path = str(self.world.repo_path(call["slug"]))
            reply = api.post("releases", {**call, "resource_path": path})
            assert reply.status == 200, reply.json

    def place(self, path: ResourcePath | None = None) -> Place:
        return find_place(self.world.tenant, path or self.world.path)

    def listed(self, slug: str = "", size: int = 100, **more: Any) -> list[str]:
        """The names of the releases, from page after page."""
        place, names, number = self.place(self.world.repo_path(slug) if slug else None), list[str](), 1
        while True:
            page = list_releases(place, page=number, size=size, **more)
            names += [release.name for release in page.items]
            number += 1
            if not page.has_next:
                return names


@pytest.fixture
def line(git_repo: GitRepo) -> list[str]:
    return [git_repo.commit(f"c{n}", at=FIRST_DAY + n) for n in range(6)]


def happened(chance: random.Random, line: Sequence[str]) -> list[Call]:
    """Releases of few seconds, each with a name of its own."""
    streams = [(slug, environment) for slug in ("shop", "till") for environment in ("production", "staging")]
    events = [(stream, sha, at) for stream in streams for sha in line for at in (1, 2, 3)]
    return [
        {
            "name": f"r{n}",
            "slug": slug,
            "environment": environment,
            "release_sha": sha,
            "released_at": iso(FIRST_DAY + at * DAY),
            "status": chance.choice(["succeeded", "succeeded", "failed"]),
        }
        for n, ((slug, environment), sha, at) in enumerate(chance.sample(events, 24))
    ]


@pytest.mark.parametrize("seed", range(2))
def test_releases_of_one_second_are_listed_as_their_stream_has_them(
    git_repo: GitRepo, line: list[str], seed: int
) -> None:
    chance = random.Random(seed)
    calls = happened(chance, line)
    scenes = [Scene.make(git_repo), Scene.make(git_repo)]
    scenes[0].record(calls)
    scenes[1].record(chance.sample(calls, len(calls)))
    for scene in scenes:
        assert scene.listed() == scenes[0].listed()
        assert sorted(scene.listed()) == sorted(call["name"] for call in calls)
        for size in (1, 5, 24):
            assert scene.listed(size=size) == scene.listed(), "each page goes on where the last one ended"
        for slug in ("shop", "till"):
            for environment in ("production", "staging"):
                assert scene.listed(slug, environment=environment) == by_stream(scene, slug, environment)


def by_stream(scene: Scene, slug: str, environment: str) -> list[str]:
    """The names of the releases of a stream by core's own order."""
    repo = scene.place(scene.world.repo_path(slug)).repo
    assert repo is not None
    rows = Release.objects.filter(entity_id=scene.world.tenant.id, repo_id=repo.id, environment=environment)
    found = [release_by_id(scene.world.tenant, row.id) for row in rows]
    releases = [stored[0].release for stored in found if stored]
    return [release.name for release in sorted(releases, key=order, reverse=True)]


def test_of_several_releases_of_a_name_the_last_of_its_stream_is_asked_about(
    git_repo: GitRepo, line: list[str]
) -> None:
    """Commit 2 and then 5 went live in one second, and it was gone back to 4 since: 5 is withdrawn, 2 is live."""
    events = [(0, 1, "first"), (2, 2, "SAME"), (5, 2, "SAME"), (4, 3, "last")]
    calls: list[Call] = [
        {"slug": "shop", "name": name, "release_sha": line[n], "released_at": iso(FIRST_DAY + at * DAY)}
        for n, at, name in events
    ]
    for each in ([0, 1, 2, 3], [0, 2, 1, 3]):
        scene = Scene.make(git_repo)
        scene.record(calls[n] for n in each)
        [row] = live_of_release(scene.place(), "SAME").rows
        assert row.state is State.WITHDRAWN


def test_those_that_a_ticket_or_a_cause_is_told_by_come_in_the_same_order(git_repo: GitRepo, line: list[str]) -> None:
    at = FIRST_DAY + 5 * DAY
    calls: list[Call] = [
        {
            "slug": "shop",
            "name": f"r{n}",
            "release_sha": line[n],
            "released_at": iso(at),
            "issue_keys_resolved": "SHOP-1",
        }
        for n in (1, 3, 4)
    ]
    for each in permutations(calls):
        scene = Scene.make(git_repo)
        scene.record(each)
        ticket = find_ticket(scene.world.tenant, indexed_repos(scene.place()), "SHOP-1")
        assert [claim.release.name for claim in ticket.claims] == ["r4", "r3", "r1"]
        call = {"resource_path": str(scene.world.repo_path("shop")), "defect_key": "D", "detected_at": iso(at + DAY)}
        assert scene.world.api().post("critical_defects", call).status == 200
        page = read_defect_page(scene.world.tenant, "D")
        assert [suspect.release.name for suspect in page.concerned] == ["r4", "r3", "r1"]

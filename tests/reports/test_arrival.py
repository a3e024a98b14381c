"""Two entities where the same happened, much of it in the same second, recorded in another order: they look alike."""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Sequence
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from shipmend.catalog.queries import find_place
from shipmend.core.metrics import INFO, Metric, RowKind
from shipmend.core.moments import iso
from shipmend.core.windows import Window
from shipmend.delivery.queries import latest_defects
from shipmend.reports.series import ground_of
from shipmend.web.evidence import evidence
from tests.gitworld import GitRepo
from tests.reports.busy import DAY, FIRST
from tests.world import FIRST_DAY, World

pytestmark = pytest.mark.database

SLUGS = ("shop", "till")
KINDS = ("releases", "commits", "defects", "tickets")
_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
Call = tuple[str, str, dict[str, Any]]
"""What is posted, to which repo, and what it says."""


def happened(chance: random.Random, line: Sequence[str]) -> tuple[list[Call], list[Call], list[Call]]:
    """Releases, defects and fixes of five seconds."""
    seconds = [FIRST_DAY + n * DAY for n in range(1, 6)]
    events = chance.sample([(slug, sha, at) for slug in SLUGS for sha in line for at in seconds], 20)
    releases: list[Call] = [
        (
            "releases",
            slug,
            {"name": f"r{n}", "release_sha": sha, "released_at": iso(at), "issue_keys_resolved": f"KEY-{n % 4}"},
        )
        for n, (slug, sha, at) in enumerate(events)
    ]
    keys = [f"D-{n}" for n in range(8)]
    defects: list[Call] = [
        ("critical_defects", chance.choice(SLUGS), {"defect_key": key, "detected_at": iso(chance.choice(seconds[:2]))})
        for key in keys
    ]
    fixes: list[Call] = []
    for key, sha in [(key, sha) for key in keys for sha in chance.sample(line, 3)]:
        said = {"fix_released_sha": sha, "fix_released_at": iso(chance.choice(seconds[2:]))}
        given = chance.choice([[*said], [*said], ["fix_released_at"]])
        call = {"defect_key": key, **{name: said[name] for name in given}}
        fixes.append(("critical_defects", chance.choice(SLUGS), call))
    return releases, defects, fixes


def recorded(git: GitRepo, calls: Iterable[Call]) -> World:
    world = World.make()
    for slug in SLUGS:
        world.repo(slug, git)
    api = world.api()
    for path, slug, said in calls:
        reply = api.post(path, {**said, "resource_path": str(world.repo_path(slug))})
        assert reply.status == 200, reply.json
    return world


def look(world: World) -> dict[str, object]:
    """All that is listed of an entity, with the names of releases for their ids, and without the entity's."""
    api, start, end = world.api(), FIRST, FIRST + timedelta(days=10)
    days = {"start_date": start, "end_date": end, "resource_path": world.path}
    place = find_place(world.tenant, world.path)
    window = Window(start, end, place.tenant.zone)
    ground = ground_of(place, "production", window)
    found: dict[str, object] = {
        **{kind: api.get("audits", resource_type=kind, **days).json for kind in KINDS},
        "rework": api.get("reports", segment_em="deployment_rework_rate", generate_summary_stats="true", **days).json,
        "list": [each["defect_key"] for each in api.get("critical_defects", **days).json["critical_defects"]],
        "latest": [[each.key for each in page.items] for page in latest_defects(place, size=10).values()],
    }
    for metric in Metric:
        if INFO[metric].rows is not RowKind.COMMITS:
            rows = [row.tell() for row in evidence(ground, metric, window, ground.facts)]
            found[metric] = [(row.at, row.title.text, row.path, row.verdict, row.reason) for row in rows]
    names = {row["id"]: row["name"] for row in api.get("audits", resource_type="releases", **days).json["audits"]}
    alike = partial(_ID.sub, lambda id_: names.get(id_[0], "ID"))
    return {name: alike(repr(each)).replace(world.tenant.slug, "ENTITY") for name, each in found.items()}


@pytest.mark.parametrize("seed", range(3))
def test_what_was_recorded_first_shows_nowhere(git_repo: GitRepo, seed: int) -> None:
    chance = random.Random(seed)
    line = [git_repo.commit(f"SHOP-{n % 2}: c{n}", at=FIRST_DAY + n) for n in range(6)]
    releases, defects, fixes = happened(chance, line)
    first = recorded(git_repo, [*releases, *defects, *fixes])
    for each in (releases, defects, fixes):
        chance.shuffle(each)
    other = recorded(git_repo, [*defects, *fixes, *releases])
    ours, theirs = look(first), look(other)
    for name, listed in ours.items():
        assert listed == theirs[name], name

"""A place where much happened, by a seed: repos with branches and merges, releases of all sorts, defects and fixes."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from shipmend.core.moments import iso
from tests.gitworld import ADA, GRACE, GitRepo, Person
from tests.world import FIRST_DAY, Api, World

DAY = 86_400
FIRST = datetime.fromtimestamp(FIRST_DAY, UTC).date()
LAST = FIRST + timedelta(days=60)
"""The days in which things happen."""
ADA_AT_HOME: Person = ("ada", "ADA@example.com")
"""The same person by another name."""


@dataclass
class Busy:
    """It. Every call to the API is kept, so that it can be made again."""

    world: World
    folder: Path
    seed: int
    slugs: tuple[str, ...] = ("shop", "till", "bank")
    api: Api = field(init=False)
    gits: dict[str, GitRepo] = field(default_factory=dict)
    calls: list[tuple[str, dict[str, object]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)
        self.api = self.world.api()
        for slug in self.slugs:
            self.gits[slug] = git = GitRepo(self.folder / f"{slug}.git")
            self._write(git)
            self.world.repo(slug, git)
        self.calls = [*self._releases(), *self._defects()]
        for call in self.calls:
            self.make(call)

    def make(self, call: tuple[str, dict[str, object]]) -> None:
        """Make a call."""
        reply = self.api.post(*call)
        assert reply.status == 200, reply.json

    @property
    def days(self) -> tuple[date, date]:
        """The latter half of it: so there is something before."""
        return FIRST + timedelta(days=30), LAST

    def _write(self, git: GitRepo) -> None:
        for n in range(25):
            branch = self.chance.choice(["main", "main", "side"])
            hours = self.chance.randrange(24)
            authored = FIRST_DAY + n * 2 * DAY + hours * 3600 - self.chance.choice([0, 0, 9 * DAY, -20 * DAY])
            author = self.chance.choice([ADA, GRACE, ADA_AT_HOME])
            git.commit(
                f"SHOP-{n % 4}: c{n}",
                at=FIRST_DAY + n * 2 * DAY + hours * 3600,
                author_at=authored,
                author=author,
                branch=branch,
                files={f"{branch}-{n}": str(n)},
            )
            if n % 6 == 5 and branch == "side":
                git.merge("side", at=FIRST_DAY + n * 2 * DAY + hours * 3600 + 60)

    def _releases(self) -> Iterator[tuple[str, dict[str, object]]]:
        for slug, git in self.gits.items():
            commits = list(git.commits)
            for n in range(22):
                at = FIRST_DAY + self.chance.randrange(60 * 24) * 3600
                upto = max(1, min(len(commits), (at - FIRST_DAY) // (2 * DAY)))
                yield (
                    "releases",
                    {
                        "resource_path": str(self.world.repo_path(slug)),
                        "release_sha": self.chance.choice(commits[max(0, upto - 4) : upto]),
                        "released_at": iso(at + n),
                        "name": f"={slug} {n}",
                        "status": self.chance.choice(["succeeded"] * 6 + ["failed", "cancelled"]),
                        "environment": self.chance.choice(["production"] * 5 + ["staging"]),
                    },
                )

    def _defects(self) -> Iterator[tuple[str, dict[str, object]]]:
        for n in range(20):
            detected = FIRST_DAY + self.chance.randrange(60 * 24) * 3600
            slug = self.chance.choice(self.slugs)
            where = self.chance.choice([self.world.repo_path(slug)] * 3 + [self.world.path])
            severity = self.chance.choice([{}, {"severity": 1}, {"severity": 2}])
            key = {"defect_key": f"BUG-{n}"}
            yield "critical_defects", {**key, "resource_path": str(where), "detected_at": iso(detected), **severity}
            for _ in range(self.chance.randrange(4)):
                fixed = self.chance.choice(self.slugs)
                yield (
                    "critical_defects",
                    {
                        **key,
                        "resource_path": str(self.world.repo_path(fixed)),
                        **self._fix(fixed, detected),
                    },
                )

    def _fix(self, slug: str, detected: int) -> dict[str, object]:
        sha: dict[str, object] = {"fix_released_sha": self.chance.choice(list(self.gits[slug].commits))}
        at: dict[str, object] = {"fix_released_at": iso(detected + self.chance.randrange(1, 15 * 24) * 3600)}
        return self.chance.choice([at, {**at, **sha}, sha])

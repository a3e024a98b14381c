"""A repo with releases, for asking what they changed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar
from uuid import UUID

from shipmend.catalog.models import Repo
from shipmend.catalog.queries import RepoRef, Tenant, repo_by_id
from shipmend.core.moments import iso
from shipmend.db.writes import write
from shipmend.delivery.measuring import measure_repo
from tests.gitworld import GitRepo
from tests.world import FIRST_DAY, Api, World

T = TypeVar("T")
DAY = 24 * 3600


class Free:
    """Lets every job go on."""

    def write(self, work: Callable[[], T]) -> T:
        return write(work)

    def check(self) -> None:
        return None


@dataclass
class Shop:
    """The repo, its upstream, and a script that reports its releases, a day after one another."""

    world: World
    git: GitRepo
    row: Repo = field(init=False)
    api: Api = field(init=False)
    days: int = 100

    def __post_init__(self) -> None:
        self.row = self.world.repo(git=self.git)
        self.api = self.world.api()

    @property
    def path(self) -> str:
        return str(self.row.path)

    @property
    def tenant(self) -> Tenant:
        return self.world.tenant

    @property
    def repo(self) -> RepoRef:
        found = repo_by_id(self.tenant, self.row.id)
        assert found is not None
        return found

    def release(self, sha: str, **more: object) -> UUID:
        """Report a release of a commit."""
        self.days += 1
        call = {"resource_path": self.path, "release_sha": sha, "released_at": iso(FIRST_DAY + self.days * DAY)}
        reply = self.api.post("releases", {**call, **more})
        assert reply.status == 200, reply.json
        return UUID(reply.json["release"]["id"])

    def defect(self, key: str, **more: object) -> None:
        """Report a defect of the repo."""
        call = {"resource_path": self.path, "defect_key": key, "detected_at": iso(FIRST_DAY)}
        reply = self.api.post("critical_defects", {**call, **more})
        assert reply.status == 200, reply.json

    def measure(self) -> None:
        """Count the lines of all releases."""
        measure_repo(self.tenant, self.repo, Free())

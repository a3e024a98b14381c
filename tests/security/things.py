"""Two entities that know nothing of each other, and one of everything in each, to be named in calls and addresses."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field, replace
from functools import cached_property
from uuid import UUID, uuid4

from shipmend.accounts import people, tokens
from shipmend.accounts.models import Membership, User
from shipmend.audit.trail import COMMAND_LINE
from shipmend.catalog.queries import find_place
from shipmend.core.tracking import RuleKind, read_rule
from shipmend.core.values import Role
from shipmend.db.ids import new_id
from shipmend.delivery.tracking import add_rule
from tests.gitworld import GitRepo
from tests.world import Api, World

FIRST = 1_700_000_000


@dataclass
class Household:
    """An entity with a repo that has history, another one beside it, and makers of whatever else can be named."""

    world: World
    git: GitRepo
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    @classmethod
    def make(cls, git: GitRepo) -> Household:
        """A fresh one whose repos are mirrors of `git`."""
        # Organizations of different names, so that a name of the one can be tried in the other.
        world = replace(World.make(), organization=f"o{uuid4().hex[:8]}")
        for slug in ("shop", "other"):
            world.repo(slug, git)
        return cls(world, git)

    @cached_property
    def api(self) -> Api:
        """A script that may do everything here."""
        return self.world.api()

    @cached_property
    def owner(self) -> User:
        """A person who may do everything here."""
        return self.person(Role.OWNER)

    def person(self, role: Role) -> User:
        """A new member. Without a password, since hashing one takes longer than the test."""
        user = people.create_user(email=f"{uuid4().hex[:10]}@example.org", password=None)
        people.set_role(tenant=self.world.tenant, email=user.email, role=role, actor=COMMAND_LINE)
        return user

    def path(self, repo: str = "shop") -> str:
        """Of one of its repos."""
        return str(self.world.repo_path(repo))

    def sha(self) -> str:
        """The last commit of its repos."""
        return self.git.sha("main")

    def release(self, repo: str = "shop") -> str:
        """The id of a release just recorded, the first of its environment: others would only do it again."""
        number = next(self._numbers)
        call = {"resource_path": self.path(repo), "release_sha": self.sha(), "released_at": FIRST + number}
        return str(self.api.post("releases", call, environment=f"e{number}").json["release"]["id"])

    def defect(self, repo: str = "shop") -> str:
        """The key of a defect just recorded."""
        key = f"{uuid4().hex[:6].upper()}-{next(self._numbers)}"
        call = {"resource_path": self.path(repo), "defect_key": key, "detected_at": FIRST + 10**6}
        assert self.api.post("critical_defects", call).status == 200
        return key

    def ticket(self) -> str:
        """The key of a ticket that a release has just resolved."""
        key = f"{uuid4().hex[:6].upper()}X-{next(self._numbers)}"
        call = {"resource_path": self.path(), "release_sha": self.sha(), "released_at": FIRST + next(self._numbers)}
        assert self.api.post("releases", {**call, "issue_keys_resolved": key}).status == 200
        return key

    def token(self) -> UUID:
        """The id of a token just made by the owner."""
        place = find_place(self.world.tenant, self.world.path)
        return tokens.issue(place=place, name="named", actor=COMMAND_LINE, created_by=self.owner).row.id

    def membership(self) -> UUID:
        """The id of a membership that has just begun."""
        user = self.person(Role.VIEWER)
        return Membership.objects.get(user=user).id

    def rule(self) -> UUID:
        """The id of a rule just set."""
        rule = read_rule(new_id(), RuleKind.TAG_CONTAINS, f"no-such-tag-{next(self._numbers)}", "production")
        return add_rule(tenant=self.world.tenant, rule=rule, repo=None, actor=COMMAND_LINE).id

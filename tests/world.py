"""The cast of a test: an entity of its own, and ways to act in it as its scripts and people do."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from django.test import Client

from shipmend.accounts import people, tokens
from shipmend.accounts.models import User
from shipmend.audit.trail import COMMAND_LINE
from shipmend.catalog.actions import choose_release_branch, create_entity, ensure_part, ensure_repo
from shipmend.catalog.models import Repo
from shipmend.catalog.queries import Tenant, find_place, tenant_of
from shipmend.core.values import DEFAULT_SCOPES, ResourcePath, Role, Scope
from shipmend.db.clock import epoch_now
from shipmend.db.writes import write
from shipmend.git.remotes import parse_remote
from shipmend.history.handlers import index_now
from shipmend.jobs.models import Job
from tests.gitworld import GitRepo

FIRST_DAY = 1_600_000_000
"""Where the clocks of test histories start: 2020-09-13."""


@dataclass(frozen=True)
class Reply:
    """What the API answered."""

    status: int
    json: dict[str, Any]
    headers: Mapping[str, str]

    @property
    def words(self) -> tuple[int, str]:
        """The HTTP status and response_em, which must go together."""
        return self.status, str(self.json["response_em"])


@dataclass(frozen=True)
class Api:
    """A script with a token, calling in process."""

    token: str
    client: Client = field(default_factory=lambda: Client(raise_request_exception=False))

    def get(self, path: str, **parameters: object) -> Reply:
        """GET /api/v1/<path>."""
        texts = {name: str(value) for name, value in parameters.items()}
        return self._reply(self.client.get(f"/api/v1/{path}", texts, headers=self._headers()))

    def post(self, path: str, parameters: Mapping[str, object] | None = None, key: str = "", **more: object) -> Reply:
        """POST a form."""
        form = {**(parameters or {}), **more}
        return self._reply(self.client.post(f"/api/v1/{path}", form, headers=self._headers(key)))

    def post_json(self, path: str, body: object, key: str = "") -> Reply:
        """POST JSON; a str is sent as it is."""
        text = body if isinstance(body, str) else json.dumps(body)
        url, headers = f"/api/v1/{path}", self._headers(key)
        return self._reply(self.client.post(url, text, content_type="application/json", headers=headers))

    def delete(self, path: str) -> Reply:
        """DELETE /api/v1/<path>."""
        return self._reply(self.client.delete(f"/api/v1/{path}", headers=self._headers()))

    def _headers(self, key: str = "") -> dict[str, str]:
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        return {**headers, "Idempotency-Key": key} if key else headers

    def _reply(self, response: Any) -> Reply:
        return Reply(response.status_code, json.loads(response.content), response.headers)


@dataclass(frozen=True)
class World:
    """An entity that only this test knows."""

    tenant: Tenant
    organization: str = "acme"

    @classmethod
    def make(cls, *, time_zone: str = "UTC") -> World:
        """A fresh entity."""
        entity = create_entity(slug=f"e{uuid4().hex[:12]}", time_zone=time_zone, actor=COMMAND_LINE)
        return cls(tenant_of(entity))

    @property
    def path(self) -> ResourcePath:
        """The entity's own path."""
        return ResourcePath(self.tenant.slug)

    def repo_path(self, slug: str) -> ResourcePath:
        """The path that a repo of this name has."""
        return ResourcePath(self.tenant.slug, self.organization, slug)

    def repo(self, slug: str = "shop", git: GitRepo | None = None) -> Repo:
        """A repo; with `git`, mirrored and indexed from it."""
        remote = parse_remote(str(git.path), allow_local=True) if git else None
        repo = ensure_repo(path=self.repo_path(slug), remote=remote, actor=COMMAND_LINE)
        if git:
            self.index(repo)
        return repo

    def astray(self, git: GitRepo, slug: str = "astray", branch: str = "gone") -> Repo:
        """A repo, indexed, whose release branch is one that the remote does not have."""
        repo = self.repo(slug, git)
        choose_release_branch(tenant=self.tenant, repo_id=repo.id, branch=branch, actor=COMMAND_LINE)
        repo.refresh_from_db()
        self.index(repo)
        return repo

    def part(self, slug: str, source: Repo, *globs: str) -> Repo:
        """Some paths of another repo as a repo, with the commits that count for it."""
        part = ensure_part(path=self.repo_path(slug), source=source.path, globs=globs, actor=COMMAND_LINE)
        self.index(part)
        return part

    def index(self, repo: Repo) -> None:
        """Fetch and index a repo now."""
        index_now(repo, on_progress=lambda _: None)

    def api(self, *, at: ResourcePath | None = None, scopes: frozenset[Scope] = DEFAULT_SCOPES) -> Api:
        """A script with a token bound to `at` (the entity unless said)."""
        place = find_place(self.tenant, at or self.path)
        return Api(tokens.issue(place=place, name="test", scopes=scopes, actor=COMMAND_LINE).text)

    def user(self, role: Role = Role.OWNER) -> User:
        """A person with a role in the entity, who signs in with the password `correct horse`."""
        user = people.create_user(email=f"{uuid4().hex[:10]}@example.org", password="correct horse")
        people.set_role(tenant=self.tenant, email=user.email, role=role, actor=COMMAND_LINE)
        return user


def leave_nothing_to_do() -> None:
    """Drop the jobs that other tests have left, hundreds by the end of a run, and let none of their repos be due."""

    def work() -> None:
        Job.objects.filter(done_at=None, dead_at=None).delete()
        Repo.objects.exclude(remote_url="").update(fetched_at=epoch_now())

    write(work)

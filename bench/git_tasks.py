"""What bench.git measures inside a process of its own: prints one JSON object."""

from __future__ import annotations

import json
import logging
import resource
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from shipmend.bootstrap import open_instance

if TYPE_CHECKING:
    from django.test import Client

    from shipmend.catalog.models import Repo


def main() -> None:
    """`first` indexes from nothing, `more` after a push; both in the instance of argv[2], of the remote argv[3]."""
    task, data, upstream = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    open_instance(data)
    logging.disable(logging.WARNING)
    print(json.dumps(asdict(first(upstream) if task == "first" else more(upstream))))


@dataclass(frozen=True, slots=True)
class First:
    """A whole first index, in seconds and bytes, and the releases that its tags make."""

    index: float
    commits: int
    database: int
    memory: int
    attribute: float
    shas: list[str]


@dataclass(frozen=True, slots=True)
class More:
    """What came after a push, in seconds."""

    push: float
    new: int
    nothing: float
    page: float


def first(upstream: Path) -> First:
    """The whole first index, its fetch done before the clock starts; then the tags as releases, attributed."""
    from django.db import connection

    from shipmend.catalog.models import Repo
    from shipmend.core.attribution import Attribution, StreamRelease
    from shipmend.core.lineage import Lineage
    from shipmend.history import graphs
    from shipmend.history.handlers import index_now
    from shipmend.history.mirrors import access, mirror_of, remote_of

    repo = _repo(upstream)
    before = _database_bytes()
    mirror = mirror_of(repo.id)
    mirror.create()
    mirror.fetch(remote_of(repo), access())
    began = time.monotonic()
    index_now(repo, on_progress=lambda _: None)
    index = time.monotonic() - began
    commits = Repo.objects.get(id=repo.id).commit_count
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT t.at, t.commit_number, hex(c.sha) FROM history_tip t JOIN history_commit c"
            " ON c.entity_id = t.entity_id AND c.repo_number = t.repo_number AND c.id = t.commit_number"
            " WHERE t.name LIKE 'refs/tags/%%' AND t.at IS NOT NULL ORDER BY t.at, t.commit_number"
        )
        tags = cursor.fetchall()
    lineage = Lineage(graphs.load(repo.entity_id, repo.number))
    releases = {StreamRelease(at, commit): sha.lower() for at, commit, sha in tags}
    began = time.monotonic()
    Attribution.derive(lineage, releases)
    attribute = time.monotonic() - began
    return First(
        index=index,
        commits=commits,
        database=_database_bytes() - before,
        memory=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        attribute=attribute,
        shas=[releases[release] for release in sorted(releases)],
    )


def more(upstream: Path) -> More:
    """What a push of some commits costs beyond its fetch; then nothing new; then the pages of releases."""
    from shipmend.catalog.models import Repo
    from shipmend.history.handlers import index_now
    from shipmend.history.mirrors import access, mirror_of, remote_of

    repo = _repo(upstream)
    had = repo.commit_count
    mirror = mirror_of(repo.id)
    mirror.fetch(remote_of(repo), access())
    began = time.monotonic()
    mirror.fetch(remote_of(repo), access())
    fetch = time.monotonic() - began
    began = time.monotonic()
    index_now(repo, on_progress=lambda _: None)
    push = time.monotonic() - began - fetch
    began = time.monotonic()
    index_now(repo, on_progress=lambda _: None)
    nothing = time.monotonic() - began
    new = Repo.objects.get(id=repo.id).commit_count - had
    return More(push, new, nothing, _slowest_page(repo))


def _slowest_page(repo: Repo) -> float:
    """Records some tags as releases, and opens their pages twice: the second time is what a reader meets."""
    from uuid import uuid4

    from django.test import Client

    from shipmend.accounts import people
    from shipmend.audit.trail import COMMAND_LINE
    from shipmend.catalog.queries import tenant_of
    from shipmend.core.values import Role
    from shipmend.delivery.models import Release

    _tags_as_releases(repo)
    user = people.create_user(email=f"{uuid4().hex}@example.org", password=None)
    people.set_role(tenant=tenant_of(repo.entity), email=user.email, role=Role.OWNER, actor=COMMAND_LINE)
    client = Client()
    client.force_login(user)
    ids = list(Release.objects.filter(repo=repo).order_by("-released_at").values_list("id", flat=True)[:50])
    paths = [f"/entities/{repo.path}/releases/{release_id}" for release_id in ids]
    for path in paths:
        client.get(path)
    return max((_timed(client, path) for path in paths), default=0.0)


def _timed(client: Client, path: str) -> float:
    began = time.monotonic()
    assert client.get(path).status_code == 200, path
    return time.monotonic() - began


def _tags_as_releases(repo: Repo) -> None:
    from shipmend.audit.trail import COMMAND_LINE
    from shipmend.catalog.queries import repo_by_id, tenant_of
    from shipmend.core.tracking import Rule, RuleKind
    from shipmend.db.ids import new_id
    from shipmend.delivery.handlers import follow_up_now
    from shipmend.delivery.tracking import add_rule

    tenant = tenant_of(repo.entity)
    rule = Rule(new_id(), RuleKind.ANY_TAG, "", "production")
    add_rule(tenant=tenant, rule=rule, repo=repo_by_id(tenant, repo.id), actor=COMMAND_LINE)
    follow_up_now(repo)


def _repo(upstream: Path) -> Repo:
    from shipmend.audit.trail import COMMAND_LINE
    from shipmend.catalog.actions import ensure_entity, ensure_repo
    from shipmend.core.values import ResourcePath
    from shipmend.git.remotes import parse_remote

    ensure_entity(slug="bench", actor=COMMAND_LINE)
    remote = parse_remote(str(upstream), allow_local=True)
    return ensure_repo(path=ResourcePath("bench", "git", "repo"), remote=remote, actor=COMMAND_LINE)


def _database_bytes() -> int:
    from shipmend.db.sql import Statement

    pages, free, size = (Statement(f"PRAGMA {name}").row() for name in ("page_count", "freelist_count", "page_size"))
    assert pages
    assert free
    assert size
    return int((pages[0] - free[0]) * size[0])


if __name__ == "__main__":
    main()

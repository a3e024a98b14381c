"""What bench.git measures inside a process of its own: prints one JSON object."""

from __future__ import annotations

import json
import logging
import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shipmend.bootstrap import open_instance

if TYPE_CHECKING:
    from django.test import Client

    from shipmend.catalog.models import Repo
    from shipmend.core.attribution import StreamRelease

LOG_FORMAT = "%H%x00%P%x00%an%x00%ae%x00%ad%x00%cd%x00%B"
ROUNDS = 3
"""Of which the best counts."""
SHORT_ROUNDS = 15
"""Of what takes some milliseconds."""
SMALL = 500_000
"""Commits; more of them are indexed once."""


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
    log: float
    """`git log > /dev/null` on the same mirror."""
    cpu: float
    """Of the index, with git's."""
    log_cpu: float
    commits: int
    database: int
    memory: int
    attribute: float
    shas: list[str]


@dataclass(frozen=True, slots=True)
class Took:
    """Seconds: by the clock, and of processors, with those of processes that were started and have ended."""

    wall: float
    cpu: float

    def __str__(self) -> str:
        return f"{self.wall * 1000:.0f} ms ({self.cpu * 1000:.0f} ms of processors)"

    def __add__(self, other: Took) -> Took:
        return Took(self.wall + other.wall, self.cpu + other.cpu)

    def __sub__(self, other: Took) -> Took:
        return Took(self.wall - other.wall, self.cpu - other.cpu)


@dataclass(frozen=True, slots=True)
class More:
    """What came after a push."""

    push: Took
    """With a release of the latest commit attributed."""
    new: int
    nothing: Took
    page: Took
    slowest_page: Took

    @classmethod
    def read(cls, found: dict[str, Any]) -> More:
        """From JSON."""
        push, nothing, page, slowest = (Took(**found[name]) for name in ("push", "nothing", "page", "slowest_page"))
        return cls(push, found["new"], nothing, page, slowest)


def first(upstream: Path) -> First:
    """Whole first indexes beside `git log`, their fetch done before the clock starts; then the tags, attributed."""
    from shipmend.core.attribution import Attribution
    from shipmend.core.lineage import Lineage
    from shipmend.history import graphs
    from shipmend.history.mirrors import access, mirror_of, remote_of

    repo = _repo(upstream)
    before = _database_bytes()
    mirror = mirror_of(repo.id)
    mirror.create()
    mirror.fetch(remote_of(repo), access())
    logs, indexes = [_timed(lambda: _log(mirror.git_dir))], [_timed(lambda: _index(repo))]
    repo.refresh_from_db()
    database = _database_bytes() - before
    for number in range(1, ROUNDS if repo.commit_count < SMALL else 1):
        again = _repo(upstream, f"again-{number}")
        shutil.copytree(mirror.git_dir, mirror_of(again.id).git_dir, copy_function=os.link)
        logs.append(_timed(lambda: _log(mirror.git_dir)))
        indexes.append(_timed(partial(_index, again)))
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    lineage = Lineage(graphs.load(repo.entity_id, repo.number))
    releases = _tagged(repo)
    attributed = [_timed(lambda: Attribution.derive(lineage, releases)) for _ in range(SHORT_ROUNDS)]
    _tags_as_releases(repo)
    return First(
        index=min(each.wall for each in indexes),
        log=min(each.wall for each in logs),
        cpu=min(each.cpu for each in indexes),
        log_cpu=min(each.cpu for each in logs),
        commits=repo.commit_count,
        database=database,
        memory=memory,
        attribute=min(each.cpu for each in attributed),
        shas=[releases[release] for release in sorted(releases)],
    )


def _index(repo: Repo) -> None:
    from shipmend.history.handlers import index_now

    index_now(repo, on_progress=lambda _: None)


def _log(git_dir: Path) -> None:
    command = ["git", f"--git-dir={git_dir}", "log", "--branches", "--tags", "-z", f"--format={LOG_FORMAT}"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def _tagged(repo: Repo) -> dict[StreamRelease, str]:
    """The tags as releases, and the sha of each."""
    from django.db import connection

    from shipmend.core.attribution import StreamRelease

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT t.at, t.commit_number, hex(c.sha) FROM history_tip t JOIN history_commit c"
            " ON c.entity_id = t.entity_id AND c.repo_number = t.repo_number AND c.id = t.commit_number"
            " WHERE t.repo_number = %s AND t.name LIKE 'refs/tags/%%' AND t.at IS NOT NULL",
            [repo.number],
        )
        return {StreamRelease(at, commit): sha.lower() for at, commit, sha in cursor.fetchall()}


def more(upstream: Path) -> More:
    """What a push of some commits costs beyond its fetch, with the graph in memory as a server has it; then nothing
    new; then the pages of releases."""
    from shipmend.catalog.models import Repo
    from shipmend.catalog.queries import repo_by_id, tenant_of
    from shipmend.delivery.handlers import follow_up_now
    from shipmend.delivery.models import PRODUCTION
    from shipmend.delivery.ownership import StreamKey, bring_up_to_date, ledger_of
    from shipmend.history.mirrors import access, mirror_of, remote_of

    repo = _repo(upstream)
    had = repo.commit_count
    ref = repo_by_id(tenant_of(repo.entity), repo.id)
    assert ref
    stream = StreamKey.of(tenant_of(repo.entity), ref, PRODUCTION)
    if had:
        ledger_of(stream)
    mirror = mirror_of(repo.id)
    mirror.fetch(remote_of(repo), access())
    fetch = _timed(lambda: mirror.fetch(remote_of(repo), access()))
    push = _timed(lambda: _index(repo)) - fetch
    new = Repo.objects.get(id=repo.id).commit_count - had
    _release_tip(repo)
    push += _timed(lambda: bring_up_to_date(stream))
    nothing = _timed(lambda: _index(repo))
    follow_up_now(repo)
    pages = _pages(repo)
    return More(push, new, nothing, pages[len(pages) // 2], pages[-1])


def _release_tip(repo: Repo) -> None:
    """As a call does."""
    from django.test import Client

    from shipmend.accounts import tokens
    from shipmend.audit.trail import COMMAND_LINE
    from shipmend.catalog.queries import find_place, tenant_of
    from shipmend.core.values import ResourcePath
    from shipmend.history.queries import latest_on_trunk

    tenant = tenant_of(repo.entity)
    place = find_place(tenant, ResourcePath(tenant.slug))
    token = tokens.issue(place=place, name="bench", actor=COMMAND_LINE).text
    tip = latest_on_trunk(repo.entity_id, repo.number)
    if tip is None:
        return
    form = {"resource_path": str(repo.path), "release_sha": tip.sha, "release_now": "true"}
    answer = Client().post("/api/v1/releases", form, headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 200, answer.content


def _timed(work: Callable[[], object]) -> Took:
    began, used = time.monotonic(), _used()
    work()
    return Took(time.monotonic() - began, _used() - used)


def _used() -> float:
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def _pages(repo: Repo) -> list[Took]:
    """Opens the pages of the latest releases twice, the quickest first: the second time is what a reader meets."""
    from uuid import uuid4

    from django.test import Client

    from shipmend.accounts import people
    from shipmend.audit.trail import COMMAND_LINE
    from shipmend.catalog.queries import tenant_of
    from shipmend.core.values import Role
    from shipmend.delivery.models import Release

    user = people.create_user(email=f"{uuid4().hex}@example.org", password=None)
    people.set_role(tenant=tenant_of(repo.entity), email=user.email, role=Role.OWNER, actor=COMMAND_LINE)
    client = Client()
    client.force_login(user)
    ids = list(Release.objects.filter(repo=repo).order_by("-released_at").values_list("id", flat=True)[:50])
    paths = [f"/entities/{repo.path}/releases/{release_id}" for release_id in ids]
    for path in paths:
        client.get(path)
    return sorted((_timed(partial(_opened, client, path)) for path in paths), key=attrgetter("wall")) or [Took(0, 0)]


def _opened(client: Client, path: str) -> None:
    assert client.get(path).status_code == 200, path


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


def _repo(upstream: Path, slug: str = "repo") -> Repo:
    from shipmend.audit.trail import COMMAND_LINE
    from shipmend.catalog.actions import ensure_entity, ensure_repo
    from shipmend.core.values import ResourcePath
    from shipmend.git.remotes import parse_remote

    ensure_entity(slug="bench", actor=COMMAND_LINE)
    remote = parse_remote(str(upstream), allow_local=True)
    return ensure_repo(path=ResourcePath("bench", "git", slug), remote=remote, actor=COMMAND_LINE)


def _database_bytes() -> int:
    from shipmend.db.sql import Statement

    pages, free, size = (Statement(f"PRAGMA {name}").row() for name in ("page_count", "freelist_count", "page_size"))
    assert pages
    assert free
    assert size
    return int((pages[0] - free[0]) * size[0])


if __name__ == "__main__":
    main()

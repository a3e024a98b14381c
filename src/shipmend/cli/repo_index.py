"""`shipmend repo index`: fetch and index here and now, with somebody looking on."""

from __future__ import annotations

import sys

from shipmend.catalog.models import Repo
from shipmend.catalog.queries import every_tenant, find_place, find_tenant, repos_of
from shipmend.cli.program import DONE, REFUSALS, REFUSED, sentence
from shipmend.cli.progress import ProgressLine
from shipmend.core.amounts import several
from shipmend.core.errors import Refused
from shipmend.core.values import ResourcePath
from shipmend.history.handlers import index_now
from shipmend.jobs.foreground import JobFailed


def run(*, path: ResourcePath | None) -> int:
    """Index every repo at or below `path`, one after the other. 1 when one of them failed."""
    tenants = [find_tenant(path.entity)] if path else every_tenant()
    places = [find_place(tenant, path or ResourcePath(tenant.slug)) for tenant in tenants]
    repos = [repo for place in places for repo in repos_of(place)]
    sources = {repo.id for repo in repos}
    repos = [repo for repo in repos if repo.source_id not in sources]  # parts are indexed with what they are part of
    if not repos:
        print("There is no repo here yet: shipmend repo add ENTITY/ORGANIZATION/REPO GIT_URL")
    failed = [repo for repo in repos if not _is_indexed(repo)]
    return REFUSED if failed else DONE


def index(repo: Repo) -> None:
    """Index one repo, showing how far it is. Raises one of REFUSALS."""
    progress = ProgressLine(str(repo.path))
    try:
        index_now(repo, on_progress=progress.say)
    except JobFailed as failed:
        raise Refused(failed.for_people) from failed
    finally:
        progress.close()
    repo.refresh_from_db()


def _is_indexed(repo: Repo) -> bool:
    if not repo.home.remote_url:
        print(f"{repo.path}: has no git address, so there is nothing to index")
        return True
    before = repo.commit_count
    try:
        index(repo)
    except REFUSALS as error:
        print(f"{repo.path}: {sentence(error)}", file=sys.stderr)
        return False
    print(f"{repo.path}: {several(repo.commit_count, 'commit')}, {repo.commit_count - before:,} of them new")
    if repo.index_error:
        print(f"{repo.path}: {repo.index_error}", file=sys.stderr)
    return True

"""`shipmend try`: Shipmend on a repository of one's own, from nothing to a call that works, in one command.

Run again it finds everything made, fetches what is new, and serves.
"""

from __future__ import annotations

import sys
from itertools import count

from shipmend.catalog.models import Repo
from shipmend.catalog.queries import find_place, find_repo, tenant_of
from shipmend.cli.program import REFUSALS, sentence
from shipmend.cli.repo_add import read_address, register
from shipmend.cli.repo_index import index
from shipmend.cli.showing import show
from shipmend.cli.trial_names import numbered, trial_path
from shipmend.cli.trial_rule import take_tags
from shipmend.core.errors import NotFound
from shipmend.core.values import ResourcePath
from shipmend.git.remotes import Remote


def run(*, address: str, host: str, port: int | None) -> int:
    """Mirror the repository at `address`, take its tags as releases, and serve it until stopped."""
    remote = read_address(address)
    repo = register(_free_path(remote), remote)
    tenant = tenant_of(repo.entity)
    _index(repo)
    print(f"{repo.path}: {repo.commit_count:,} commits; {take_tags(find_place(tenant, repo.path), repo)}")
    show(tenant, host=host, port=port, page=repo.path, repo=repo.path, made_by="make try")
    return 0


def _free_path(remote: Remote) -> ResourcePath:
    """Where this repository is, or where it may go: another one may have taken the path that its address gives."""
    path = trial_path(remote)
    for number in count(2):
        try:
            if find_repo(path).remote_url == remote.url:
                break
        except NotFound:
            break
        path = numbered(trial_path(remote), number)
    return path


def _index(repo: Repo) -> None:
    try:
        index(repo)
    except REFUSALS as refusal:
        if repo.indexed_at is None:
            raise
        print(f"{repo.path}: {sentence(refusal)} Going on with what was fetched before.", file=sys.stderr)

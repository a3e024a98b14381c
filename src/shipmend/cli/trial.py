"""`shipmend try`: Shipmend on a repository of one's own, from nothing to a call that works, in one command.

Run again it finds everything made, fetches what is new, and serves.
"""

from __future__ import annotations

import sys
from itertools import count
from pathlib import Path

from shipmend.audit.trail import COMMAND_LINE
from shipmend.catalog.actions import remove_repo
from shipmend.catalog.models import Repo
from shipmend.catalog.queries import find_place, find_repo, tenant_of
from shipmend.cli.program import REFUSALS, sentence
from shipmend.cli.repo_add import read_address, register
from shipmend.cli.repo_index import index
from shipmend.cli.showing import show
from shipmend.cli.trial_names import numbered, trial_path
from shipmend.cli.trial_rule import take_tags
from shipmend.core.amounts import several
from shipmend.core.errors import NotFound, Refused
from shipmend.core.values import ResourcePath
from shipmend.git.errors import GitError
from shipmend.git.remotes import Remote, RemoteRefused


def run(*, address: str, host: str, port: int | None) -> int:
    """Mirror the repository at `address`, take its tags as releases, and serve it until stopped."""
    remote = read_address(address)
    path, is_new = _free_path(remote)
    repo = register(path, remote)
    tenant = tenant_of(repo.entity)
    try:
        _index(repo)
    except (GitError, RemoteRefused) as refusal:
        if is_new and not (isinstance(refusal, GitError) and refusal.temporary):
            # Else each later run would try it again, and tell of what nobody asked for any more.
            remove_repo(tenant=tenant, repo_id=repo.id, actor=COMMAND_LINE)
        raise _told_better(refusal, remote) from refusal
    print(f"{repo.path}: {several(repo.commit_count, 'commit')}; {take_tags(find_place(tenant, repo.path), repo)}")
    show(tenant, host=host, port=port, page=repo.path, repo=repo.path, made_by="make try")
    return 0


def _free_path(remote: Remote) -> tuple[ResourcePath, bool]:
    """Where this repository is, or where it may go, and whether nothing is there yet.

    Another repository may have taken the path that its address gives.
    """
    path = trial_path(remote)
    for number in count(2):
        try:
            if find_repo(path).remote_url == remote.url:
                return path, False
        except NotFound:
            break
        path = numbered(trial_path(remote), number)
    return path, True


def _index(repo: Repo) -> None:
    try:
        index(repo)
    except REFUSALS as refusal:
        if repo.indexed_at is None:
            raise
        print(f"{repo.path}: {sentence(refusal)} Going on with what was fetched before.", file=sys.stderr)


def _told_better(refusal: GitError | RemoteRefused, remote: Remote) -> Exception:
    """The same; of a folder within a checkout, which git takes for no repository, the folder that is one."""
    if remote.kind != "local" or not isinstance(refusal, GitError) or refusal.kind != "not_found":
        return refusal
    top = next((each for each in Path(remote.url).parents if (each / ".git").exists()), None)
    return Refused(f"{remote.url} lies in the git repository {top}: give that folder.") if top else refusal

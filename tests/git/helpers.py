"""Short names for what most of these tests do."""

from __future__ import annotations

from collections.abc import Iterable

from tests.gitworld import GitRepo

from shipmend.git.connect import Access
from shipmend.git.mirror import Mirror
from shipmend.git.parse import Commit
from shipmend.git.refs import RefState
from shipmend.git.remotes import Remote, parse_remote


def local(repo: GitRepo) -> Remote:
    return parse_remote(repo.url, allow_local=True)


def fetch(mirror: Mirror, repo: GitRepo) -> RefState:
    return mirror.fetch(local(repo), Access())


def logged(mirror: Mirror, new: Iterable[str] | None = None, known: Iterable[str] = ()) -> list[Commit]:
    """Commits in the order given; of all branches and tags unless told."""
    tips = mirror.refs().tips.values() if new is None else new
    return [commit for batch in mirror.log(tips, known) for commit in batch.rows()]


def by_sha(mirror: Mirror) -> dict[str, Commit]:
    return {commit.sha.hex(): commit for commit in logged(mirror)}

"""Random histories, and what git itself says of them."""

from __future__ import annotations

import random
from collections.abc import Sequence
from subprocess import CalledProcessError

from tests.gitworld import ADA, GRACE, GitRepo
from tests.world import FIRST_DAY

BRANCHES = ("main", "topic", "hotfix", "side")


def grow(git: GitRepo, chance: random.Random, *, steps: int, skew: int = 0) -> None:
    """More of a random history: commits and merges (also of three and more) on some branches, tags, new roots.

    Commit times go forward, but each may be off by up to `skew` seconds.
    """
    now = FIRST_DAY + 600 * len(git.commits)
    for _ in range(steps):
        now += chance.randrange(1200)
        at = max(0, now + chance.randint(-skew, skew))
        branch = chance.choice([git.head, git.head, *BRANCHES])
        what = chance.random()
        there = [name for name in BRANCHES if _has(git, name)]
        if what < 0.25 and branch in there and len(there) > 1:
            others = [name for name in there if name != branch]
            git.merge(*chance.sample(others, chance.randint(1, len(others))), into=branch, at=at)
        elif what < 0.28:
            git.commit("A root of its own", at=at, branch=branch, parents=[])
        else:
            author = chance.choice([ADA, GRACE, (f"Person {chance.randrange(9)}", "p@example.org")])
            authored = at - chance.randrange(10_000)
            change = chance.randrange(10**6)
            said = f"Change {change}\n\nOf SHOP-{change % 40}, TILL-{change % 7}" if change % 3 else f"Change {change}"
            git.commit(said, at=at, author_at=max(authored, 0), author=author, branch=branch, zone="+0530")
        if chance.random() < 0.1:
            git.tag(f"v{len(git.commits)}", branch, annotated=chance.random() < 0.5)


def _has(git: GitRepo, branch: str) -> bool:
    try:
        git.sha(branch)
    except KeyError:
        return False
    return True


def reachable(git: GitRepo, *revisions: str) -> list[str]:
    """The shas git reaches from these (from everything, if none is named)."""
    return git.git("rev-list", *(revisions or ["--branches", "--tags"])).split()


def is_ancestor(git: GitRepo, ancestor: str, descendant: str) -> bool:
    """git's own answer."""
    try:
        git.git("merge-base", "--is-ancestor", ancestor, descendant)
    except CalledProcessError as answer:
        if answer.returncode == 1:
            return False
        raise
    return True


def commit_before(git: GitRepo, branch: str, epoch: int) -> str:
    """git's own answer to "the last commit at or before"; empty when there is none."""
    return git.git("rev-list", "-1", "--first-parent", f"--before={epoch}", branch)


def times(git: GitRepo, revisions: Sequence[str] = ("--branches", "--tags")) -> list[int]:
    """The commit times of a history."""
    return [int(line) for line in git.git("log", "--format=%ct", *revisions).split()]

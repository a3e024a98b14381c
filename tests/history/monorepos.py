"""Random histories of a repository with several services, and what git says of each service's paths."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence

from shipmend.catalog.models import Repo
from shipmend.history.models import Commit
from shipmend.history.touched import touched_runs
from tests.gitworld import Content, GitRepo
from tests.history.rows import commits_of, sha_of
from tests.world import FIRST_DAY

SERVICES = ("services/a", "services/b", "libs")
A, B, REST = ("services/a/**",), ("services/b/**",), ("**", "!services/a/**", "!services/b/**")
"""Globs that share nothing and leave nothing out."""


def grow(git: GitRepo, chance: random.Random, *, steps: int, most_at_once: int = 2) -> None:
    """More of a random history: a commit changes files of up to `most_at_once` services; merges, some with a change."""
    for n in range(steps):
        places = chance.sample(SERVICES, chance.randrange(most_at_once + 1))
        files: dict[str, Content] = {_file(chance, place): f"{len(git.commits)}.{n}\n" for place in places}
        if chance.random() < 0.1:
            files["README.md"] = f"{len(git.commits)}\n"
        made = list(git.commits)
        at = FIRST_DAY + 3600 * len(made) + chance.randrange(-9, 9) * 600
        branch = chance.choice(["main", "main", "topic", "hotfix"])
        if chance.random() < 0.25 and len(made) > 2:
            others = chance.sample(made, chance.choice([1, 1, 2]))
            git.commit(f"Merge {n}", at=at, parents=[git.head, *others], files=files)
        else:
            git.commit(f"Change {n}", at=at, branch=branch, files=files)


def _file(chance: random.Random, service: str) -> str:
    return f"{service}/{chance.choice(['x.py', 'y.py', 'docs/z.md'])}"


def touched(part: Repo) -> set[str]:
    """The shas of the commits that a part counts."""
    runs = touched_runs(part.entity_id, part.id)
    assert runs is not None
    return {sha_of(commit) for commit in commits_of(part.home) if runs.at(commit.id)}


def numbers_of(part: Repo, shas: Iterable[str]) -> set[int]:
    """Their numbers in the part's history."""
    wanted = set(shas)
    return {commit.id for commit in commits_of(part.home) if sha_of(commit) in wanted}


def expected(git: GitRepo, globs: Sequence[str], commits: Iterable[str] | None = None) -> set[str]:
    """Those of the commits (all that were made, unless told) that git tells of the paths: merges by their diffs."""
    known = set(git.commits if commits is None else commits)
    specs = [f":(exclude,glob){glob[1:]}" if glob.startswith("!") else f":(glob){glob}" for glob in globs]
    log = ["log", "--full-history", "--no-merges", "--format=%H", *known]
    told = set(git.git(*log, "--", *specs).split()) if known else set()
    return (told & known) | {sha for sha in known if _is_new(git, sha, specs)}


def _is_new(git: GitRepo, merge: str, specs: Sequence[str]) -> bool:
    """Whether a path differs from every parent of a merge."""
    parents = git.commits[merge]
    if len(parents) < 2:
        return False
    changed = [set(git.git("diff-tree", "-r", "--name-only", each, merge, "--", *specs).split()) for each in parents]
    return bool(set.intersection(*changed))


def is_merge(commit: Commit) -> bool:
    """Whether it has several parents."""
    return commit.second_parent is not None

"""From a sha, whole or abbreviated, to its commit."""

from __future__ import annotations

import pytest

from shipmend.core.releases import ReleaseCommit
from shipmend.history import store
from shipmend.history.queries import Ambiguous, commit_by_sha
from shipmend.history.store import Key
from tests.gitworld import GitRepo
from tests.world import World

pytestmark = pytest.mark.database


def test_a_whole_sha_and_every_abbreviation_of_it_find_the_commit(world: World, git_repo: GitRepo) -> None:
    shas = [git_repo.commit(f"Change {n}") for n in range(20)]
    repo = world.repo(git=git_repo)
    for number, sha in enumerate(shas, 1):
        for digits in range(7, 41):
            found = commit_by_sha(repo.entity_id, repo.number, sha[:digits])
            assert isinstance(found, ReleaseCommit)
            assert (found.sha, found.number) == (sha, number)


def test_what_begins_no_commit_finds_none(world: World, git_repo: GitRepo) -> None:
    sha = git_repo.commit("One")
    repo = world.repo(git=git_repo)
    other = ("0" if sha[0] != "0" else "1") + sha[1:]
    for text in (other, other[:7], sha[:6] + ("0" if sha[6] != "0" else "1"), "0" * 40, "f" * 40):
        assert commit_by_sha(repo.entity_id, repo.number, text) is None


def test_an_abbreviation_of_two_commits_is_ambiguous(world: World, git_repo: GitRepo) -> None:
    """Seven equal digits take luck; three, a few hundred commits."""
    shas = [git_repo.commit(f"Change {n}") for n in range(300)]
    repo = world.repo(git=git_repo)
    short = next(sha[:3] for sha in shas if sum(other.startswith(sha[:3]) for other in shas) > 1)
    assert commit_by_sha(repo.entity_id, repo.number, short) == Ambiguous(short)


def test_trees_files_and_tag_objects_are_not_commits(world: World, git_repo: GitRepo) -> None:
    sha = git_repo.commit("One", files={"a": "1\n"})
    tag = git_repo.tag("v1", annotated=True)
    tree = git_repo.git("rev-parse", f"{sha}^{{tree}}")
    repo = world.repo(git=git_repo)
    assert commit_by_sha(repo.entity_id, repo.number, tree) is None
    assert commit_by_sha(repo.entity_id, repo.number, tag) is None


def test_commits_of_an_index_that_has_not_finished_are_not_found(world: World, git_repo: GitRepo) -> None:
    shas = [git_repo.commit(f"Change {n}") for n in range(3)]
    repo = world.repo(git=git_repo)
    key = Key(repo.entity_id, repo.number)
    state = store.state_of(key)
    assert state is not None
    store.complete(key, store.State(repo.id, 2, 1))
    assert commit_by_sha(repo.entity_id, repo.number, shas[1]) is not None
    assert commit_by_sha(repo.entity_id, repo.number, shas[2]) is None

"""How commits stand to each other, against `git merge-base --is-ancestor`."""

from __future__ import annotations

import random
import threading
import time

import pytest
from django.db import connection

from shipmend.catalog.models import Repo
from shipmend.core.releases import Relation
from shipmend.db.sql import Row, Statement
from shipmend.db.writes import write
from shipmend.history import graphs
from shipmend.history.graphs import Graphs, NotIndexed
from tests.gitworld import GitRepo
from tests.history.histories import grow, is_ancestor
from tests.history.rows import commits_of, sha_of
from tests.world import World

pytestmark = pytest.mark.database


def as_git_says(git: GitRepo, earlier: str, later: str) -> Relation:
    if earlier == later:
        return Relation.SAME
    if is_ancestor(git, earlier, later):
        return Relation.DESCENDANT
    return Relation.ANCESTOR if is_ancestor(git, later, earlier) else Relation.APART


@pytest.mark.parametrize("seed", range(3))
def test_relations_are_those_that_git_sees(world: World, git_repo: GitRepo, seed: int) -> None:
    """Also after the repo has grown, when only what is new is loaded."""
    chance = random.Random(seed)
    for _ in range(2):
        grow(git_repo, chance, steps=30, skew=10_000)
        repo = world.repo(git=git_repo)
        commits = commits_of(repo)
        for _ in range(60):
            earlier, later = chance.choices(commits, k=2)
            ours = graphs.relate(repo.entity_id, repo.number, earlier.id, later.id)
            assert ours is as_git_says(git_repo, sha_of(earlier), sha_of(later))


def test_a_repo_made_anew_under_the_same_number_is_another_one(world: World, git_repo: GitRepo) -> None:
    git_repo.commit("One")
    git_repo.commit("Two", branch="a")
    git_repo.commit("Three", branch="b")
    repo = world.repo("shop", git=git_repo)
    assert graphs.relate(repo.entity_id, repo.number, 2, 3) is Relation.APART
    other = GitRepo(git_repo.path.with_name("other.git"))
    for _ in range(3):
        other.commit()
    number = repo.number
    write(Repo.objects.get(id=repo.id).delete)
    again = world.repo("shop", git=other)
    Repo.objects.filter(id=again.id).update(number=number)
    again.refresh_from_db()
    world.index(again)
    assert graphs.relate(again.entity_id, number, 2, 3) is Relation.DESCENDANT


def test_numbers_that_no_commit_has_are_refused(world: World, git_repo: GitRepo) -> None:
    git_repo.commit("One")
    repo = world.repo(git=git_repo)
    for earlier, later in ((0, 1), (1, 2), (-1, 1), (1, 0)):
        with pytest.raises(NotIndexed):
            graphs.relate(repo.entity_id, repo.number, earlier, later)
    with pytest.raises(NotIndexed):
        graphs.load(repo.entity_id, world.repo("never-indexed").number)


def test_the_graph_longest_unused_goes_when_there_are_too_many(world: World, git_repo: GitRepo) -> None:
    for _ in range(10):
        git_repo.commit()
    repos = [world.repo(f"r{n}", git=git_repo) for n in range(3)]
    enough_for_two = 2 * graphs.load(repos[0].entity_id, repos[0].number).size
    few = Graphs(most_bytes=enough_for_two)
    for repo in (*repos, repos[0]):
        assert few.relate(repo.entity_id, repo.number, 1, 10) is Relation.DESCENDANT
        assert len(few) <= 2


class Slowly:
    """A statement that gives other threads their chance."""

    def __init__(self, statement: Statement) -> None:
        self._statement = statement

    def rows(self, *parameters: object) -> list[Row]:
        found = self._statement.rows(*parameters)
        time.sleep(0.005)
        return found


def test_many_threads_load_one_graph_and_agree(
    world: World, git_repo: GitRepo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(graphs, "AT_ONCE", 5)
    monkeypatch.setattr(graphs, "_COMMITS", Slowly(graphs._COMMITS))
    grow(git_repo, random.Random(9), steps=40)
    repo = world.repo(git=git_repo)
    last = len(commits_of(repo))
    fresh = Graphs()
    start = threading.Barrier(6)
    answers: list[list[Relation]] = []

    def ask() -> None:
        start.wait()
        answers.append([fresh.relate(repo.entity_id, repo.number, n, last) for n in range(1, last + 1)])
        connection.close()

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    expected = [graphs.relate(repo.entity_id, repo.number, n, last) for n in range(1, last + 1)]
    assert answers == [expected] * 6
    assert len(fresh.load(repo.entity_id, repo.number)) == last

"""A repo that is removed takes its history along."""

from __future__ import annotations

import random

import pytest

from shipmend.catalog.models import Repo
from shipmend.db.writes import write
from shipmend.history.actions import FORGET, INDEX, request_index
from shipmend.history.index import RepoGone, index_repo
from shipmend.history.mirrors import mirror_of
from shipmend.history.queries import commit_at, commit_by_sha, latest_on_trunk
from tests.gitworld import GRACE, GitRepo
from tests.history.guards import FreeGuard, do_waiting_job
from tests.history.histories import grow
from tests.history.rows import rows_of
from tests.world import FIRST_DAY, World

pytestmark = pytest.mark.database


def remove(repo: Repo) -> str:
    """Remove it, and return the id it had."""
    repo_id = str(repo.id)
    write(Repo.objects.get(id=repo.id).delete)
    return repo_id


def renumber(repo: Repo, number: int) -> Repo:
    """As if this number, free again, had been given to the repo when it was made."""
    Repo.objects.filter(id=repo.id).update(number=number)
    repo.refresh_from_db()
    return repo


def test_a_removed_repos_commits_are_not_found_from_that_moment_on(world: World, git_repo: GitRepo) -> None:
    sha = git_repo.commit("One", at=FIRST_DAY)
    repo = world.repo(git=git_repo)
    remove(repo)
    assert commit_by_sha(repo.entity_id, repo.number, sha) is None
    assert commit_at(repo.entity_id, repo.number, FIRST_DAY) is None
    assert latest_on_trunk(repo.entity_id, repo.number) is None


def test_its_rows_and_its_mirror_are_deleted_by_a_job(
    world: World, git_repo: GitRepo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shipmend.history.store.WIPED", 7)
    grow(git_repo, random.Random(3), steps=40)
    repo, kept = world.repo(git=git_repo), world.repo("kept", git=git_repo)
    before = rows_of(kept)
    assert do_waiting_job(world.tenant.id, FORGET, remove(repo)) is None
    assert {table: rows for table, rows in rows_of(repo).items() if rows} == {}
    assert not mirror_of(repo.id).git_dir.exists()
    assert rows_of(kept) == before
    assert mirror_of(kept.id).exists


def test_an_index_stops_when_its_repo_is_removed(world: World, git_repo: GitRepo) -> None:
    for _ in range(3):
        git_repo.commit()
    for last_write in range(2, 7):
        repo = world.repo(f"r{last_write}")
        repo.remote_url, repo.is_local = git_repo.url, True
        repo.save()

        def remove_at(n: int, repo: Repo = repo, last_write: int = last_write) -> None:
            if n == last_write:
                remove(repo)

        with pytest.raises(RepoGone):
            index_repo(Repo.objects.get(id=repo.id), guard=FreeGuard(remove_at))
        do_waiting_job(world.tenant.id, FORGET, str(repo.id))
        assert {table: rows for table, rows in rows_of(repo).items() if rows} == {}


@pytest.mark.parametrize("what", ["the same", "as long", "shorter"])
def test_a_new_repo_under_an_old_number_has_only_its_own_history(world: World, git_repo: GitRepo, what: str) -> None:
    """Whether the old one's rows are still there or are just being deleted."""
    for n in range(5):
        git_repo.commit(f"Old {n}", author=GRACE)
    old = world.repo("old", git=git_repo)
    old_id = remove(old)
    other = git_repo if what == "the same" else GitRepo(git_repo.path.with_name("other.git"))
    for n in range({"the same": 0, "as long": 5, "shorter": 2}[what]):
        other.commit(f"New {n}", at=FIRST_DAY + n)
    new = renumber(world.repo("new"), old.number)
    assert commit_by_sha(new.entity_id, new.number, git_repo.sha("main")) is None
    new.remote_url, new.is_local = other.url, True
    new.save()
    world.index(new)
    own = rows_of(world.repo("elsewhere", git=other))
    assert rows_of(new) == own
    assert do_waiting_job(world.tenant.id, FORGET, old_id) is None
    assert rows_of(new) == own


def test_an_index_asked_for_before_the_removal_does_nothing(world: World, git_repo: GitRepo) -> None:
    git_repo.commit("One")
    repo = world.repo(git=git_repo)
    request_index(repo, reason="test")
    repo_id = remove(repo)
    assert do_waiting_job(world.tenant.id, INDEX, repo_id) is None


def test_a_repo_without_history_can_be_removed(world: World) -> None:
    repo = world.repo()
    assert do_waiting_job(world.tenant.id, FORGET, remove(repo)) is None

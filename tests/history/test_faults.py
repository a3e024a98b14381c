"""What is amiss with a remote is told on its repo, and stops no index."""

from __future__ import annotations

import pytest

from shipmend.catalog.models import IndexState, Repo
from shipmend.core.values import Role
from shipmend.history.actions import INDEX, request_index
from shipmend.history.mirrors import mirror_of
from shipmend.history.queries import latest_on_trunk
from tests.gitworld import GitRepo
from tests.history.guards import do_waiting_job
from tests.history.rows import commits_of
from tests.web.cast import Person
from tests.world import World

pytestmark = pytest.mark.database


def told(world: World, repo: Repo) -> str:
    """What is amiss, as the repo's page has it as well."""
    repo.refresh_from_db()
    assert repo.index_state == IndexState.READY
    page = Person.of(world, Role.VIEWER).get(f"/entities/{repo.path}")
    assert repo.index_error in page.text
    return repo.index_error


def after_nothing_new(world: World, repo: Repo) -> str:
    world.index(repo)
    return told(world, repo)


def test_a_sound_remote_has_none(world: World, git_repo: GitRepo) -> None:
    git_repo.commit("One")
    repo = world.repo(git=git_repo)
    assert told(world, repo) == after_nothing_new(world, repo) == ""
    assert told(world, world.repo("empty", git=GitRepo(git_repo.path.with_name("empty.git")))) == ""


def test_missing_files_are_told(world: World, git_repo: GitRepo) -> None:
    git_repo.commit("One", files={"kept": "1", "lost": "2"})
    git_repo.loose(git_repo.object("blob", b"2")).unlink()
    repo = world.repo(git=git_repo)
    assert len(commits_of(repo)) == 1
    assert "some of its files" in told(world, repo)
    assert "some of its files" in after_nothing_new(world, repo)


def test_missing_files_come_when_somebody_asks_for_them(world: World, git_repo: GitRepo) -> None:
    git_repo.commit("One", files={"kept": "1", "lost": "2"})
    lost = git_repo.loose(git_repo.object("blob", b"2"))
    content = lost.read_bytes()
    lost.unlink()
    repo = world.repo(git=git_repo)
    lost.write_bytes(content)
    assert "some of its files" in after_nothing_new(world, repo)
    request_index(repo, reason="test", refill=True)
    assert do_waiting_job(repo.entity_id, INDEX, str(repo.id)) is None
    assert told(world, repo) == ""
    assert not mirror_of(repo.id).is_partial


def test_dates_that_are_none_are_told_and_counted_over_all_indexes(world: World, git_repo: GitRepo) -> None:
    git_repo.raw_commit(author=b"A <a@b> 99999999999999999999999 +0000")
    repo = world.repo(git=git_repo)
    assert told(world, repo).startswith("1 commit gives no usable time")
    git_repo.raw_commit(committer=b"C <c@d> -5 +0000")
    git_repo.commit("Sane")
    world.index(repo)
    assert told(world, repo).startswith("2 commits give no usable time")
    assert after_nothing_new(world, repo).startswith("2 commits give no usable time")


def test_unreadable_branches_are_told_and_the_others_indexed(world: World, git_repo: GitRepo) -> None:
    git_repo.commit("One")
    for number in range(5):
        git_repo.point(f"broken{number}", f"{number}" * 40)
    repo = world.repo(git=git_repo)
    assert len(commits_of(repo)) == 1
    assert 'can\'t read "heads/broken0", "heads/broken1", "heads/broken2" and 2 more.' in told(world, repo)
    git_repo.commit("Two")
    world.index(repo)
    assert len(commits_of(repo)) == 2
    for number in range(5):
        git_repo.delete_branch(f"broken{number}")
    assert after_nothing_new(world, repo) == ""


def test_a_default_branch_that_cannot_be_read_is_told_as_just_that(world: World, git_repo: GitRepo) -> None:
    first = git_repo.commit("One")
    git_repo.tag("v1", first)
    git_repo.loose(git_repo.commit("Two")).unlink()
    repo = world.repo(git=git_repo)
    assert len(commits_of(repo)) == 1
    assert told(world, repo) == (
        'The remote repository is damaged: of its branches and tags it can\'t read "heads/main".'
    )


def test_a_remote_that_names_no_branch_of_its_own_is_told_until_one_is_chosen(world: World, git_repo: GitRepo) -> None:
    git_repo.set_head("nowhere")
    git_repo.commit("One", branch="dev", parents=[])
    tip = git_repo.commit("Two", branch="next", parents=["dev"])
    repo = world.repo(git=git_repo)
    assert "choose the release branch" in told(world, repo)
    Repo.objects.filter(id=repo.id).update(release_branch="next")
    repo.refresh_from_db()
    assert after_nothing_new(world, repo) == ""
    latest = latest_on_trunk(repo.entity_id, repo.number)
    assert latest is not None
    assert latest.sha == tip


def test_a_release_branch_that_is_not_there_stays_told_when_nothing_is_new(world: World, git_repo: GitRepo) -> None:
    git_repo.commit("One")
    repo = world.repo(git=git_repo)
    Repo.objects.filter(id=repo.id).update(release_branch="releese")
    repo.refresh_from_db()
    assert '"releese" is not among' in after_nothing_new(world, repo)
    assert '"releese" is not among' in after_nothing_new(world, repo)

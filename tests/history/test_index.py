"""What an index stores, against what git says."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from shipmend.catalog.models import IndexState, Repo
from shipmend.git.errors import GitError
from shipmend.history import actions
from shipmend.history.mirrors import mirror_of
from shipmend.history.models import OctopusParent, Tip
from shipmend.history.queries import commit_by_sha
from shipmend.jobs.models import Job
from tests.gitworld import GRACE, GitRepo
from tests.history.histories import grow, reachable
from tests.history.rows import commits_of, rows_of, sha_of, trunk_of
from tests.world import FIRST_DAY, World

pytestmark = pytest.mark.database

LOG = "--format=%H%x00%P%x00%at%x00%ct%x00%an%x00%ae%x00%s%x1e"


def as_git_says(git: GitRepo) -> set[tuple[object, ...]]:
    """sha, parents, author time, commit time, author, mail, subject of every commit a branch or tag reaches."""
    found: set[tuple[object, ...]] = set()
    for record in git.git("log", "--branches", "--tags", LOG).split("\x1e")[:-1]:
        sha, parents, authored, committed, name, mail, subject = record.lstrip("\n").split("\0")
        found.add((sha, tuple(parents.split()), int(authored), int(committed), name, mail, subject))
    return found


def as_stored(repo: Repo) -> set[tuple[object, ...]]:
    """The same from the tables."""
    commits = commits_of(repo)
    shas = {commit.id: sha_of(commit) for commit in commits}
    further: dict[int, list[int]] = {}
    for row in OctopusParent.objects.filter(entity_id=repo.entity_id, repo_number=repo.number).order_by("position"):
        further.setdefault(row.commit_number, []).append(row.parent)
    authors = {row[0]: row[1:] for row in rows_of_authors(repo)}
    return {
        (
            shas[commit.id],
            tuple(shas[n] for n in [commit.parent, commit.second_parent, *further.get(commit.id, [])] if n),
            commit.authored_at,
            commit.committed_at,
            *authors[commit.author_id],
            commit.subject,
        )
        for commit in commits
    }


def rows_of_authors(repo: Repo) -> Iterator[tuple[int, str, str]]:
    for number, name, mail in rows_of(repo)["history_author"]:
        yield int(str(number)), str(name), str(mail)


def reload(repo: Repo) -> Repo:
    return Repo.objects.get(id=repo.id)


@pytest.mark.parametrize("seed", range(4))
def test_every_commit_is_stored_as_git_tells_it(world: World, git_repo: GitRepo, seed: int) -> None:
    grow(git_repo, random.Random(seed), steps=60, skew=5000 * seed)
    repo = world.repo(git=git_repo)
    assert as_stored(repo) == as_git_says(git_repo)
    assert len(commits_of(repo)) == reload(repo).commit_count == len(reachable(git_repo))


@pytest.mark.parametrize("seed", range(4))
def test_parents_have_smaller_numbers_than_their_children(world: World, git_repo: GitRepo, seed: int) -> None:
    chance = random.Random(seed)
    grow(git_repo, chance, steps=40, skew=100_000)
    repo = world.repo(git=git_repo)
    grow(git_repo, chance, steps=40, skew=100_000)
    world.index(repo)
    commits = commits_of(repo)
    assert [commit.id for commit in commits] == list(range(1, len(commits) + 1))
    assert all(parent < commit.id for commit in commits for parent in (commit.parent, commit.second_parent) if parent)


@pytest.mark.parametrize("seed", range(4))
def test_indexing_step_by_step_ends_where_indexing_at_once_does(world: World, git_repo: GitRepo, seed: int) -> None:
    """Up to the numbers, which depend on what came first, and to what was rewritten in between."""
    chance = random.Random(seed)
    repo = world.repo("stepwise")
    for _ in range(4):
        grow(git_repo, chance, steps=20, skew=2000)
        repo = world.repo("stepwise", git=git_repo)
        world.index(repo)
    fresh = world.repo("at-once", git=git_repo)
    there = set(reachable(git_repo))
    assert {row for row in as_stored(repo) if row[0] in there} == as_stored(fresh) == as_git_says(git_repo)
    assert trunk_shas(repo) == trunk_shas(fresh)
    assert tip_shas(repo) == tip_shas(fresh)


def trunk_shas(repo: Repo) -> list[tuple[object, ...]]:
    shas = {commit.id: sha_of(commit) for commit in commits_of(repo)}
    return [(floor, position, shas[commit]) for floor, position, commit in trunk_of(repo)]


def tip_shas(repo: Repo) -> dict[str, tuple[str, str | None]]:
    shas = {commit.id: sha_of(commit) for commit in commits_of(repo)}
    tips = Tip.objects.filter(entity_id=repo.entity_id, repo_number=repo.number)
    return {tip.name: (bytes(tip.sha).hex(), shas[tip.commit_number] if tip.commit_number else None) for tip in tips}


def test_tips_are_the_remotes_branches_and_tags(world: World, git_repo: GitRepo) -> None:
    first = git_repo.commit("One")
    git_repo.commit("Two", branch="topic")
    annotated = git_repo.tag("v1", first, annotated=True)
    blob = git_repo.object("blob", b"text")
    git_repo.git("update-ref", "refs/tags/file", blob)
    repo = world.repo(git=git_repo)
    assert tip_shas(repo) == {
        "refs/heads/main": (first, first),
        "refs/heads/topic": (git_repo.sha("topic"), git_repo.sha("topic")),
        "refs/tags/v1": (annotated, first),
        "refs/tags/file": (blob, None),
    }


def test_a_remote_without_commits_is_indexed_as_empty(world: World, git_repo: GitRepo) -> None:
    repo = reload(world.repo(git=git_repo))
    assert (repo.index_state, repo.index_error, repo.commit_count) == (IndexState.READY, "", 0)
    git_repo.commit("The first")
    world.index(repo)
    assert reload(repo).commit_count == 1


def test_a_force_push_keeps_what_it_left_behind(world: World, git_repo: GitRepo) -> None:
    base = git_repo.commit("Base")
    left = git_repo.commit("Left behind")
    repo = world.repo(git=git_repo)
    git_repo.point("main", base)
    new = git_repo.commit("Instead", author=GRACE)
    world.index(repo)
    assert {sha_of(commit) for commit in commits_of(repo)} == {base, left, new}
    assert [sha for *_, sha in trunk_shas(repo)] == [base, new]


def test_what_was_left_behind_and_comes_back_keeps_its_numbers(world: World, git_repo: GitRepo) -> None:
    base = git_repo.commit("Base")
    git_repo.commit("Left behind")
    back = git_repo.commit("Left behind as well")
    repo = world.repo(git=git_repo)
    before = {sha_of(commit): commit.id for commit in commits_of(repo)}
    git_repo.point("main", base)
    git_repo.commit("Instead")
    world.index(repo)
    git_repo.point("main", back)
    later = git_repo.commit("On top of what came back")
    world.index(repo)
    after = {sha_of(commit): commit.id for commit in commits_of(repo)}
    assert before.items() <= after.items()
    assert len(after) == 5
    assert [sha for *_, sha in trunk_shas(repo)][-2:] == [back, later]


def test_deleted_branches_lose_their_tips_and_keep_their_commits(world: World, git_repo: GitRepo) -> None:
    git_repo.commit("Base")
    gone = git_repo.commit("On a branch", branch="topic")
    repo = world.repo(git=git_repo)
    git_repo.delete_branch("topic")
    world.index(repo)
    assert list(tip_shas(repo)) == ["refs/heads/main"]
    assert commit_by_sha(repo.entity_id, repo.number, gone) is not None


def test_commits_with_absurd_dates_are_stored_without_them(world: World, git_repo: GitRepo) -> None:
    git_repo.raw_commit(author=b"A <a@b> 99999999999999999999999 +0000", committer=b"C <c@d> -5 +0000")
    git_repo.raw_commit(author=b"A <a@b> 1700000000 +9999", committer=b"nobody at all")
    git_repo.commit("Sane", at=FIRST_DAY)
    repo = world.repo(git=git_repo)
    stored = [(c.authored_at, c.authored_offset, c.committed_at) for c in commits_of(repo)]
    assert stored == [(None, 0, None), (1700000000, None, None), (FIRST_DAY, 0, FIRST_DAY)]


def test_a_merge_of_many_keeps_all_parents_in_their_order(world: World, git_repo: GitRepo) -> None:
    git_repo.commit("Base")
    for n in range(5):
        git_repo.commit(f"On {n}", branch=f"b{n}")
    git_repo.merge(*[f"b{n}" for n in range(5)])
    repo = world.repo(git=git_repo)
    assert as_stored(repo) == as_git_says(git_repo)


def test_an_index_tells_when_its_fetch_began_and_what_it_found(world: World, git_repo: GitRepo) -> None:
    git_repo.commit("One")
    repo = reload(world.repo(git=git_repo))
    assert repo.fetched_at is not None
    assert repo.indexed_at is not None
    assert repo.fetched_at <= repo.indexed_at
    assert (repo.index_state, repo.index_error, repo.index_progress) == (IndexState.READY, "", "")


def test_every_index_asks_for_what_waits_to_be_settled(world: World, git_repo: GitRepo) -> None:
    git_repo.commit("One")
    repo = world.repo(git=git_repo)
    asked = Job.objects.filter(entity_id=repo.entity_id, kind=actions.SETTLE, key=str(repo.id))
    assert asked.count() == 1
    asked.update(done_at=1)
    world.index(repo)
    assert asked.filter(done_at=None).count() == 1, "also when nothing was new: what waited may be refused now"


def test_a_remote_that_is_gone_is_told_in_words_and_harms_nothing(world: World, git_repo: GitRepo) -> None:
    git_repo.commit("One")
    repo = world.repo(git=git_repo)
    before = rows_of(repo)
    git_repo.path.rename(git_repo.path.with_name("elsewhere.git"))
    with pytest.raises(GitError):
        world.index(repo)
    assert reload(repo).index_state == IndexState.FAILED
    assert "no git repository at this address" in reload(repo).index_error
    assert rows_of(repo) == before
    git_repo.path.with_name("elsewhere.git").rename(git_repo.path)
    world.index(repo)
    assert (reload(repo).index_state, reload(repo).index_error) == (IndexState.READY, "")


def test_a_mirror_that_was_lost_is_fetched_again(world: World, git_repo: GitRepo) -> None:
    grow(git_repo, random.Random(1), steps=20)
    repo = world.repo(git=git_repo)
    before = rows_of(repo)
    mirror_of(repo.id).delete()
    world.index(repo)
    assert rows_of(repo) == before
    git_repo.commit("One more")
    world.index(repo)
    assert as_stored(repo) == as_git_says(git_repo)


def test_a_repo_pointed_at_another_remote_holds_both_histories(world: World, git_repo: GitRepo) -> None:
    first = git_repo.commit("Of the first")
    repo = world.repo(git=git_repo)
    other = GitRepo(git_repo.path.with_name("other.git"))
    second = other.commit("Of the second", author=GRACE)
    repo = world.repo(git=other)
    assert {sha_of(commit) for commit in commits_of(repo)} == {first, second}
    assert [sha for *_, sha in trunk_shas(repo)] == [second]


def test_repos_and_entities_never_see_each_others_commits(world: World, stranger: World, git_repo: GitRepo) -> None:
    sha = git_repo.commit("One")
    repo = world.repo(git=git_repo)
    other = world.repo("empty")
    assert commit_by_sha(repo.entity_id, repo.number, sha) is not None
    assert commit_by_sha(repo.entity_id, other.number, sha) is None
    assert commit_by_sha(stranger.tenant.id, repo.number, sha) is None

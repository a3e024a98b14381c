"""The commits that parts of a repo count, against git's own log of their paths."""

from __future__ import annotations

import random
import shutil

import pytest

from shipmend.audit.trail import COMMAND_LINE
from shipmend.catalog.actions import ensure_part, remove_repo
from shipmend.catalog.models import IndexState, Repo
from shipmend.core.errors import Invalid, NotFound
from shipmend.db.writes import write
from shipmend.git.errors import GitError
from shipmend.history import sifting
from shipmend.history import touched as reading
from shipmend.history.actions import FORGET, INDEX, SIFT, request_index
from shipmend.history.mirrors import mirror_of
from shipmend.history.models import Sieve, TouchedRun
from shipmend.history.sifting import PartChanged, sift
from shipmend.history.touched import is_behind, touched_runs
from shipmend.jobs.models import Job
from tests.gitworld import GitRepo
from tests.history.guards import FreeGuard, do_waiting_job
from tests.history.histories import reachable
from tests.history.monorepos import REST, A, B, expected, grow, touched
from tests.world import World

pytestmark = pytest.mark.database

PARTS = {"a": A, "b": B, "rest": REST}
Runs = list[tuple[int, int]]


def parts(world: World, source: Repo) -> dict[str, Repo]:
    return {slug: world.part(slug, source, *globs) for slug, globs in PARTS.items()}


def runs_of(part: Repo) -> Runs:
    """As stored, of all versions."""
    rows = TouchedRun.objects.filter(entity_id=part.entity_id, repo_id=part.id).order_by("version", "first")
    return [(row.first, row.last) for row in rows]


def waiting(source: Repo, kind: str = SIFT) -> int:
    jobs = Job.objects.filter(entity_id=source.entity_id, kind=kind, key=str(source.id), done_at=None)
    return jobs.count()


def reload(repo: Repo) -> Repo:
    return Repo.objects.select_related("entity", "organization", "source").get(id=repo.id)


@pytest.mark.parametrize("seed", range(4))
def test_parts_count_the_commits_that_git_tells_of_their_paths(world: World, git_repo: GitRepo, seed: int) -> None:
    grow(git_repo, random.Random(seed), steps=40)
    source = world.repo("mono", git=git_repo)
    there = reachable(git_repo)
    for slug, part in parts(world, source).items():
        assert touched(part) == expected(git_repo, PARTS[slug], there)
        assert (reload(part).index_state, reload(part).commit_count) == (IndexState.READY, len(touched(part)))
        assert not is_behind(part.entity_id, part.id)
    assert touched_runs(source.entity_id, source.id) is None


@pytest.mark.parametrize("seed", range(2))
def test_parts_that_share_no_path_share_no_commit_where_each_commit_keeps_to_one_of_them(
    world: World, git_repo: GitRepo, seed: int
) -> None:
    grow(git_repo, random.Random(seed), steps=40, most_at_once=1)
    source = world.repo("mono", git=git_repo)
    counted = {slug: touched(part) for slug, part in parts(world, source).items()}
    readme = touched(world.part("readme", source, "README.md"))
    everything = touched(world.part("everything", source, "**"))
    assert counted["a"].isdisjoint(counted["b"])
    assert (
        counted["a"] | counted["b"] | counted["rest"] == everything == expected(git_repo, ["**"], reachable(git_repo))
    )
    assert len(everything) == len(counted["a"]) + len(counted["b"]) + len(
        counted["rest"] - (counted["a"] | counted["b"])
    )
    assert readme <= counted["rest"]


@pytest.mark.parametrize("seed", range(3))
def test_looking_step_by_step_ends_where_looking_at_once_does(
    world: World, git_repo: GitRepo, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    chance = random.Random(seed)
    grow(git_repo, chance, steps=10)
    source = world.repo("mono", git=git_repo)
    part = world.part("a", source, *A)
    for _ in range(3):
        grow(git_repo, chance, steps=10)
        world.index(source)
        assert touched(part) == expected(git_repo, A, git_repo.git("rev-list", "--all").split())
    at_once = world.part("at-once", source, *A)
    monkeypatch.setattr(sifting, "COMMITS_AT_ONCE", 3)
    in_threes = world.part("in-threes", source, *A)
    assert runs_of(part) == runs_of(at_once) == runs_of(in_threes)


def test_the_commits_that_a_force_push_left_behind_count_as_before(world: World, git_repo: GitRepo) -> None:
    base = git_repo.commit("Base", files={"services/a/x": "0"})
    left = git_repo.commit("Left behind", files={"services/a/x": "1"})
    source = world.repo("mono", git=git_repo)
    part = world.part("a", source, *A)
    git_repo.point("main", base)
    new = git_repo.commit("Instead", files={"services/a/x": "2", "services/b/x": "2"})
    world.index(source)
    assert touched(part) == {base, left, new}


def test_commits_left_behind_before_anyone_looked_at_them_are_found(world: World, git_repo: GitRepo) -> None:
    """Between two looks a branch came and went: no branch leads to its commits any more."""
    base = git_repo.commit("Base", files={"services/b/x": "0"})
    source = world.repo("mono", git=git_repo)
    part = ensure_part(path=world.repo_path("a"), source=source.path, globs=A, actor=COMMAND_LINE)
    gone = git_repo.commit("Came and went", branch="topic", files={"services/a/x": "1"})
    assert do(source, INDEX) is None
    git_repo.delete_branch("topic")
    git_repo.commit("More", files={"services/b/x": "2"})
    assert do(source, INDEX) is None
    assert is_behind(part.entity_id, part.id)
    assert do(source, SIFT, ask=False) is None
    assert touched(part) == {gone}
    assert base not in touched(part)


def do(repo: Repo, kind: str, *, ask: bool = True) -> BaseException | None:
    """A job of a repo's, asked for as an index of the repo is."""
    if ask:
        request_index(repo, reason="test")
    return do_waiting_job(repo.entity_id, kind, str(repo.home.id))


def test_other_paths_count_when_all_commits_have_been_looked_at_and_not_before(
    world: World, git_repo: GitRepo, monkeypatch: pytest.MonkeyPatch
) -> None:
    grow(git_repo, random.Random(5), steps=30)
    there = reachable(git_repo)
    source = world.repo("mono", git=git_repo)
    part = world.part("a", source, *A)
    monkeypatch.setattr(sifting, "COMMITS_AT_ONCE", 4)
    changed = ensure_part(path=part.path, source=source.path, globs=B, actor=COMMAND_LINE)
    old, new = expected(git_repo, A, there), expected(git_repo, B, there)
    behind: list[bool] = []

    def look(_: int) -> None:
        behind.append(is_behind(part.entity_id, part.id))
        assert touched(part) == (old if behind[-1] else new)

    sift(changed, guard=FreeGuard(look))
    assert behind.count(True) > 4
    assert touched(part) == new
    assert runs_of(part) == runs_of(world.part("b", source, *B)), "what counted before is deleted"
    assert Sieve.objects.filter(entity_id=part.entity_id, repo_id=part.id).count() == 1


def test_paths_that_change_and_change_back_count_as_if_nothing_had_been(world: World, git_repo: GitRepo) -> None:
    grow(git_repo, random.Random(6), steps=20)
    source = world.repo("mono", git=git_repo)
    part = world.part("a", source, *A)
    before = runs_of(part), touched(part)
    changed = ensure_part(path=part.path, source=source.path, globs=B, actor=COMMAND_LINE)
    assert reload(part).index_state == IndexState.WAITING
    request_index(changed, reason="test")
    assert waiting(source) == 1
    ensure_part(path=part.path, source=source.path, globs=A, actor=COMMAND_LINE)
    do(source, SIFT)
    assert (runs_of(part), touched(part)) == before
    assert reload(part).index_state == IndexState.READY


class Stopped(Exception):
    """The worker was killed."""


def stop_at(write: int) -> FreeGuard:
    def stop(this: int) -> None:
        if this == write:
            raise Stopped

    return FreeGuard(stop)


@pytest.mark.parametrize("after", [A, B, REST])
def test_a_look_that_was_not_finished_leaves_nothing_to_the_next_paths(
    world: World, git_repo: GitRepo, monkeypatch: pytest.MonkeyPatch, after: tuple[str, ...]
) -> None:
    grow(git_repo, random.Random(4), steps=30)
    source = world.repo("mono", git=git_repo)
    part = world.part("a", source, *A)
    monkeypatch.setattr(sifting, "COMMITS_AT_ONCE", 4)
    ensure_part(path=part.path, source=source.path, globs=B, actor=COMMAND_LINE)
    with pytest.raises(Stopped):
        sift(reload(part), guard=stop_at(6))
    assert len(runs_of(part)) > len(expected(git_repo, A, reachable(git_repo))) // 4
    ensure_part(path=part.path, source=source.path, globs=after, actor=COMMAND_LINE)
    do(reload(part), SIFT)
    assert runs_of(part) == runs_of(world.part("fresh", source, *after))
    assert touched(part) == expected(git_repo, after, reachable(git_repo))
    assert Sieve.objects.filter(entity_id=part.entity_id, repo_id=part.id).count() == 1


def test_what_is_found_for_paths_that_changed_meanwhile_is_not_stored(world: World, git_repo: GitRepo) -> None:
    grow(git_repo, random.Random(6), steps=20)
    source = world.repo("mono", git=git_repo)
    part = ensure_part(path=world.repo_path("a"), source=source.path, globs=A, actor=COMMAND_LINE)

    def change(write: int) -> None:
        if write == 3:
            ensure_part(path=part.path, source=source.path, globs=B, actor=COMMAND_LINE)

    with pytest.raises(PartChanged):
        sift(reload(part), guard=FreeGuard(change))
    assert runs_of(part) == []
    do(reload(part), SIFT)
    assert touched(part) == expected(git_repo, B, reachable(git_repo))


def test_a_part_of_a_repo_without_commits_has_none_until_there_are_some(world: World, git_repo: GitRepo) -> None:
    source = world.repo("mono", git=git_repo)
    part = world.part("a", source, *A)
    assert touched(part) == set()
    assert (reload(part).index_state, reload(part).commit_count) == (IndexState.READY, 0)
    first = git_repo.commit("First", files={"services/a/x": "1"})
    world.index(source)
    assert touched(part) == {first}


def test_a_part_of_a_repo_that_was_never_indexed_waits_and_has_no_commits(world: World, git_repo: GitRepo) -> None:
    git_repo.commit("One", files={"services/a/x": "1"})
    named = world.repo("named")
    part = ensure_part(path=world.repo_path("a"), source=named.path, globs=A, actor=COMMAND_LINE)
    assert (part.index_state, touched(part), is_behind(part.entity_id, part.id)) == (IndexState.NONE, set(), False)
    source = world.repo("named", git=git_repo)
    assert source.id == named.id
    assert touched(part) == set(reachable(git_repo))
    assert reload(part).index_state == IndexState.READY


def test_an_index_asks_for_a_look_only_where_there_is_something_to_look_at(world: World, git_repo: GitRepo) -> None:
    git_repo.commit("One", files={"services/a/x": "1"})
    source = world.repo("mono", git=git_repo)
    assert do(source, INDEX) is None
    assert waiting(source) == 0, "there is no part"
    part = world.part("a", source, *A)
    assert do(source, INDEX) is None
    assert waiting(source) == 0, "nothing is new"
    git_repo.commit("Two", files={"services/b/x": "1"})
    assert do(source, INDEX) is None
    assert waiting(source) == 1
    assert do(source, SIFT, ask=False) is None
    assert waiting(source) == 0
    assert not is_behind(part.entity_id, part.id)


def test_an_index_of_a_part_is_one_of_its_source(world: World, git_repo: GitRepo) -> None:
    git_repo.commit("One", files={"services/a/x": "1"})
    source = world.repo("mono", git=git_repo)
    part = world.part("a", source, *A)
    request_index(reload(part), reason="test")
    assert waiting(source, INDEX) == 1
    assert not Job.objects.filter(entity_id=part.entity_id, key=str(part.id)).exists()
    assert not mirror_of(part.id).git_dir.exists()


def test_a_machine_whose_mirror_is_old_or_missing_fetches_before_it_looks(world: World, git_repo: GitRepo) -> None:
    git_repo.commit("One", files={"services/a/x": "1"})
    git_repo.tag("v1", annotated=True)
    source = world.repo("mono", git=git_repo)
    part = world.part("a", source, *A)
    here = mirror_of(source.id).git_dir
    shutil.copytree(here, here.with_suffix(".old"))
    git_repo.commit("Two", files={"services/a/x": "2"})
    do(source, INDEX)
    shutil.rmtree(here)
    here.with_suffix(".old").rename(here)
    do(source, SIFT, ask=False)
    assert touched(part) == set(git_repo.commits)
    shutil.rmtree(here)
    assert touched(world.part("b", source, "**")) == set(git_repo.commits)


def test_a_remote_that_is_gone_when_it_is_needed_is_told_in_words(world: World, git_repo: GitRepo) -> None:
    grow(git_repo, random.Random(8), steps=12)
    source = world.repo("mono", git=git_repo)
    other = world.part("b", source, *B)
    counted = touched(other)
    part = ensure_part(path=world.repo_path("a"), source=source.path, globs=A, actor=COMMAND_LINE)
    mirror_of(source.id).delete()
    away = git_repo.path.rename(git_repo.path.with_name("away.git"))
    request_index(part, reason="test")
    assert isinstance(do_waiting_job(source.entity_id, SIFT, str(source.id)), GitError)
    assert reload(part).index_state == IndexState.FAILED
    assert "no git repository at this address" in reload(part).index_error
    assert (touched(other), reload(other).index_state) == (counted, IndexState.READY), "it had nothing to look at"
    away.rename(git_repo.path)
    world.index(source)
    assert touched(part) == expected(git_repo, A, reachable(git_repo))
    assert (reload(part).index_state, reload(part).index_error) == (IndexState.READY, "")


def test_directories_that_no_mirror_can_have_are_a_fault_of_the_part_alone(world: World, git_repo: GitRepo) -> None:
    git_repo.commit("One", files={"services/a/x": "1"})
    tip = git_repo.commit("Two", files={"services/a/x": "2"})
    git_repo.loose(git_repo.git("rev-parse", f"{tip}:services/a")).unlink()
    source = world.repo("mono", git=git_repo)
    with pytest.raises(GitError):
        world.part("a", source, *A)
    part = Repo.objects.get(entity_id=source.entity_id, slug="a")
    assert (part.index_state, reload(source).index_state) == (IndexState.FAILED, IndexState.READY)
    assert touched(part) == set()
    assert is_behind(part.entity_id, part.id)


def test_a_removed_part_leaves_nothing_behind(world: World, git_repo: GitRepo, monkeypatch: pytest.MonkeyPatch) -> None:
    grow(git_repo, random.Random(9), steps=30)
    source = world.repo("mono", git=git_repo)
    part, other = world.part("a", source, *A), world.part("b", source, *B)
    counted = touched(other)
    remove_repo(tenant=world.tenant, repo_id=part.id, actor=COMMAND_LINE)
    monkeypatch.setattr(sifting, "WIPED", 2)
    assert do_waiting_job(source.entity_id, FORGET, str(part.id)) is None
    assert not Sieve.objects.filter(repo_id=part.id).exists()
    assert runs_of(part) == []
    assert touched(other) == counted
    assert mirror_of(source.id).exists


def test_a_part_removed_while_its_commits_are_looked_at_leaves_nothing_either(world: World, git_repo: GitRepo) -> None:
    grow(git_repo, random.Random(9), steps=10)
    source = world.repo("mono", git=git_repo)
    for before in (1, 2, 3, 4):
        part = ensure_part(path=world.repo_path("a"), source=source.path, globs=A, actor=COMMAND_LINE)

        def remove(write: int, *, before: int = before, part: Repo = part) -> None:
            if write == before:
                remove_repo(tenant=world.tenant, repo_id=part.id, actor=COMMAND_LINE)
                do_waiting_job(source.entity_id, FORGET, str(part.id))

        with pytest.raises(PartChanged):
            sift(reload(part), guard=FreeGuard(remove))
        assert (runs_of(part), Sieve.objects.filter(repo_id=part.id).count()) == ([], 0)


def test_a_source_is_not_removed_before_its_parts(world: World, git_repo: GitRepo) -> None:
    git_repo.commit("One", files={"services/a/x": "1"})
    source = world.repo("mono", git=git_repo)
    part = world.part("a", source, *A)
    with pytest.raises(Invalid, match=f"has parts \\({part.path}\\): remove those first"):
        remove_repo(tenant=world.tenant, repo_id=source.id, actor=COMMAND_LINE)
    remove_repo(tenant=world.tenant, repo_id=part.id, actor=COMMAND_LINE)
    remove_repo(tenant=world.tenant, repo_id=source.id, actor=COMMAND_LINE)
    assert not Repo.objects.filter(entity_id=world.tenant.id).exists()


def test_a_removed_entity_takes_sources_and_parts_with_it(stranger: World, git_repo: GitRepo) -> None:
    git_repo.commit("One", files={"services/a/x": "1"})
    source = stranger.repo("mono", git=git_repo)
    stranger.part("a", source, *A)
    write(reload(source).entity.delete)
    assert not Repo.objects.filter(entity_id=stranger.tenant.id).exists()


def test_parts_are_never_read_across_entities(world: World, stranger: World, git_repo: GitRepo) -> None:
    git_repo.commit("One", files={"services/a/x": "1"})
    source = world.repo("mono", git=git_repo)
    part = world.part("a", source, *A)
    assert touched_runs(stranger.tenant.id, part.id) is None
    path = stranger.repo_path("a")
    with pytest.raises(NotFound) as other:
        ensure_part(path=path, source=source.path, globs=A, actor=COMMAND_LINE)
    with pytest.raises(NotFound) as absent:
        ensure_part(path=path, source=stranger.repo_path("mono"), globs=A, actor=COMMAND_LINE)
    assert other.value.detail.replace(str(source.path), "") == absent.value.detail.replace(
        str(stranger.repo_path("mono")), ""
    )
    assert not Repo.objects.filter(entity_id=stranger.tenant.id).exists()


def test_what_is_kept_in_memory_is_let_go_when_it_is_too_much(
    world: World, git_repo: GitRepo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "MOST_RUNS", 1)
    kept = reading._Kept()
    git_repo.commit("One", files={"services/a/x": "1", "services/b/x": "1"})
    source = world.repo("mono", git=git_repo)
    for slug, part in parts(world, source).items():
        runs = kept.get(part.entity_id, part.id)
        assert runs is not None
        assert [run[:2] for run in runs] == ([] if slug == "rest" else [(1, 1)])
        assert kept.get(part.entity_id, part.id) is runs
    assert len(kept._parts) < len(PARTS)

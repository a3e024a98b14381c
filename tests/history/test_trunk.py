"""The release branch as a step in a table, against `git rev-list -1 --first-parent --before`."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipmend.catalog.models import Repo
from shipmend.core.releases import CommitState
from shipmend.history import index, trunk
from shipmend.history.queries import commit_at, first_commit_time, latest_on_trunk
from shipmend.history.stretches import STEPS
from shipmend.history.trunk import TrunkPlan, floors_of, known_times
from tests.gitworld import GitRepo
from tests.history.histories import commit_before, grow, times
from tests.history.rows import rows_of, trunk_of
from tests.world import FIRST_DAY, World


@given(st.lists(st.integers(-5, 5), min_size=1))
def test_a_floor_is_the_least_time_from_there_on(times: Sequence[int]) -> None:
    assert floors_of(times) == [min(times[place:]) for place in range(len(times))]


@given(st.lists(st.none() | st.integers(0, 9)))
def test_an_unknown_time_is_that_of_the_one_before(times: Sequence[int | None]) -> None:
    known = known_times(times, 5)
    assert len(known) == len(times)
    before = 5
    for time, found in zip(times, known, strict=True):
        before = before if time is None else time
        assert found == before


def answers(repo: Repo, git: GitRepo, branch: str, chance: random.Random) -> list[tuple[str, str]]:
    """Ours and git's, at random instants and at every edge."""
    all_times = times(git, [branch])
    edges = [time + off for time in chance.sample(all_times, min(25, len(all_times))) for off in (-1, 0, 1)]
    between = [chance.randint(min(all_times) - 10, max(all_times) + 10) for _ in range(25)]
    found = []
    for epoch in edges + between:
        ours = commit_at(repo.entity_id, repo.number, epoch)
        found.append((ours.sha if ours else "", commit_before(git, branch, epoch)))
    return found


@pytest.mark.database
@pytest.mark.parametrize("seed", range(5))
def test_the_release_commit_at_a_time_is_git_s_own(
    world: World, git_repo: GitRepo, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Clocks are off by up to hours, so times jump about; the branch grows and is rewritten in between."""
    chance = random.Random(seed)
    monkeypatch.setattr(trunk, "STEPS", chance.choice([1, 3, 10]))
    for _ in range(3):
        grow(git_repo, chance, steps=25, skew=20_000)
        if chance.random() < 0.5:
            git_repo.point("main", chance.choice(git_repo.git("rev-list", "main").split()))
        repo = world.repo(git=git_repo)
        assert {ours == gits for ours, gits in answers(repo, git_repo, "main", chance)} == {True}


@pytest.mark.database
def test_before_the_first_commit_there_is_none(world: World, git_repo: GitRepo) -> None:
    git_repo.commit("One", at=FIRST_DAY)
    repo = world.repo(git=git_repo)
    assert first_commit_time(repo.entity_id, repo.number) == FIRST_DAY
    assert commit_at(repo.entity_id, repo.number, FIRST_DAY - 1) is None
    assert commit_at(repo.entity_id, repo.number, FIRST_DAY) is not None


@pytest.mark.database
def test_the_commit_found_carries_its_times_and_number(world: World, git_repo: GitRepo) -> None:
    sha = git_repo.commit("One", at=FIRST_DAY, author_at=FIRST_DAY - 60)
    repo = world.repo(git=git_repo)
    found = latest_on_trunk(repo.entity_id, repo.number)
    assert found is not None
    assert (found.sha, found.number, found.authored_at, found.committed_at) == (sha, 1, FIRST_DAY - 60, FIRST_DAY)
    assert found.state is CommitState.KNOWN


@pytest.mark.database
def test_a_repo_without_commits_has_no_trunk(world: World, git_repo: GitRepo) -> None:
    for repo in (world.repo("never-indexed"), world.repo("empty", git=git_repo)):
        assert latest_on_trunk(repo.entity_id, repo.number) is None
        assert first_commit_time(repo.entity_id, repo.number) is None


@pytest.mark.database
def test_growing_touches_only_the_end_of_the_chain(world: World, git_repo: GitRepo) -> None:
    for _ in range(2 * STEPS + 5):
        git_repo.commit()
    repo = world.repo(git=git_repo)
    before = rows_of(repo)["history_stretch"]
    git_repo.commit()
    world.index(repo)
    assert len(set(before) & set(rows_of(repo)["history_stretch"])) == 2
    assert len(trunk_of(repo)) == 2 * STEPS + 6


@pytest.mark.database
def test_a_rewrite_writes_anew_only_what_it_changed(
    world: World, git_repo: GitRepo, monkeypatch: pytest.MonkeyPatch
) -> None:
    plans: list[TrunkPlan] = []
    shas = [git_repo.commit() for _ in range(2 * STEPS)]
    repo = world.repo(git=git_repo)
    git_repo.point("main", shas[STEPS + 16])
    git_repo.commit("Instead", at=times(git_repo, ["main"])[0] + 1)
    monkeypatch.setattr(index, "apply_trunk", lambda _, plan: plans.append(plan))
    world.index(repo)
    (plan,) = plans
    assert plan.cut is not None
    assert plan.cut.position == STEPS + 1
    assert [len(stretch.commits) for stretch in plan.added] == [18]


@pytest.mark.database
def test_a_fast_forward_to_what_another_branch_had_is_followed(world: World, git_repo: GitRepo) -> None:
    """The commits were indexed long before the release branch reached them."""
    git_repo.commit("Base")
    for n in range(3):
        git_repo.commit(f"Develop {n}", branch="develop")
    repo = world.repo(git=git_repo)
    git_repo.point("main", git_repo.sha("develop"))
    world.index(repo)
    assert len(trunk_of(repo)) == 4
    latest = latest_on_trunk(repo.entity_id, repo.number)
    assert latest is not None
    assert latest.sha == git_repo.sha("develop")


@pytest.mark.database
def test_a_chosen_release_branch_is_followed_from_the_next_index_on(world: World, git_repo: GitRepo) -> None:
    git_repo.commit("Base")
    live = git_repo.commit("Live", branch="production")
    main = git_repo.commit("On main")
    repo = world.repo(git=git_repo)
    for branch, tip in (("production", live), ("", main)):
        Repo.objects.filter(id=repo.id).update(release_branch=branch)
        world.index(repo)
        latest = latest_on_trunk(repo.entity_id, repo.number)
        assert latest is not None
        assert latest.sha == tip


@pytest.mark.database
def test_a_release_branch_that_is_not_there_is_told_in_words(world: World, git_repo: GitRepo) -> None:
    git_repo.commit("Base")
    repo = world.repo(git=git_repo)
    Repo.objects.filter(id=repo.id).update(release_branch="releese")
    world.index(repo)
    repo.refresh_from_db()
    assert latest_on_trunk(repo.entity_id, repo.number) is None
    assert '"releese" is not among' in repo.index_error


@pytest.mark.database
def test_the_remotes_new_default_branch_is_followed(world: World, git_repo: GitRepo) -> None:
    git_repo.commit("Old")
    repo = world.repo(git=git_repo)
    new = git_repo.commit("New", branch="next")
    git_repo.set_head("next")
    world.index(repo)
    latest = latest_on_trunk(repo.entity_id, repo.number)
    assert latest is not None
    assert latest.sha == new

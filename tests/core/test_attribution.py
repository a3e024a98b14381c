"""Attribution against sets: a release has what it contains and no earlier one does."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipmend.core.ancestry import Parents
from shipmend.core.attribution import Attribution, StreamRelease, first_containing
from shipmend.core.lineage import Lineage
from shipmend.core.runs import Redrawn, Run
from tests.core.histories import Shape, Story, ancestors_in, grow, parents_of, releases_of, shapes

Owned = dict[StreamRelease, set[int]]


def owned_by_sets(shape: Shape, releases: Iterable[StreamRelease]) -> Owned:
    contained = ancestors_in(shape)
    earlier: set[int] = set()
    owned: Owned = {}
    for release in sorted(releases):
        owned[release] = set(contained[release.commit] - earlier)
        earlier |= contained[release.commit]
    return owned


def owned_by_runs(runs: Iterable[Run[StreamRelease]], releases: Iterable[StreamRelease]) -> Owned:
    owned: Owned = {release: set() for release in releases}
    for run in runs:
        owned[run.value] |= set(range(run.first, run.last + 1))
    return owned


def derived(shape: Shape, releases: Iterable[StreamRelease]) -> Attribution:
    return Attribution.derive(Lineage(parents_of(shape)), releases)


class Stored:
    """A table of runs that is only told what came and what went."""

    def __init__(self) -> None:
        self.runs: set[Run[StreamRelease]] = set()

    def change(self, redrawn: Redrawn[StreamRelease]) -> None:
        assert self.runs.issuperset(redrawn.gone)
        assert self.runs.isdisjoint(redrawn.come)
        assert not set(redrawn.gone) & set(redrawn.come)
        self.runs = self.runs.difference(redrawn.gone).union(redrawn.come)


@given(shapes().flatmap(lambda shape: st.tuples(st.just(shape), releases_of(shape))))
def test_a_release_has_what_it_contains_without_what_any_earlier_one_contains(
    drawn: tuple[Shape, list[StreamRelease]],
) -> None:
    shape, releases = drawn
    attribution = derived(shape, releases)
    expected = owned_by_sets(shape, releases)
    assert owned_by_runs(attribution, releases) == expected
    owners = {commit: release for release, commits in expected.items() for commit in commits}
    assert all(attribution.owner_of(commit) == owners.get(commit) for commit in range(1, len(shape) + 2))
    for release in releases:
        assert owned_by_runs(attribution.runs_of(release), [release]) == {release: expected[release]}


@pytest.mark.parametrize("seed", range(60))
def test_each_environment_of_a_project_is_attributed_on_its_own(seed: int) -> None:
    story = Story(seed)
    for stream in story.streams:
        releases = [StreamRelease(at, commit) for at, commit in enumerate(stream)]
        attribution = derived(story.shape, releases)
        assert owned_by_runs(attribution, releases) == owned_by_sets(story.shape, releases)


@given(st.data())
def test_any_sequence_of_changes_gives_what_a_fresh_start_gives(data: st.DataObject) -> None:
    shape = data.draw(shapes())
    lineage = Lineage(parents_of(shape))
    standing: list[StreamRelease] = []
    attribution, stored = Attribution(lineage, [], []), Stored()
    for release in data.draw(releases_of(shape)):
        change = data.draw(st.sampled_from(["insert", "insert", "remove", "move"])) if standing else "insert"
        if change == "insert":
            stored.change(attribution.insert(release))
            standing.append(release)
        else:
            old = standing.pop(data.draw(st.integers(0, len(standing) - 1)))
            if change == "remove":
                stored.change(attribution.remove(old))
            else:
                stored.change(attribution.move(old, release))
                standing.append(release)
        assert list(attribution) == list(Attribution.derive(lineage, standing)) == sorted(stored.runs)


@pytest.mark.parametrize("seed", range(10))
def test_the_releases_of_a_project_may_come_in_any_order_and_go_again(seed: int) -> None:
    story = Story(seed, commits=200)
    lineage = Lineage(parents_of(story.shape))
    releases = {StreamRelease(at // 2, commit) for at, commit in enumerate(story.production)}
    attribution, stored = Attribution(lineage, [], []), Stored()
    for release in releases:
        stored.change(attribution.insert(release))
    assert stored.runs == set(Attribution.derive(lineage, releases))
    for release in releases:
        stored.change(attribution.remove(release))
    assert stored.runs == set()


@given(shapes(least=2).flatmap(lambda shape: st.tuples(st.just(shape), releases_of(shape), releases_of(shape))))
def test_what_was_stored_goes_on_where_it_was_left_while_the_repo_grows(
    drawn: tuple[Shape, list[StreamRelease], list[StreamRelease]],
) -> None:
    shape, releases, later = drawn
    half = len(shape) // 2
    parents = parents_of(shape[:half])
    early = [release for release in releases if release.commit <= half]
    runs = list(Attribution.derive(Lineage(parents), early))
    attribution = Attribution(Lineage(parents), early, runs)
    grow(parents, shape)
    for release in set(later) - set(early):
        attribution.insert(release)
    for release in early:
        attribution.remove(release)
    assert list(attribution) == list(Attribution.derive(Lineage(parents), set(later) - set(early)))


def test_a_rollback_a_redeploy_and_a_merged_hotfix_take_nothing_twice() -> None:
    #      1 - 2 - 3 - 5 - 6      trunk
    #           \             /
    #             --- 4 -----      hotfix
    shape: Shape = [(), (1,), (2,), (2,), (3,), (5, 4)]
    baseline, forward, rollback, hotfix, again, merged = releases = [
        StreamRelease(at, commit) for at, commit in enumerate((2, 3, 2, 4, 4, 6))
    ]
    assert owned_by_runs(derived(shape, releases), releases) == {
        baseline: {1, 2},
        forward: {3},
        rollback: set(),
        hotfix: {4},
        again: set(),
        merged: {5, 6},
    }


def test_in_one_second_history_decides_which_release_came_first() -> None:
    shape: Shape = [(), (1,)]
    releases = [StreamRelease(7, 2), StreamRelease(7, 1)]
    assert owned_by_runs(derived(shape, releases), releases) == {releases[1]: {1}, releases[0]: {2}}


def test_a_release_that_is_there_already_is_refused_and_nothing_changes() -> None:
    one, other = StreamRelease(1, 1), StreamRelease(2, 2)
    attribution = derived([(), (1,)], [one, other])
    runs = list(attribution)
    with pytest.raises(ValueError, match="there already"):
        attribution.insert(one)
    with pytest.raises(ValueError, match="there already"):
        attribution.move(one, other)
    with pytest.raises(KeyError):
        attribution.remove(StreamRelease(1, 2))
    assert list(attribution) == runs
    assert attribution.move(one, one) == Redrawn()


def test_no_release_owns_nothing() -> None:
    assert list(derived([(), (1,)], [])) == []
    assert first_containing(Parents(), []) == array("i", [0])


class Counted(list[int]):
    """Parents that tell how often they were looked at."""

    looks = 0

    def __getitem__(self, at: object) -> int:  # type: ignore[override]  # slices are not asked for
        self.looks += 1
        return super().__getitem__(at)  # type: ignore[no-any-return,call-overload]  # an index


def test_a_change_costs_what_changes_hands_and_not_the_history() -> None:
    commits = 20_000
    parents = parents_of([(commit - 1,) if commit > 1 else () for commit in range(1, commits + 1)])
    releases = [StreamRelease(commit, commit) for commit in range(1000, commits + 1, 1000)]
    attribution = Attribution.derive(Lineage(parents), releases)
    attribution.move(releases[3], StreamRelease(3500, 4000))  # has learnt the children by now
    parents.first = counted = Counted(parents.first)  # type: ignore[assignment]  # behaves the same
    for change in (attribution.insert, attribution.remove):
        before = counted.looks
        redrawn = change(StreamRelease(9500, 9010))
        assert sorted(run.last - run.first + 1 for run in redrawn.gone) in ([1000], [10, 990])
        assert 10 <= counted.looks - before < 100
    assert all(one.last < other.first for one, other in pairwise(attribution))

"""The ledger against a replay over sets, release by release."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipmend.core.attribution import first_containing
from shipmend.core.ledger import Fate, Ledger, LedgerEvent
from tests.core.histories import Shape, Story, ancestors_in, grow, parents_of, shapes

SHIPPED, WITHDRAWN, RETURNED = Fate

drawn_streams = shapes().flatmap(
    lambda shape: st.tuples(st.just(shape), st.lists(st.integers(1, len(shape)), max_size=12))
)
stories = pytest.mark.parametrize("seed", range(60))


def replay(contained: list[frozenset[int]], stream: Sequence[int]) -> list[list[LedgerEvent]]:
    """Each commit's life, from what is live after each release."""
    lives: list[list[LedgerEvent]] = [[] for _ in contained]
    live: frozenset[int] = frozenset()
    for release, commit in enumerate(stream):
        for withdrawn in live - contained[commit]:
            lives[withdrawn].append(LedgerEvent(release, WITHDRAWN))
        for come in contained[commit] - live:
            lives[come].append(LedgerEvent(release, RETURNED if lives[come] else SHIPPED))
        live = contained[commit]
    return lives


def check(shape: Shape, stream: Sequence[int]) -> None:
    contained = ancestors_in(shape)
    ledger = Ledger(parents_of(shape), stream)
    live = contained[stream[-1]] if stream else frozenset()
    commits = range(len(shape) + 1)
    assert [list(ledger.history_of(commit)) for commit in commits] == replay(contained, stream)
    assert {commit for commit in commits if ledger.is_live(commit)} == live
    assert ledger.live_now() == bytes(commit in live for commit in commits)
    for release, released in enumerate(stream):
        assert {commit for commit in commits if ledger.contains(release, commit)} == contained[released]


@given(drawn_streams)
def test_each_commit_was_shipped_withdrawn_and_returned_as_a_replay_says(drawn: tuple[Shape, list[int]]) -> None:
    check(*drawn)


@stories
def test_each_environment_of_a_project_has_a_ledger_of_its_own(seed: int) -> None:
    story = Story(seed)
    for stream in story.streams:
        check(story.shape, stream)


@stories
def test_what_changed_between_two_releases_is_the_difference_of_their_ancestors(seed: int) -> None:
    story = Story(seed)
    contained = ancestors_in(story.shape)
    ledger = Ledger(parents_of(story.shape), story.production)
    for before, old in enumerate(story.production):
        for after, new in enumerate(story.production):
            added, removed = ledger.between(before, after)
            assert added == sorted(contained[new] - contained[old])
            assert removed == sorted(contained[old] - contained[new])


def check_ancestors(contained: list[frozenset[int]], ledger: Ledger, stream: Sequence[int]) -> None:
    for release, commit in enumerate(stream):
        earlier = [each for each in range(release) if stream[each] in contained[commit]]
        without = frozenset[int]().union(*(contained[stream[each]] for each in earlier))
        assert ledger.since_ancestors(release) == sorted(contained[commit] - without)
        nearest = ledger.ancestors(release)
        assert set(nearest) <= set(earlier)
        # They stand for all: every ancestor release is in one of them, and none of them in another.
        assert {stream[each] for each in nearest} == {
            stream[each]
            for each in earlier
            if not any(stream[each] in contained[stream[other]] - {stream[other]} for other in earlier)
        }
        assert len({stream[each] for each in nearest}) == len(nearest)


@given(drawn_streams)
def test_release_notes_leave_out_all_that_an_earlier_ancestor_release_contains(drawn: tuple[Shape, list[int]]) -> None:
    shape, stream = drawn
    check_ancestors(ancestors_in(shape), Ledger(parents_of(shape), stream), stream)


@stories
def test_the_release_notes_of_a_project_leave_out_what_its_ancestor_releases_contain(seed: int) -> None:
    story = Story(seed)
    check_ancestors(ancestors_in(story.shape), Ledger(parents_of(story.shape), story.production), story.production)


@given(drawn_streams, st.data())
def test_what_is_merged_and_not_live_and_what_was_never_released_are_told_apart(
    drawn: tuple[Shape, list[int]], data: st.DataObject
) -> None:
    shape, stream = drawn
    contained = ancestors_in(shape)
    tip = data.draw(st.integers(1, len(shape)))
    ledger = Ledger(parents_of(shape), stream)
    released = frozenset[int]().union(*(contained[commit] for commit in stream))
    assert ledger.not_released(tip) == sorted(contained[tip] - released)
    assert ledger.not_live(tip) == sorted(contained[tip] - (contained[stream[-1]] if stream else frozenset()))
    waiting = ledger.waiting(tip)
    assert sorted([*waiting.commits, *waiting.merges]) == sorted(contained[tip] - released)
    tips = data.draw(st.lists(st.integers(1, len(shape)), max_size=4))
    assert ledger.held_by(tips) == sorted(frozenset[int]().union(*(contained[each] for each in tips)) - released)


@given(drawn_streams)
def test_a_commit_is_shipped_by_the_release_it_is_attributed_to(drawn: tuple[Shape, list[int]]) -> None:
    shape, stream = drawn
    parents = parents_of(shape)
    ledger, owners = Ledger(parents, stream), first_containing(parents, stream)
    for commit in range(1, len(shape) + 1):
        shipped = [event.release for event in ledger.history_of(commit) if event.fate is SHIPPED]
        assert shipped == ([owners[commit] - 1] if owners[commit] else [])


@given(shapes(least=2).flatmap(lambda shape: st.tuples(st.just(shape), st.integers(1, len(shape) - 1))))
def test_commits_that_came_after_the_ledger_are_in_no_release(drawn: tuple[Shape, int]) -> None:
    shape, early = drawn
    parents = parents_of(shape[:early])
    ledger = Ledger(parents, [early])
    grow(parents, shape)
    contained = ancestors_in(shape)
    for commit in range(early + 1, len(shape) + 1):
        assert ledger.history_of(commit) == ()
        assert not ledger.is_live(commit)
        assert ledger.not_live(commit) == ledger.not_released(commit) == sorted(contained[commit] - contained[early])


def test_a_life_with_a_rollback_and_a_return() -> None:
    shape: Shape = [(), (1,), (2,)]
    ledger = Ledger(parents_of(shape), [1, 2, 2, 1, 1, 3])
    assert ledger.history_of(1) == ((0, SHIPPED),)
    assert ledger.history_of(2) == ((1, SHIPPED), (3, WITHDRAWN), (5, RETURNED))
    assert ledger.history_of(3) == ((5, SHIPPED),)


def test_a_release_is_nearest_to_the_last_of_those_made_of_one_commit() -> None:
    ledger = Ledger(parents_of([(), (1,), (1,)]), [1, 2, 1, 3])
    assert ledger.ancestors(3) == [2]
    assert ledger.ancestors(0) == []
    assert ledger.since_ancestors(3) == [3]


@stories
def test_no_group_is_kept_twice(seed: int) -> None:
    story = Story(seed)
    groups = Ledger(parents_of(story.shape), story.production)._groups  # what must not grow without need
    assert len(set(groups)) == len(groups)


def test_releases_without_end_that_change_little_cost_little() -> None:
    commits = 3_000
    shape: Shape = [(commit - 1,) if commit > 1 else () for commit in range(1, commits + 1)]
    ledger = Ledger(parents_of(shape), [*range(1, commits + 1), *[commits] * commits])
    bits = [group.later.bit_length() for group in ledger._groups]  # what must not grow with the number of releases
    assert list(accumulate(bits, max))[-1] <= 1
    assert ledger.history_of(1) == ((0, SHIPPED),)
    assert ledger.contains(2 * commits - 1, commits)
    assert not ledger.contains(commits - 2, commits)

"""Walks against sets."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipmend.core.ancestry import Parents
from shipmend.core.walks import Difference, difference, reach
from tests.core.histories import Shape, Story, ancestors_in, grow, parents_of, shapes


def check_difference(parents: Parents, contained: list[frozenset[int]], before: int, after: int) -> None:
    found = difference(parents, before, after)
    expected = contained[after] - contained[before], contained[before] - contained[after]
    assert found == Difference(*(sorted(side) for side in expected))


@given(shapes(), st.data())
def test_what_changed_between_two_commits_is_the_difference_of_their_ancestors(
    shape: Shape, data: st.DataObject
) -> None:
    before, after = data.draw(st.tuples(*[st.integers(1, len(shape))] * 2))
    check_difference(parents_of(shape), ancestors_in(shape), before, after)


@pytest.mark.parametrize("seed", range(5))
def test_what_changed_is_right_for_all_pairs_of_a_project(seed: int) -> None:
    story = Story(seed)
    parents, contained = parents_of(story.shape), ancestors_in(story.shape)
    for before in range(1, len(story.shape) + 1):
        for after in range(1, len(story.shape) + 1):
            check_difference(parents, contained, before, after)


@given(shapes(), st.data())
def test_a_walk_goes_on_over_wanted_commits_only(shape: Shape, data: st.DataObject) -> None:
    wanted = data.draw(st.sets(st.integers(1, len(shape))))
    start = data.draw(st.integers(1, len(shape)))
    reached: set[int] = set()
    for commit in range(start, 0, -1):
        has_reached_child = any(commit in shape[child - 1] for child in reached)
        if commit in wanted and (commit == start or has_reached_child):
            reached.add(commit)
    assert reach(parents_of(shape), start, wanted.__contains__) == sorted(reached)


class Watched(Parents):
    """Parents that tell whose were asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[int] = []

    def of(self, commit: int) -> tuple[int, ...]:
        self.asked.append(commit)
        return super().of(commit)


def test_what_changed_between_two_hotfixes_costs_nothing_of_the_trunk_beside_them() -> None:
    parents = Watched()
    grow(
        parents, [*((commit - 1,) if commit > 1 else () for commit in range(1, 10_001)), (5_000,), (5_000,), (10_002,)]
    )
    assert difference(parents, 10_001, 10_003) == Difference([10_002, 10_003], [10_001])
    assert parents.asked == [10_003, 10_002, 10_001]

"""What waits for a release, against sets: which commits, and which commit of the branch brought each."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipmend.core.ancestry import NONE
from shipmend.core.ledger import Ledger
from tests.core.histories import Shape, Story, ancestors_in, parents_of, shapes


def chain_of(shape: Shape, tip: int) -> list[int]:
    """The first-parent chain of a commit, oldest first."""
    chain = [tip]
    while shape[chain[-1] - 1]:
        chain.append(shape[chain[-1] - 1][0])
    return chain[::-1]


def check(shape: Shape, stream: list[int], tip: int) -> None:
    parents, contained = parents_of(shape), ancestors_in(shape)
    released = frozenset[int]().union(*(contained[commit] for commit in stream))
    waiting = Ledger(parents, stream).waiting(tip)
    wanted = contained[tip] - released
    branch = chain_of(shape, tip)
    for commit in range(len(shape) + 2):
        first = next(step for step in branch if commit in contained[step]) if commit in wanted else NONE
        assert waiting.brought_by(commit) == first
    ordered = sorted(wanted, key=lambda commit: (waiting.brought_by(commit), commit))
    assert list(waiting.commits) == [commit for commit in ordered if len(shape[commit - 1]) < 2]
    assert list(waiting.merges) == [commit for commit in ordered if len(shape[commit - 1]) > 1]


@given(
    shapes().flatmap(
        lambda shape: st.tuples(
            st.just(shape), st.lists(st.integers(1, len(shape)), max_size=4), st.integers(1, len(shape))
        )
    )
)
def test_each_waiting_commit_was_brought_by_the_first_of_the_branch_that_contains_it(
    drawn: tuple[Shape, list[int], int],
) -> None:
    check(*drawn)


@pytest.mark.parametrize("seed", range(40))
def test_what_waits_in_a_projects_life(seed: int) -> None:
    story = Story(seed)
    for stream in story.streams:
        for tip in range(1, len(story.shape) + 1, 7):
            check(story.shape, list(stream), tip)

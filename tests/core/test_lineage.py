"""Children, against a look at every commit."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from shipmend.core.ancestry import Parents
from shipmend.core.lineage import Lineage
from tests.core.histories import Shape, grow, parents_of, shapes


def children_above(shape: Shape, first: int, last: int) -> set[tuple[int, int]]:
    return {
        (parent, child)
        for child, parents in enumerate(shape, start=1)
        for parent in parents
        if first <= parent <= last < child
    }


@given(shapes(), st.data())
def test_the_children_after_a_range_of_commits_are_found(shape: Shape, data: st.DataObject) -> None:
    lineage = Lineage(parents_of(shape))
    first = data.draw(st.integers(1, len(shape)))
    for last in range(first, len(shape) + 1):
        assert sorted(lineage.above(first, last)) == sorted(children_above(shape, first, last))


@given(shapes(least=2), st.data())
def test_children_that_come_later_are_found_too(shape: Shape, data: st.DataObject) -> None:
    early = data.draw(st.integers(1, len(shape) - 1))
    parents = Parents()
    grow(parents, shape[:early])
    lineage = Lineage(parents)
    assert set(lineage.above(1, early)) == set()
    grow(parents, shape)
    assert sorted(lineage.above(1, early)) == sorted(children_above(shape, 1, early))

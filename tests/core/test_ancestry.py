"""Ancestry by numbers, against a plain search."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipmend.core.ancestry import Parents, is_ancestor, relate
from shipmend.core.releases import Relation

Dag = list[list[int]]


@st.composite
def dags(draw: st.DrawFn) -> Dag:
    """The parents of commits 1 to n: any smaller numbers, up to five of them."""
    size = draw(st.integers(1, 25))
    return [
        draw(st.lists(st.integers(1, commit - 1), max_size=5, unique=True)) if commit > 1 else []
        for commit in range(1, size + 1)
    ]


def graph_of(dag: Dag) -> Parents:
    parents = Parents()
    for commit, of_commit in enumerate(dag, 1):
        padded = [*of_commit, 0, 0]
        parents.extend(padded[:1], padded[1:2])
        if len(of_commit) > 2:
            parents.further[commit] = tuple(of_commit[2:])
    return parents


def ancestors(dag: Dag, commit: int) -> set[int]:
    found = {commit}
    for parent in dag[commit - 1]:
        found |= ancestors(dag, parent)
    return found


@given(dags())
def test_ancestors_are_what_a_plain_search_reaches(dag: Dag) -> None:
    parents = graph_of(dag)
    for descendant in range(1, len(dag) + 1):
        reached = ancestors(dag, descendant)
        found = {commit for commit in range(1, len(dag) + 1) if is_ancestor(parents, commit, descendant)}
        assert found == reached


@given(dags())
def test_parents_are_given_back_in_their_order(dag: Dag) -> None:
    parents = graph_of(dag)
    assert len(parents) == len(dag)
    assert [list(parents.of(commit)) for commit in range(1, len(dag) + 1)] == dag


@given(dags(), st.data())
def test_each_relation_has_its_mirror_image(dag: Dag, data: st.DataObject) -> None:
    parents = graph_of(dag)
    one, other = (data.draw(st.integers(1, len(dag))) for _ in range(2))
    mirrored = {Relation.DESCENDANT: Relation.ANCESTOR, Relation.ANCESTOR: Relation.DESCENDANT}
    there = relate(parents, one, other)
    assert relate(parents, other, one) is mirrored.get(there, there)
    assert (there is Relation.SAME) == (one == other)


@pytest.mark.parametrize(
    ("earlier", "later", "relation"),
    [
        (1, 4, Relation.DESCENDANT),
        (4, 1, Relation.ANCESTOR),
        (2, 3, Relation.APART),
        (3, 2, Relation.APART),
        (4, 4, Relation.SAME),
    ],
)
def test_relations_have_the_direction_of_releases(earlier: int, later: int, relation: Relation) -> None:
    fork_and_merge = graph_of([[], [1], [1], [2, 3]])
    assert relate(fork_and_merge, earlier, later) is relation


def test_a_missing_first_parent_hides_no_other() -> None:
    parents = Parents()
    parents.extend([0, 0], [0, 1])
    assert is_ancestor(parents, 1, 2)

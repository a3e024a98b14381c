"""Looking through defects: order and sums, against naive counting."""

from __future__ import annotations

from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipmend.core.defect_browser import BrowsedDefect, Order, by_repo, put_in_order

REPOS = [1, 2, 3]
some_repo = st.sampled_from(REPOS)
fixes = st.lists(some_repo, max_size=4)


@st.composite
def defects(draw: st.DrawFn) -> list[BrowsedDefect]:
    found = []
    for n in range(draw(st.integers(0, 8))):
        mended = draw(fixes)
        resolved = draw(st.integers(0, 60)) if mended else None
        severity, own = draw(st.none() | st.integers(-2, 3)), draw(st.none() | some_repo)
        at = draw(st.integers(0, 50))
        found.append(BrowsedDefect(f"K-{n}", at, resolved, severity, own, mended))
    return found


@given(defects(), st.sampled_from(Order), st.data())
def test_an_order_keeps_all_and_does_not_depend_on_the_order_before(
    found: list[BrowsedDefect], order: Order, data: st.DataObject
) -> None:
    placed = put_in_order(found, order)
    assert sorted(each.key for each in placed) == sorted(each.key for each in found)
    assert put_in_order(data.draw(st.permutations(found)), order) == placed


@pytest.mark.parametrize("word", ["detected", "took", "severity"])
@given(found=defects())
def test_values_ascend_or_descend_and_what_is_not_given_comes_last(found: list[BrowsedDefect], word: str) -> None:
    def value(each: BrowsedDefect) -> int | None:
        return {"detected": each.detected_at, "took": each.took, "severity": each.severity}[word]

    known = sorted(number for each in found if (number := value(each)) is not None)
    none = [None] * (len(found) - len(known))
    assert [value(each) for each in put_in_order(found, Order(word))] == [*known, *none]
    assert [value(each) for each in put_in_order(found, Order(f"-{word}"))] == [*reversed(known), *none]


@given(defects())
def test_the_open_ones_come_first_and_the_newest_of_each_first(found: list[BrowsedDefect]) -> None:
    order = [(each.resolved_at is not None, -each.detected_at) for each in put_in_order(found, Order.OPEN_FIRST)]
    assert order == sorted(order)


@given(defects(), st.frozensets(some_repo))
def test_sums_by_repo_are_those_counted_one_by_one(found: list[BrowsedDefect], within: frozenset[int]) -> None:
    sums = {each.repo: each for each in by_repo(found, within)}
    for repo in REPOS:
        here = [each for each in found if each.own_repo == repo or repo in each.fixes]
        if repo not in within or not here:
            assert repo not in sums
            continue
        took = [each.resolved_at - each.detected_at for each in here if each.resolved_at is not None]
        took = [seconds for seconds in took if seconds >= 0]
        fixed = [[fix for fix in each.fixes if fix == repo] for each in here]
        assert sums[repo].open == len([each for each in here if each.resolved_at is None])
        assert sums[repo].total == len(here)
        assert sums[repo].median_took == (int(median(took)) if took else None)
        assert sums[repo].fixes == sum(map(len, fixed))
        assert sums[repo].not_held == sum(len(each[:-1]) for each in fixed)
    homeless = [each for each in found if each.own_repo is None and not each.fixes]
    assert (sums[None].total if None in sums else 0) == len(homeless)

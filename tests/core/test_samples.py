"""Samples against the standard library, and intervals against what they promise."""

from __future__ import annotations

import math
import random
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipmend.core.samples import sample, share_interval

values = st.lists(st.integers(0, 10**9), min_size=1, max_size=300)


@given(values)
def test_a_sample_says_what_the_values_say(numbers: list[int]) -> None:
    found = sample(numbers)
    assert found is not None
    assert found.n == len(numbers)
    assert found.median == statistics.median(numbers)
    assert found.mean == sum(numbers) / len(numbers)
    for percent, value in ((75, found.p75), (90, found.p90)):
        assert value in numbers
        assert sum(1 for number in numbers if number <= value) * 100 >= percent * len(numbers)
        assert sum(1 for number in numbers if number < value) * 100 < percent * len(numbers)


@given(values, st.randoms())
def test_order_does_not_matter(numbers: list[int], chance: random.Random) -> None:
    mixed = list(numbers)
    chance.shuffle(mixed)
    assert sample(mixed) == sample(numbers)


def test_nothing_is_no_sample() -> None:
    assert sample([]) is None


@pytest.mark.parametrize("n", [6, 7, 10, 20, 59, 60, 61, 100, 250])
def test_the_interval_of_a_median_holds_it_in_95_of_100_cases(n: int) -> None:
    found = sample(range(1, n + 1))
    assert found is not None
    assert found.interval is not None
    low, high = (int(value) for value in found.interval)
    assert low + high == n + 1
    held = sum(math.comb(n, k) for k in range(low, high)) / 2**n
    assert 0.945 <= held <= 0.985


def test_five_values_can_not_tell_where_the_median_lies() -> None:
    found = sample([1, 2, 3, 4, 5])
    assert found is not None
    assert found.interval is None


@given(st.integers(1, 400).flatmap(lambda whole: st.tuples(st.integers(0, whole), st.just(whole))))
def test_wilsons_interval_holds_the_share_and_solves_its_equation(pair: tuple[int, int]) -> None:
    part, whole = pair
    found = share_interval(part, whole)
    assert found is not None
    low, high = found
    share = part / whole
    assert 0 <= low <= high <= 1
    assert low <= share <= high
    for bound in found:
        if 1e-12 < bound < 1 - 1e-12:
            # Wilson: the bounds are the true shares from which this one lies z standard errors away.
            assert (share - bound) ** 2 == pytest.approx(1.959963984540054**2 * bound * (1 - bound) / whole, abs=1e-9)


def test_no_whole_no_interval() -> None:
    assert share_interval(0, 0) is None

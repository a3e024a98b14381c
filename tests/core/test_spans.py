"""Spans of numbers, judged by the sets they stand for."""

from __future__ import annotations

from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from shipmend.core.spans import Span, highest, holds, size_of, spans_of

NUMBERS = st.sets(st.integers(1, 60)).map(sorted)


def unfolded(spans: Iterable[Span]) -> list[int]:
    return [number for first, last in spans for number in range(first, last + 1)]


@given(NUMBERS)
def test_spans_hold_the_numbers_they_were_made_of_and_are_as_few_as_can_be(numbers: list[int]) -> None:
    spans = spans_of(numbers)
    assert unfolded(spans) == numbers
    assert size_of(spans) == len(numbers)
    assert len(spans) == sum(number - 1 not in numbers for number in numbers)


@given(NUMBERS, st.integers(0, 62))
def test_a_number_is_held_or_not(numbers: list[int], number: int) -> None:
    assert holds(spans_of(numbers), number) is (number in numbers)


@given(NUMBERS, st.integers(0, 70), st.integers(0, 70))
def test_a_page_is_a_slice_from_the_top(numbers: list[int], skip: int, take: int) -> None:
    page = highest(spans_of(numbers), skip=skip, take=take)
    assert unfolded(page) == sorted(numbers[::-1][skip : skip + take])

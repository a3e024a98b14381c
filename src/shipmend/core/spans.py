"""Sets of commits as spans of their numbers: mostly few, since what belongs together is numbered in a row."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence

Span = tuple[int, int]
"""The first and the last number, both included."""


def spans_of(numbers: Iterable[int]) -> list[Span]:
    """Ascending numbers as ascending spans."""
    spans: list[Span] = []
    first, last = 0, -1
    for number in numbers:
        if number != last + 1:
            if first:
                spans.append((first, last))
            first = number
        last = number
    return [*spans, (first, last)] if first else spans


def size_of(spans: Iterable[Span]) -> int:
    """How many numbers they hold."""
    return sum(last - first + 1 for first, last in spans)


def holds(spans: Sequence[Span], number: int) -> bool:
    """Whether a number is in one of the ascending spans."""
    at = bisect_right(spans, number, key=lambda span: span[0])
    return at > 0 and number <= spans[at - 1][1]


def highest(spans: Sequence[Span], *, skip: int, take: int) -> list[Span]:
    """Of all their numbers, from the highest down, the next `take` after the first `skip`; ascending spans again."""
    found: list[Span] = []
    for first, last in reversed(spans):
        top = last - skip
        skip = max(skip - (last - first + 1), 0)
        bottom = max(first, top - take + 1)
        if take > 0 and bottom <= top:
            found.append((bottom, top))
            take -= top - bottom + 1
    return found[::-1]

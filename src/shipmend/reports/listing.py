"""Rows behind figures, a page at a time or all in turn."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import Generic, Protocol, TypeVar

from shipmend.delivery.queries import PAGE_SIZE, Page

T_co = TypeVar("T_co", covariant=True)
T = TypeVar("T")

ROWS_AT_ONCE = 500
"""Held in memory while all are sent."""


class CountsAs(StrEnum):
    """What a row is in a figure."""

    NUMERATOR = "numerator"
    """It counts, and is what is looked for; of a duration or a plain count, whatever counts."""
    DENOMINATOR = "denominator"
    """It counts, and is not."""
    EXCLUDED = "excluded"


class Listing(Protocol, Generic[T_co]):
    """Rows that need not all be in memory."""

    @property
    def total(self) -> int:
        """How many there are."""

    def rows(self, skip: int, take: int) -> Sequence[T_co]:
        """So many of them, after the first few."""


def page_of(listing: Listing[T], number: int, size: int = PAGE_SIZE) -> Page[T]:
    """One page, counted from 1."""
    return Page(tuple(listing.rows((number - 1) * size, size)), number, size, listing.total)


def all_of(listing: Listing[T]) -> Iterator[T]:
    """Every row, some at a time."""
    for skip in range(0, listing.total, ROWS_AT_ONCE):
        yield from listing.rows(skip, ROWS_AT_ONCE)

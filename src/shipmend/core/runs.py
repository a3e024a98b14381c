"""A value for each of many numbers, kept as runs: neighbours mostly share theirs.

Commits are numbered branch by branch, so what belongs together has numbers in a row: the 66 thousand commits of ansible
belong to its 595 releases in 674 runs. A run is a row in a table; here it is two places in two lists.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import compress, count, islice
from operator import attrgetter, ne
from typing import Generic, NamedTuple, TypeVar

T = TypeVar("T")

LAST = 2**31 - 1
"""No number is higher."""

_BY_FIRST = attrgetter("first")


class Run(NamedTuple, Generic[T]):
    """The numbers from `first` to `last`, both included, and the value they share."""

    first: int
    last: int
    value: T


@dataclass(frozen=True, slots=True)
class Redrawn(Generic[T]):
    """What a change did to the runs: these are gone, and those are there instead. No run is in both."""

    gone: tuple[Run[T], ...] = ()
    come: tuple[Run[T], ...] = ()

    @classmethod
    def between(cls, before: set[Run[T]], after: set[Run[T]]) -> Redrawn[T]:
        """What makes `after` of `before`."""
        return cls(tuple(sorted(before - after, key=_BY_FIRST)), tuple(sorted(after - before, key=_BY_FIRST)))

    def then(self, later: Redrawn[T]) -> Redrawn[T]:
        """Both changes as one."""
        mine, theirs = set(self.come), set(later.gone)
        return self.between({*self.gone, *(theirs - mine)}, {*later.come, *(mine - theirs)})


class Runs(Generic[T]):
    """A value, or None, for each number from 0 on. Its runs are as long as can be: neighbouring ones differ."""

    __slots__ = ("_firsts", "_values")

    def __init__(self, runs: Iterable[Run[T]] = ()) -> None:
        self._firsts = [0]
        self._values: list[T | None] = [None]
        for run in sorted(runs, key=_BY_FIRST):
            self._assign(run.first, run.last, run.value)

    @classmethod
    def of(cls, places: array[int], values: Sequence[T]) -> Runs[T]:
        """Number n gets `values[places[n] - 1]`, or None where its place is 0, as that of number 0 is."""
        new = cls()
        new._firsts += compress(count(1), map(ne, places, islice(places, 1, None)))
        new._values = [values[places[first] - 1] if places[first] else None for first in new._firsts]
        if new._values[-1] is not None:
            new._firsts.append(len(places))
            new._values.append(None)
        return new

    def __iter__(self) -> Iterator[Run[T]]:
        """The runs that have a value, in order."""
        return self.overlapping(0, LAST)

    def at(self, number: int) -> T | None:
        """The value of a number."""
        return self._values[bisect_right(self._firsts, number) - 1]

    def overlapping(self, first: int, last: int) -> Iterator[Run[T]]:
        """The runs that have a value and at least one of the numbers from `first` to `last`, in order."""
        for place in range(bisect_right(self._firsts, first) - 1, bisect_right(self._firsts, last)):
            value = self._values[place]
            if value is not None:
                following = self._firsts[place + 1]  # the last run of all has no value
                yield Run(self._firsts[place], following - 1, value)

    def redraw(self, values: Mapping[int, T | None]) -> Redrawn[T]:
        """Give numbers, from 1 on, new values. What it costs grows with their number, not with all there are."""
        spans = list(spans_of(values))
        before = self._near(spans)
        for span in spans:
            self._assign(*span)
        return Redrawn.between(before, self._near(spans))

    def _near(self, spans: Iterable[Run[T | None]]) -> set[Run[T]]:
        """The runs that a new value of the spans could cut or lengthen."""
        return {run for span in spans for run in self.overlapping(span.first - 1, span.last + 1)}

    def _assign(self, first: int, last: int, value: T | None) -> None:
        low, high = bisect_left(self._firsts, first), bisect_right(self._firsts, last + 1)
        after = self._values[high - 1]
        new = [(first, value)] if self._values[low - 1] != value else []
        if after != value:
            new.append((last + 1, after))
        self._firsts[low:high] = [start for start, _ in new]
        self._values[low:high] = [each for _, each in new]


def spans_of(values: Mapping[int, T]) -> Iterator[Run[T]]:
    """Numbers in a row that share a value, in order. The values may not change meanwhile."""
    first = last = None
    for number in sorted(values):
        if first is None or last is None:
            first = number
        elif number != last + 1 or values[number] != values[first]:
            yield Run(first, last, values[first])
            first = number
        last = number
    if first is not None and last is not None:
        yield Run(first, last, values[first])


def intersect(spans: Iterable[tuple[int, int]], kept: Runs[T]) -> list[tuple[int, int]]:
    """Of ascending spans (first and last number, both included) those numbers that have a value in `kept`, as spans."""
    return [
        (max(first, run.first), min(last, run.last)) for first, last in spans for run in kept.overlapping(first, last)
    ]

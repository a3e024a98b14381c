"""The way from parents to children, which the parents of commits do not tell."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from itertools import chain, count, islice

from shipmend.core.ancestry import NONE, Parents

_BITS = 32
_MASK = (1 << _BITS) - 1


class Lineage:
    """The commits of a repo, with the way to their children as well as to their parents.

    Children are learnt when they are first asked for, and again when the repo has grown. Most commits are numbered
    right after their parent: of these nothing is kept. The others are pairs of parent and child in one sorted array,
    eight bytes each: some 3 MB for a million commits, made in a tenth of a second.
    """

    __slots__ = ("_known", "parents")

    def __init__(self, parents: Parents) -> None:
        self.parents = parents
        self._known = (0, array("q"))
        """How many commits were read, and the pairs: replaced as one, since another thread may be looking."""

    def above(self, first: int, last: int) -> Iterator[tuple[int, int]]:
        """(parent, child) for the parents from `first` to `last` and their children after `last`."""
        pairs = self._pairs()
        low, high = (bisect_left(pairs, number << _BITS) for number in (first, last + 1))
        for pair in pairs[low:high]:
            if pair & _MASK > last:
                yield pair >> _BITS, pair & _MASK
        if last < len(self.parents) and last in self.parents.of(last + 1):
            yield last, last + 1

    def _pairs(self) -> array[int]:
        read, pairs = self._known
        commits = len(self.parents)
        if read < commits:
            pairs = array("q", sorted(chain(pairs, _read(self.parents, read + 1, commits))))
            self._known = commits, pairs
        return pairs


def _read(parents: Parents, first: int, last: int) -> Iterator[int]:
    """The pairs of the commits from `first` to `last`."""
    for column in (parents.first, parents.second):
        yield from _apart(zip(islice(column, first, last + 1), count(first), strict=False))
    further = ((parent, child) for child, third_and_later in parents.further.items() for parent in third_and_later)
    yield from _apart((parent, child) for parent, child in further if first <= child <= last)


def _apart(pairs: Iterable[tuple[int, int]]) -> list[int]:
    """Those that are not numbered one after the other."""
    return [parent << _BITS | child for parent, child in pairs if parent != NONE and parent != child - 1]

"""Walks over the history of a repo, from commits to their parents. They cost what they find, not what there is."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from heapq import heapify, heappop, heappush
from typing import NamedTuple

from shipmend.core.ancestry import NONE, Parents

_BEFORE, _AFTER, _BOTH = 1, 2, 3


class Difference(NamedTuple):
    """What changed from one commit or release to another: commit numbers, ascending."""

    added: list[int]
    """The second contains them, the first does not."""
    removed: list[int]
    """The first contains them, the second does not."""


def reach(parents: Parents, start: int, is_wanted: Callable[[int], bool]) -> list[int]:
    """The commits to which a path of nothing but wanted commits leads from `start`; ascending, `start` included."""
    return reach_any(parents, (start,), is_wanted)


def reach_any(parents: Parents, starts: Iterable[int], is_wanted: Callable[[int], bool]) -> list[int]:
    """As `reach`, from one of several commits or another."""
    first, second, further = parents.first, parents.second, parents.further
    branches = list(starts)
    seen = bytearray(max(branches, default=NONE) + 1)
    seen[NONE] = 1
    reached = []
    for branch in branches:  # which grow meanwhile
        commit = branch
        while not seen[commit] and is_wanted(commit):
            seen[commit] = 1
            reached.append(commit)
            if second[commit]:
                branches += (second[commit], *further.get(commit, ()))
            commit = first[commit]
    reached.sort()
    return reached


def difference(parents: Parents, before: int, after: int) -> Difference:
    """What `after` contains and `before` does not, and the other way about.

    Each paints its ancestors, the highest number first, so that a commit has all its paint when its turn comes. It
    is over when everything still to visit has both paints. So besides the difference this visits only those common
    commits that have a higher number than its lowest one, at less than a microsecond each.
    """
    sides = bytearray(max(before, after) + 1)
    sides[before] |= _BEFORE
    sides[after] |= _AFTER
    frontier = [-before, -after]
    heapify(frontier)
    one_sided = 0 if before == after else 2
    found: tuple[list[int], ...] = ([], [], [])
    while one_sided:
        commit = -heappop(frontier)
        side = sides[commit]
        if side != _BOTH:
            found[side].append(commit)
            one_sided -= 1
        for parent in parents.of(commit):
            old, new = sides[parent], sides[parent] | side
            if old != new:
                sides[parent] = new
                one_sided += (new != _BOTH) - (old != 0)
            if not old:
                heappush(frontier, -parent)
    return Difference(found[_AFTER][::-1], found[_BEFORE][::-1])

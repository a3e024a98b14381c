"""Ancestry as arithmetic: commits are numbered from 1, parents before children.

So the ancestors of a commit have smaller numbers than it has, and a search for one of them need never look at a
commit whose number is smaller than that one's.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable

from shipmend.core.releases import Relation

NONE = 0
"""Stands for a parent that is not there."""


class Parents:
    """The parents of commits 1 to n, eight bytes a commit."""

    __slots__ = ("first", "further", "second")

    def __init__(self) -> None:
        self.first = array("i", [NONE])
        """By commit number, as `second`; the place of 0 is taken by NONE itself."""
        self.second = array("i", [NONE])
        self.further: dict[int, tuple[int, ...]] = {}
        """The third and later parents of those few commits that have them."""

    def __len__(self) -> int:
        # `second` is extended last: another thread may be looking.
        return len(self.second) - 1

    @property
    def size(self) -> int:
        """Bytes held, about."""
        return 8 * len(self.first) + 150 * len(self.further)

    def extend(self, first: Iterable[int], second: Iterable[int]) -> None:
        """Append commits: the number of each one's first and second parent, or NONE."""
        self.first.extend(first)
        self.second.extend(second)

    def of(self, commit: int) -> tuple[int, ...]:
        """The parents of a commit, the first one first."""
        both = (self.first[commit], self.second[commit], *self.further.get(commit, ()))
        return tuple(parent for parent in both if parent != NONE)


def is_ancestor(parents: Parents, ancestor: int, descendant: int) -> bool:
    """Whether `ancestor` is reachable from `descendant`; a commit is its own ancestor, as in git."""
    first, second, further = parents.first, parents.second, parents.further
    seen = bytearray(max(descendant - ancestor + 1, 1))
    stack = [descendant]
    while stack:
        commit = stack.pop()
        # Along first parents at once, since a release usually follows another on one branch.
        while commit > ancestor and not seen[commit - ancestor]:
            seen[commit - ancestor] = 1
            if second[commit] != NONE:
                stack.append(second[commit])
            if commit in further:
                stack.extend(further[commit])
            commit = first[commit]
        if commit == ancestor:
            return True
    return False


def relate(parents: Parents, earlier: int, later: int) -> Relation:
    """How the commit `later` stands to `earlier`; these words speak of releases, not of the commits' numbers."""
    if earlier == later:
        return Relation.SAME
    if earlier < later:
        return Relation.DESCENDANT if is_ancestor(parents, earlier, later) else Relation.APART
    return Relation.ANCESTOR if is_ancestor(parents, later, earlier) else Relation.APART

"""What is merged and not released: which commits wait, and since when."""

from __future__ import annotations

from array import array
from collections.abc import Sequence

from shipmend.core.ancestry import NONE, Parents

_WAITS = -1


class Waiting:
    """The commits that a branch contains and no release does, each with the commit of the branch that brought it.

    The commits of the branch are those on its first-parent chain. What brought a commit is the first of them that
    contains it: itself, or a merge; so it waits since the time of that one. Eight bytes for each number between the
    lowest that waits and the tip, of which there are few where something was released lately.
    """

    __slots__ = ("_brought_by", "_low", "_parents", "commits", "merges")

    def __init__(self, parents: Parents, waiting: Sequence[int], tip: int) -> None:
        """`waiting`: ascending; with a commit come all of the branch that contain it, so the tip if there is any."""
        self._parents = parents
        self._low = waiting[0] if waiting else 0
        self._brought_by = array("i", bytes(4 * (tip - self._low + 1 if waiting else 0)))
        self.commits = array("i")
        """Those with one parent or none; what waits longest first, and of what came together the parents first."""
        self.merges = array("i")
        """The others, in the same order."""
        for commit in waiting:
            self._brought_by[commit - self._low] = _WAITS
        for step in reversed(self._chain(tip)):
            for commit in sorted(self._bring(step)):
                (self.commits if parents.second[commit] == NONE else self.merges).append(commit)

    def brought_by(self, commit: int) -> int:
        """The commit of the branch that brought a commit; NONE for one that does not wait."""
        at = commit - self._low
        return self._brought_by[at] if 0 <= at < len(self._brought_by) else NONE

    def _chain(self, tip: int) -> list[int]:
        """Those of the branch's own commits that wait, the latest first."""
        chain = []
        while self.brought_by(tip) != NONE:
            chain.append(tip)
            tip = self._parents.first[tip]
        return chain

    def _bring(self, step: int) -> list[int]:
        """What this commit of the branch brought."""
        brought, stack = [], [step]
        while stack:
            commit = stack.pop()
            if self.brought_by(commit) == _WAITS:
                self._brought_by[commit - self._low] = step
                brought.append(commit)
                stack += self._parents.of(commit)
        return brought

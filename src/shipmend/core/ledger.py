"""When each commit was shipped, withdrawn and shipped again, on one stream.

All that a ledger has to know is which releases contain which commit. It knows it by *groups*: commits that are in
exactly the same releases. Of these there are few, because most commits are in what their only child is in. They come
from one pass over the history, children before parents: a commit is in whatever its children are in, and in the
releases made of it.

The releases of a group are two whole numbers: the first of them, and one whose bit i tells whether the i-th release
after that contains the group. The bit of the last release goes on for ever, as in a negative number. So what was
shipped once and never withdrawn is (first, -1) however many releases there are; otherwise a bit is spent on each
release from the first change to the last.

Chosen by measurement, with all tags as releases. What the releases ship, withdraw and bring back, written down release
by release, is many times the history itself where tags alternate between maintenance branches, and one commit's life
is all over it. The groups are made about as quickly as the history can be read, and hold a commit's life in one place:

|                                 | flask  | ansible   | git       | rails     | synthetic |
|---------------------------------|--------|-----------|-----------|-----------|-----------|
| commits                         | 5,572  | 66,724    | 85,361    | 118,770   | 1,000,000 |
| releases                        | 69     | 595       | 1,005     | 550       | 2,403     |
| changes written down by release | 15,000 | 1,160,000 | 1,606,000 | 3,031,000 | 3,560,000 |
| groups                          | 148    | 1,198     | 4,024     | 1,119     | 5,042     |
| bytes of all groups             | 12,000 | 103,000   | 393,000   | 101,000   | 424,000   |
| seconds for a million commits   | 0.22   | 0.16      | 0.31      | 0.19      | 0.15      |
| one commit's life: microseconds | 3      | 8         | 10        | 12        | 3         |

Nor do a hundred thousand releases do harm, on one branch (18 MB) or on two thousand (34 MB, half a second). Four bytes
a commit and the groups are all that is kept. A ledger is made anew when a release comes, goes or moves: a database
would not be quicker, so nothing of it is stored.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import StrEnum
from itertools import chain, cycle
from typing import NamedTuple

from shipmend.core.ancestry import NONE, Parents
from shipmend.core.waiting import Waiting
from shipmend.core.walks import Difference, reach_any


class Fate(StrEnum):
    """What a release did to a commit."""

    SHIPPED = "shipped"
    """For the first time on this stream."""
    WITHDRAWN = "withdrawn"
    """It was in the release before, and is not in this one."""
    RETURNED = "returned"
    """It had been withdrawn, and is back."""


class LedgerEvent(NamedTuple):
    """A change in a commit's life."""

    release: int
    fate: Fate


class Group(NamedTuple):
    """The releases that some commits are in: the first one, and by bits which of the later ones; see above."""

    first: int
    later: int

    @property
    def is_live(self) -> bool:
        """Whether the last release is one of them."""
        return self.later < 0

    def has(self, release: int) -> bool:
        """Whether this release is one of them."""
        return release >= self.first and bool(self.later >> release - self.first & 1)

    def meets(self, releases: int) -> bool:
        """Whether one of them is among `releases`, given by their bits."""
        return bool(self.later << self.first & releases)

    def changes(self) -> Iterator[int]:
        """The releases that made a difference: the first one ships, the next one withdraws, the next one returns…"""
        changes = f"{self.later ^ self.later << 1:b}"[::-1]
        at = changes.find("1")
        while at >= 0:
            yield self.first + at
            at = changes.find("1", at + 1)

    def __or__(self, other: Group) -> Group:
        """The releases of either."""
        low, high = sorted((self, other))
        return Group(low.first, low.later | high.later << high.first - low.first)


NO_GROUP = 0
"""The number of the group of commits that no release contains."""


class Ledger:
    """Which releases of one stream contain which commits.

    A release is named by its place on the stream, from 0. A ledger never changes, so threads may share it. To it,
    commits indexed since it was made are in no release, and that is true.
    """

    def __init__(self, parents: Parents, releases: Sequence[int]) -> None:
        """`releases`: the commits of the succeeded releases, in the order of the stream."""
        self._parents = parents
        self._releases = tuple(releases)
        # Only a release of another commit than the one before can make a difference: inside, those alone count.
        self._places = [at for at, commit in enumerate(releases) if at == 0 or commit != releases[at - 1]]
        self._groups, self._group_of = _read(parents, [releases[at] for at in self._places])

    def history_of(self, commit: int) -> tuple[LedgerEvent, ...]:
        """When a commit was shipped, withdrawn, returned, withdrawn…; empty when it is in no release."""
        fates = chain((Fate.SHIPPED,), cycle((Fate.WITHDRAWN, Fate.RETURNED)))
        changes = self._group(commit).changes()
        return tuple(LedgerEvent(self._places[at], fate) for at, fate in zip(changes, fates, strict=False))

    def contains(self, release: int, commit: int) -> bool:
        """Whether a commit is the release's own or an ancestor of that."""
        return self._group(commit).has(self._number(release))

    def is_live(self, commit: int) -> bool:
        """Whether the last release contains a commit."""
        return self._group(commit).is_live

    def live_now(self) -> bytes:
        """By commit number: 1 where the last release contains the commit, else 0."""
        is_live = [group.is_live for group in self._groups]
        return bytes(map(is_live.__getitem__, self._group_of))

    def not_released(self, tip: int) -> list[int]:
        """The commits merged into a branch, by its tip, that no release contains; ascending."""
        return self._outside((tip,), lambda group: group.later != 0)

    def held_by(self, tips: Iterable[int]) -> list[int]:
        """The commits that some branches or tags contain, by their tips, and no release does; ascending."""
        return self._outside(tips, lambda group: group.later != 0)

    def waiting(self, tip: int) -> Waiting:
        """As `not_released`, with the commit of the branch that brought each."""
        return Waiting(self._parents, self.not_released(tip), tip)

    def not_live(self, tip: int) -> list[int]:
        """The commits merged into a branch that the last release does not contain, also the withdrawn; ascending."""
        return self._outside((tip,), lambda group: group.is_live)

    def between(self, before: int, after: int) -> Difference:
        """What changed from one release to another."""
        return Difference(self._in_one_only(after, before), self._in_one_only(before, after))

    def ancestors(self, release: int) -> list[int]:
        """The nearest of the earlier releases that are ancestors of a release (or of the same commit): mostly one.

        Nearest: no other of them has it as an ancestor.
        """
        nearest: list[int] = []
        for number in sorted(self._ancestors(release), key=lambda number: (self._commit(number), number), reverse=True):
            if not any(self._group(self._commit(number)).has(nearer) for nearer in nearest):
                nearest.append(number)
        return sorted(self._places[number] for number in nearest)

    def since_ancestors(self, release: int) -> list[int]:
        """The commits that a release has and none of its `ancestors` has: its release notes; ascending."""
        ancestors = sum(1 << number for number in self._ancestors(release))
        return self._outside((self._releases[release],), lambda group: group.meets(ancestors))

    def _number(self, release: int) -> int:
        """The number that counts inside: that of the release itself, or of the one it did again."""
        return bisect_right(self._places, release) - 1

    def _commit(self, number: int) -> int:
        return self._releases[self._places[number]]

    def _group(self, commit: int) -> Group:
        return self._groups[self._group_of[commit] if commit < len(self._group_of) else NO_GROUP]

    def _ancestors(self, release: int) -> list[int]:
        """Of the earlier releases, the numbers of those that are ancestors."""
        number = self._number(release)
        earlier = range(bisect_left(self._places, release))
        return [each for each in earlier if self._group(self._commit(each)).has(number)]

    def _in_one_only(self, release: int, other: int) -> list[int]:
        number = self._number(other)
        return self._outside((self._releases[release],), lambda group: group.has(number))

    def _outside(self, starts: Iterable[int], is_inside: Callable[[Group], bool]) -> list[int]:
        """`starts` and ancestors, without the groups that are inside; whatever has a child inside must be, too."""
        inside = _Answers(self._groups, is_inside)
        group_of, known = self._group_of, len(self._group_of)
        return reach_any(self._parents, starts, lambda commit: commit >= known or not inside[group_of[commit]])


class _Answers(dict[int, bool]):
    """What is true of a group, by its number; asked once."""

    def __init__(self, groups: Sequence[Group], question: Callable[[Group], bool]) -> None:
        super().__init__()
        self._groups = groups
        self._question = question

    def __missing__(self, number: int) -> bool:
        answer = self[number] = self._question(self._groups[number])
        return answer


class _Groups:
    """Groups by number, each there once, and their unions, each made once."""

    def __init__(self) -> None:
        self.all = [Group(0, 0)]
        self._numbers: dict[Group, int] = {}
        self._unions: dict[tuple[int, int], int] = {}

    def number(self, group: Group) -> int:
        number = self._numbers.setdefault(group, len(self.all))
        if number == len(self.all):
            self.all.append(group)
        return number

    def union(self, one: int, other: int) -> int:
        if other == NO_GROUP:
            return one
        union = self._unions.get((one, other))
        if union is None:
            union = self._unions[one, other] = self.number(self.all[one] | self.all[other])
        return union


def _read(parents: Parents, releases: Sequence[int]) -> tuple[list[Group], array[int]]:
    """The groups, and each commit's by its number."""
    first, second, further = parents.first, parents.second, parents.further
    groups = _Groups()
    union = groups.union
    group_of = array("i", bytes(4 * (len(parents) + 1)))
    for release, commit in enumerate(releases):
        is_last = release == len(releases) - 1
        group_of[commit] = union(groups.number(Group(release, -1 if is_last else 1)), group_of[commit])
    for commit in range(max(releases, default=NONE), NONE, -1):
        here = group_of[commit]
        if here:
            there = group_of[first[commit]]
            if there != here:
                group_of[first[commit]] = union(here, there) if there else here
            if second[commit]:
                for parent in (second[commit], *further.get(commit, ())):
                    group_of[parent] = union(here, group_of[parent])
    group_of[NONE] = NO_GROUP
    return groups.all, group_of

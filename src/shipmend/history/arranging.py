"""Commits as git's log gives them, packed and numbered with parents before children.

Told to sort, git says nothing before it has walked the whole history, and keeps all of it in memory. So the
log is taken in git's own order, the latest first, while git walks; to put it right afterwards is a moment's work.
"""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Mapping
from itertools import count

from shipmend.core.tickets import TicketPattern
from shipmend.git.parse import CommitBatch

NOTHING = -1
"""A parent or a time that is not there. As an index it means the last place of an array, which is kept for that."""
NO_OFFSET = 1 << 30


Person = tuple[str, str]
"""Name and mail."""


class Log:
    """What git's log has said so far, about three hundred bytes a commit. A commit's place is that in the log."""

    def __init__(self, pattern: TicketPattern) -> None:
        self.people: defaultdict[Person, int] = defaultdict(count().__next__)
        """A mark for each author, as commits have them."""
        self.pattern = pattern
        self.marks: defaultdict[bytes, int] = defaultdict(count().__next__)
        """Sha → a mark, from 0, given when a sha is first met: as a commit or as a parent."""
        self.mark = array("i")
        """Of each place, as all columns below."""
        self.first = array("i")
        """The mark of the first parent, or NOTHING; so is `second`."""
        self.second = array("i")
        self.further: dict[int, list[int]] = {}
        """Place → the marks of the third and later parents."""
        self.author = array("i")
        self.authored = array("q")
        """Epoch seconds, or NOTHING; so is `committed`."""
        self.offset = array("i")
        """Seconds east of UTC, or NO_OFFSET."""
        self.committed = array("q")
        self.subject: list[str] = []
        self.tickets: list[str] = []
        """As `TicketPattern.scan` finds them, empty where there is none."""

    def __len__(self) -> int:
        return len(self.mark)

    def add(self, batch: CommitBatch) -> None:
        """Take in the next commits."""
        marks, people = self.marks, self.people
        start = len(self)
        self.mark.extend(map(marks.__getitem__, batch.shas))
        self.first.extend([marks[parents[0]] if parents else NOTHING for parents in batch.parents])
        self.second.extend([marks[parents[1]] if len(parents) > 1 else NOTHING for parents in batch.parents])
        for place, parents in enumerate(batch.parents, start):
            if len(parents) > 2:
                self.further[place] = [marks[sha] for sha in parents[2:]]
        self.author.extend(map(people.__getitem__, zip(batch.author_name, batch.author_email, strict=True)))
        self.authored.extend([NOTHING if time is None else time for time in batch.authored])
        self.offset.extend([NO_OFFSET if offset is None else offset for offset in batch.author_offset])
        self.committed.extend([NOTHING if time is None else time for time in batch.committed])
        self.subject += batch.subject
        self.tickets += [found or "" for found in self.pattern.scan(batch.message)]

    def parents(self, place: int) -> list[int]:
        """The marks of a commit's parents."""
        pair = [mark for mark in (self.first[place], self.second[place]) if mark != NOTHING]
        return pair + self.further.get(place, [])


class Roll:
    """The authors of a log, those that are new numbered on from `above`."""

    def __init__(self, log: Log, known: Mapping[Person, int], *, above: int) -> None:
        """`known`: the numbers of those that are stored already."""
        self.new = [person for person in log.people if person not in known]
        self.numbers = range(above + 1, above + 1 + len(self.new))
        """Of the new ones."""
        number_of = {**known, **dict(zip(self.new, self.numbers, strict=True))}
        self.number = [number_of[person] for person in log.people]
        """By mark."""


class Numbered:
    """The new commits of a log, numbered on from `above`, in the order of their numbers."""

    def __init__(self, log: Log, known: Mapping[bytes, int], *, above: int) -> None:
        """`known`: the numbers of commits that need none, being stored already."""
        self.log = log
        self.above = above
        self.shas = list(log.marks)
        """By mark."""
        self.number = array("i", bytes(4 * (len(self.shas) + 1)))
        """By mark; 0 for what is neither in the log nor known, and in the last place, which is NOTHING's."""
        for sha, number in known.items():
            self.number[log.marks[sha]] = number
        self.places = _parents_first(log, [log.marks[sha] for sha in known])
        """The place of each new commit in the log."""
        for number, place in enumerate(self.places, above + 1):
            self.number[log.mark[place]] = number

    def __len__(self) -> int:
        return len(self.places)

    @property
    def last(self) -> int:
        """The highest number given."""
        return self.above + len(self.places)

    @property
    def undated(self) -> int:
        """How many of them were made or authored at no usable time."""
        authored, committed = self.log.authored, self.log.committed
        if NOTHING not in authored and NOTHING not in committed:
            return 0
        return sum(NOTHING in (authored[place], committed[place]) for place in self.places)

    def chain(self, commit: int, *, above: int) -> tuple[list[int], list[int | None], int]:
        """The first-parent chain of a commit, its own number first, while the numbers are new and above `above`.

        The numbers, the commit times, and the number at which it ends (0: at a root).
        """
        places, first, committed, number = self.places, self.log.first, self.log.committed, self.number
        low, least = self.above + 1, max(self.above, above)
        numbers: list[int] = []
        times: list[int | None] = []
        while commit > least:
            place = places[commit - low]
            numbers.append(commit)
            times.append(committed[place])
            commit = number[first[place]]
        if NOTHING in times:
            times = [None if time == NOTHING else time for time in times]
        return numbers, times, commit


def _parents_first(log: Log, known: list[int]) -> array[int]:
    """The places of the log, each commit's parents before it; without those whose marks are `known`.

    From each tip, the latest first, down along first parents, and up again; what a merge brought in comes right before
    it. So what was made, merged and released together has numbers in a row.
    """
    done = bytearray(b"\1") * (len(log.marks) + 1)
    place_of = array("i", bytes(4 * len(done)))
    for place, new in enumerate(log.mark):
        done[new] = 0
        place_of[new] = place
    for old in known:
        done[old] = 1
    order = array("i")
    mark, first, second, further = log.mark, log.first, log.second, log.further
    for tip in range(len(log)):
        branch = [] if done[mark[tip]] else [tip]
        while branch:
            place = branch[-1]
            if not done[first[place]]:
                branch.append(place_of[first[place]])
            elif not done[second[place]]:
                branch.append(place_of[second[place]])
            elif place in further and (missing := [each for each in further[place] if not done[each]]):
                branch.append(place_of[missing[0]])
            else:
                done[mark[place]] = 1
                order.append(place)
                branch.pop()
    return order

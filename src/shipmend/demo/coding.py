"""How changes come into a repository: branches that are merged, or commits rebased onto the trunk."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from shipmend.demo.agenda import HOUR, Agenda
from shipmend.demo.calendar import WORKDAYS, Calendar
from shipmend.demo.history import Edit, History, Made
from shipmend.demo.people import Person
from shipmend.demo.words import FOLLOW_UPS, Words

MANY_COMMITS = (1, 1, 2, 2, 3, 3, 4, 6)
LONGEST = 30.0
"""Working days from a change's beginning to its last commit."""
AHEAD = 9 * 24 * HOUR
HAS_CLOCK_AHEAD = 0.015
"""Of the rebased changes, the share whose author's clock runs AHEAD: authored, it says, after it was released."""


@dataclass(frozen=True, slots=True)
class _Change:
    """What somebody works on."""

    key: str
    subject: str
    author: Person
    begun: int
    times: tuple[int, ...]
    """Of its commits."""

    @property
    def branch(self) -> str:
        """Where it is worked on."""
        return f"{self.key} {self.subject}".lower().replace(" ", "-")


class Coding:
    """The commits of one repository."""

    def __init__(
        self, words: Words, calendar: Calendar, agenda: Agenda, rng: random.Random, *, is_rebased: bool
    ) -> None:
        self.history = History()
        self._words = words
        self._calendar = calendar
        self._agenda = agenda
        self._rng = rng
        self._is_rebased = is_rebased
        self._ticket = 100
        self._keys: list[str] = []

    def begin(self, week: int) -> None:
        """The first commit of all."""
        edits = [Edit(path, self._lines(40, path)) for path in self._words.files]
        at = self._calendar.at(week, 0, 9)
        self.history.trunk.append(self.history.commit(self.maintainer, at, "Begin anew from the old shop", edits))

    def plan_change(self, week: int) -> None:
        """Somebody begins something in that week, and it is merged when it is done."""
        start = week * WORKDAYS + self._rng.uniform(0, WORKDAYS)
        days = min(self._rng.lognormvariate(0.4, 0.9), LONGEST)
        commits = sorted(self._rng.uniform(0, days) for _ in range(self._rng.choice(MANY_COMMITS)))
        self._ticket += 1
        change = _Change(
            f"{self._words.project}-{self._ticket}",
            self._words.subject(self._rng),
            self.somebody(),
            self._calendar.worked(start),
            tuple(self._calendar.worked(start + each) for each in commits),
        )
        end = self._calendar.worked(start + days + self._rng.uniform(0.05, 0.6))
        self._agenda.add(end, lambda at: self._finish(at, change))

    @property
    def maintainer(self) -> Person:
        """Who releases."""
        return self._words.people[0]

    def somebody(self, *, but: Person | None = None) -> Person:
        """One of those who work here."""
        return self._rng.choice([person for person in self._words.people if person is not but])

    def take_keys(self) -> tuple[str, ...]:
        """The tickets of what was merged since this was asked last."""
        taken, self._keys = tuple(self._keys), []
        return taken

    def advance(
        self, author: Person, at: int, text: str, edits: Sequence[Edit], authored_at: int | None = None
    ) -> Made:
        """A commit on the trunk itself."""
        trunk = self.history.trunk
        trunk.append(self.history.commit(author, at, text, edits, trunk[-1], authored_at=authored_at))
        return trunk[-1]

    def merge(self, by: Person, at: int, text: str, line: Sequence[Made]) -> None:
        """Merges the commits of a branch into the trunk."""
        trunk = self.history.trunk
        edits = [edit for made in line for edit in made.edits]
        trunk.append(self.history.commit(by, at, text, edits, trunk[-1], line[-1]))

    def edits(self, about: str) -> list[Edit]:
        """A change to one, two or three files."""
        paths = self._rng.sample(self._words.files, k=self._rng.choice((1, 1, 2, 3)))
        return [Edit(path, self._lines(self._rng.randint(2, 30), about), self._rng.randint(0, 12)) for path in paths]

    def _lines(self, many: int, about: str) -> tuple[str, ...]:
        return tuple(f"{about} {self._rng.getrandbits(32):08x}" for _ in range(many))

    def _finish(self, at: int, change: _Change) -> None:
        said = [change.subject, *(self._rng.choice(FOLLOW_UPS) for _ in change.times[1:])]
        texts = [f"{change.key}: {each}" for each in said]
        self._keys.append(change.key)
        (self._rebase if self._is_rebased else self._merge_branch)(at, change, texts)

    def _rebase(self, at: int, change: _Change, texts: Sequence[str]) -> None:
        ahead = AHEAD if self._rng.random() < HAS_CLOCK_AHEAD else 0
        for when, text in zip(change.times, texts, strict=True):
            self.advance(change.author, at, text, self.edits(change.key), authored_at=when + ahead)

    def _merge_branch(self, at: int, change: _Change, texts: Sequence[str]) -> None:
        tip, line = self.history.tip_at(change.begun), []
        for when, text in zip(change.times, texts, strict=True):
            tip = self.history.commit(change.author, when, text, self.edits(change.key), tip)
            line.append(tip)
        self.history.branches[change.branch] = line
        self.merge(self.somebody(but=change.author), at, f"Merge branch '{change.branch}'", line)

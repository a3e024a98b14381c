"""Commits as they are made up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from shipmend.demo.people import Person

TRUNK = "main"

Lines = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Edit:
    """A change to a file: lines taken from its beginning, and lines added to its end."""

    path: str
    added: Lines
    taken: int = 0

    def apply(self, lines: Lines) -> Lines:
        """The file after it."""
        return (*lines[self.taken :], *self.added)

    def undo(self, lines: Lines) -> Lines:
        """The file without what it added."""
        return tuple(line for line in lines if line not in self.added)


@dataclass(frozen=True, slots=True)
class Made:
    """A commit. Its number, from 1, is its mark; parents come before children."""

    number: int
    at: int
    authored_at: int
    author: Person
    committer: Person
    message: str
    parents: tuple[int, ...]
    edits: tuple[Edit, ...]
    reverts: bool = False
    """Whether the edits are undone."""

    @property
    def subject(self) -> str:
        """The first line of the message."""
        return self.message.partition("\n")[0]


@dataclass(frozen=True, slots=True)
class Tag:
    """An annotated tag."""

    name: str
    commit: int
    at: int
    by: Person


@dataclass(slots=True)
class History:
    """A repository as it grows: any number of commits on the trunk and beside it."""

    made: list[Made] = field(default_factory=list)
    trunk: list[Made] = field(default_factory=list)
    """The first-parent chain of the trunk, oldest first."""
    branches: dict[str, list[Made]] = field(default_factory=dict)
    tags: list[Tag] = field(default_factory=list)

    def commit(
        self,
        author: Person,
        at: int,
        message: str,
        edits: Sequence[Edit],
        *parents: Made,
        authored_at: int | None = None,
        committer: Person | None = None,
        reverts: bool = False,
    ) -> Made:
        """A commit, on no branch yet; authored when it was committed unless said."""
        authored = at if authored_at is None else authored_at
        numbers = tuple(parent.number for parent in parents)
        number = len(self.made) + 1
        made = Made(number, at, authored, author, committer or author, message, numbers, tuple(edits), reverts)
        self.made.append(made)
        return made

    def tag(self, name: str, commit: Made, at: int, by: Person) -> None:
        """Names a commit for good."""
        self.tags.append(Tag(name, commit.number, at, by))

    def tip_at(self, at: int) -> Made:
        """Where the trunk stood at an instant."""
        return next(made for made in reversed(self.trunk) if made.at <= at)

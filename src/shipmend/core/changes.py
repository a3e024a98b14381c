"""What changed: the commits, people, files and defects between two points of a repo's history."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from heapq import nsmallest
from typing import NamedTuple
from uuid import UUID

from shipmend.core.causes import CauseKind


class View(StrEnum):
    """Which commits count as a release's."""

    UNION = "union"
    """Those that no earlier release of its stream contains: what it shipped first."""
    ANCESTOR = "ancestor"
    """Those that the nearest earlier release among its ancestors does not contain: its release notes."""


class Lines(StrEnum):
    """What is known of how many lines changed."""

    COUNTED = "counted"
    PENDING = "pending"
    """They are being counted in the background."""
    UNREADABLE = "unreadable"
    """The repository can't be read there."""


@dataclass(frozen=True, slots=True)
class Amount:
    """How much changed. Lines are 0 where they have not been counted."""

    files: int = 0
    insertions: int = 0
    deletions: int = 0

    def __add__(self, other: Amount) -> Amount:
        return Amount(self.files + other.files, self.insertions + other.insertions, self.deletions + other.deletions)

    @property
    def lines(self) -> int:
        """Inserted and deleted together."""
        return self.insertions + self.deletions


class ChangedFile(NamedTuple):
    """A file. Its path is printable text, in which a backslash begins an escape."""

    path: str
    status: str
    """git's letter: A added, D deleted, M modified, T another type; empty when it was not kept."""
    insertions: int | None
    """None for a binary file, and where no lines were counted."""
    deletions: int | None


class ChangedPlace(NamedTuple):
    """Part of a repo, and what changed there."""

    place: str
    """`lib/` with all below, `lib/*` for the files directly there, `*` for those at the top, or "elsewhere"."""
    amount: Amount


@dataclass(frozen=True, slots=True)
class FileChanges:
    """Which files changed, and where."""

    lines: Lines
    total: Amount | None = None
    """None when not even the files can be told."""
    files: tuple[ChangedFile, ...] = ()
    """Those with the most lines first; of many, not all."""
    places: tuple[ChangedPlace, ...] = ()
    """A handful that add up to the total."""

    @property
    def are_counted(self) -> bool:
        """Whether lines are told."""
        return self.lines is Lines.COUNTED

    @property
    def left_out(self) -> int:
        """How many files are not listed."""
        return self.total.files - len(self.files) if self.total else 0


@dataclass(frozen=True, slots=True)
class ChangedCommit:
    """A commit. `authored_at` is epoch seconds, None where the commit gives no usable time."""

    sha: str
    subject: str
    author: str
    email: str
    authored_at: int | None


class Author(NamedTuple):
    """Someone, and how many of the commits are theirs."""

    name: str
    email: str
    commits: int


@dataclass(frozen=True, slots=True)
class ChangedDefect:
    """A critical defect that a fix among the changes mends, or that the changes are blamed for."""

    key: str
    description: str
    detected_at: int
    cause: CauseKind | None = None
    """Of one that the changes are blamed for: by whom, or by a guess."""


@dataclass(frozen=True, slots=True)
class End:
    """A point of history: a commit, and the release or the tag or branch that it is meant as, if any."""

    sha: str
    name: str = ""
    release: UUID | None = None

    @property
    def title(self) -> str:
        """What people call it."""
        return self.name or self.sha[:8]


@dataclass(frozen=True, slots=True)
class Changes:
    """What leads from one point to another. Of commits and authors a part may be listed; the totals are of all."""

    after: End
    before: End | None = None
    """What files are compared with, and commits in the view `ancestor`; None: with nothing."""
    view: View | None = None
    """None between two points that are not a release and the one before it."""
    reason: str = ""
    """Why neither commits nor files can be told, as a sentence; empty when they can."""
    gap: str = ""
    """Why some of the commits may be missing, as a sentence; empty when all are there."""
    commits: tuple[ChangedCommit, ...] = ()
    """The latest first."""
    commit_total: int = 0
    previous: End | None = None
    """Of a release, the one before it on its stream, whatever that was."""
    withdrawn: int = 0
    """How many commits it takes away: that are in `previous`, or else in `before`, and not in `after`."""
    authors: tuple[Author, ...] = ()
    """Those with the most commits first."""
    author_total: int = 0
    files: FileChanges = field(default_factory=lambda: FileChanges(Lines.UNREADABLE))
    tickets: tuple[str, ...] = ()
    fixed: tuple[ChangedDefect, ...] = ()
    blamed: tuple[ChangedDefect, ...] = ()

    @property
    def commits_left_out(self) -> int:
        """How many commits are not listed."""
        return self.commit_total - len(self.commits)


def top_files(files: Iterable[ChangedFile], most: int) -> tuple[ChangedFile, ...]:
    """The files with the most lines, these first; where lines are equal or not counted, by path."""
    return tuple(nsmallest(most, files, key=lambda file: (-_lines(file), file.path)))


def people(counts: Iterable[tuple[str, str, int]]) -> tuple[Author, ...]:
    """(name, mail, commits) as authors, the busiest first. One mail address is one person, by their usual name."""
    known: dict[str, list[tuple[str, str, int]]] = {}
    for name, email, commits in counts:
        known.setdefault((email or name).casefold(), []).append((name, email, commits))
    found = [_person(aliases) for aliases in known.values()]
    return tuple(sorted(found, key=lambda author: (-author.commits, author.name, author.email)))


def _person(aliases: list[tuple[str, str, int]]) -> Author:
    name, email, _ = min(aliases, key=lambda alias: (-alias[2], alias))
    return Author(name or email, email, sum(commits for _, _, commits in aliases))


def _lines(file: ChangedFile) -> int:
    return (file.insertions or 0) + (file.deletions or 0)

"""From git's log to rows, in batches that are each a short write.

Nothing of it counts until the state says so (`store.complete`): what a killed index has left is deleted by the next.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Protocol, TypeVar

from shipmend.core.tickets import TicketPattern
from shipmend.git.parse import CommitBatch
from shipmend.history import store
from shipmend.history.arranging import Log, Numbered, Roll
from shipmend.history.progress import ProgressReport
from shipmend.history.store import Key, State

T = TypeVar("T")

COMMITS_AT_ONCE = 8_000
"""Stored in one write."""
SHAS_AT_ONCE = 200_000
"""Rows of the sha table in one write, about; each such write reads all new commits."""


class Guard(Protocol):
    """Whoever lets an index go on: the job it runs in, with the fence of its lease (jobs.registry.JobContext)."""

    def write(self, work: Callable[[], T]) -> T:
        """Write, or raise when someone else does this work by now."""

    def check(self) -> None:
        """Raise when going on is of no use."""


@dataclass(frozen=True, slots=True)
class Stored:
    """What a log had to be stored."""

    commits: Numbered
    authors: int
    """The highest number of an author by now."""


def index_commits(
    key: Key,
    before: State,
    batches: Iterable[CommitBatch],
    pattern: TicketPattern,
    guard: Guard,
    report: ProgressReport,
) -> Stored:
    """Store every commit of a log (in git's own order) that is not stored yet."""
    log = Log(pattern)
    for batch in batches:
        guard.check()
        log.add(batch)
        report.at("Reading commits", len(log))
    # A branch that was deleted or rewritten left its commits behind: when it comes back, git brings them again.
    known = store.numbers_of(key, log.marks) if before.commits else {}
    commits = Numbered(log, known, above=before.commits)
    authors = Roll(log, store.authors_of(key, log.people) if before.authors else {}, above=before.authors)
    _store(key, commits, authors, guard, report)
    return Stored(commits, before.authors + len(authors.new))


def _store(key: Key, commits: Numbered, authors: Roll, guard: Guard, report: ProgressReport) -> None:
    names, mails = ([person[at] for person in authors.new] for at in (0, 1))
    guard.write(partial(store.AUTHORS.append, key, authors.numbers, names, mails))
    for start in range(0, len(commits), COMMITS_AT_ONCE):
        guard.check()
        report.at("Storing commits", start, len(commits))
        part = range(start, min(start + COMMITS_AT_ONCE, len(commits)))
        guard.write(partial(_store_commits, key, commits, authors, part))
    _store_tickets(key, commits, guard)
    _store_shas(key, commits, guard)


def _store_commits(key: Key, commits: Numbered, authors: Roll, part: range) -> None:
    log, places = commits.log, commits.places[part.start : part.stop]
    store.COMMITS.append(
        key,
        range(commits.above + 1 + part.start, commits.above + 1 + part.stop),
        _at(commits.shas, _at(log.mark, places)),
        _at(commits.number, _at(log.first, places)),
        _at(commits.number, _at(log.second, places)),
        _at(log.authored, places),
        _at(log.offset, places),
        _at(log.committed, places),
        _at(authors.number, _at(log.author, places)),
        _at(log.subject, places),
        _at(log.tickets, places),
    )
    _store_further(key, commits, places)


def _at(column: Sequence[T], places: Iterable[int]) -> list[T]:
    return list(map(column.__getitem__, places))


def _store_further(key: Key, commits: Numbered, places: Sequence[int]) -> None:
    rows = [
        (commits.number[commits.log.mark[place]], position, commits.number[mark])
        for place in places
        if place in commits.log.further
        for position, mark in enumerate(commits.log.further[place], start=3)
        if commits.number[mark]
    ]
    if rows:
        store.FURTHER_PARENTS.append(key, *zip(*rows, strict=True))


def _store_tickets(key: Key, commits: Numbered, guard: Guard) -> None:
    """In the order of keys, for the same reason as with shas."""
    tickets, places, first = commits.log.tickets, commits.places, commits.above + 1

    def told(at: int) -> str:
        return tickets[places[at]]

    telling = sorted(filter(told, range(len(commits))), key=told)
    for start in range(0, len(telling), COMMITS_AT_ONCE):
        guard.check()
        part = [(first + at, told(at)) for at in telling[start : start + COMMITS_AT_ONCE]]
        guard.write(partial(store.add_tickets, key, part))


def _store_shas(key: Key, commits: Numbered, guard: Guard) -> None:
    """In the order of shas, so that the table grows at one place; many of them in several writes."""
    parts = min(len(commits) // SHAS_AT_ONCE + 1, 256)
    for start, stop in pairwise([256 * part // parts for part in range(parts + 1)]):
        guard.check()
        guard.write(partial(store.add_shas, key, above=commits.above, first_byte=range(start, stop)))

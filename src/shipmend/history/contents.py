"""What is in sets of commits: the commits themselves, and who wrote them. Each question is one query."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple
from uuid import UUID

from shipmend.core.changes import ChangedCommit
from shipmend.core.spans import Span
from shipmend.core.tickets import SEPARATOR
from shipmend.db.sql import Statement
from shipmend.git.refs import BRANCH, TAG

# The spans come first and the commits of each by their key: CROSS keeps SQLite from trying it the other way about.
_SPANNED = "FROM {spans} CROSS JOIN history_commit c"
_WITHIN = "WHERE c.entity_id = ? AND c.repo_number = ? AND c.id BETWEEN span.first AND span.last"
_COMMITS = Statement(
    f"SELECT c.sha, c.subject, a.name, a.email, c.authored_at {_SPANNED} JOIN history_author a"
    " ON a.entity_id = c.entity_id AND a.repo_number = c.repo_number AND a.id = c.author_id"
    f" {_WITHIN} ORDER BY c.id DESC"
)
_AUTHORS = Statement(
    "SELECT a.name, a.email, found.commits"
    f" FROM (SELECT c.author_id, count(*) AS commits {_SPANNED} {_WITHIN} GROUP BY c.author_id) AS found"
    " JOIN history_author a ON a.id = found.author_id WHERE a.entity_id = ? AND a.repo_number = ?"
)
_AUTHORSHIP = Statement(f"SELECT c.id, c.authored_at, c.second_parent IS NOT NULL, c.author_id {_SPANNED} {_WITHIN}")
_BY_AUTHOR = Statement(f"SELECT c.id {_SPANNED} {_WITHIN} AND c.author_id = ?")
# A pair is a repo's number and a commit's; the words of `{spans}` are about runs of commits.
_EACH = Statement(
    "SELECT c.repo_number, c.id, c.sha, c.subject, a.name, a.email, c.authored_at, c.second_parent IS NOT NULL,"
    " c.tickets FROM {spans} CROSS JOIN history_commit c JOIN history_author a"
    " ON a.entity_id = c.entity_id AND a.repo_number = c.repo_number AND a.id = c.author_id"
    " WHERE c.entity_id = ? AND c.repo_number = span.first AND c.id = span.last"
)
# Here it is a repo's number and an author's.
_AUTHOR_NAMES = Statement(
    "SELECT a.repo_number, a.id, a.name, a.email FROM {spans} CROSS JOIN history_author a"
    " WHERE a.entity_id = ? AND a.repo_number = span.first AND a.id = span.last"
)
_SHAS = Statement(f"SELECT c.id, c.sha {_SPANNED} {_WITHIN}")
_NAMED = Statement(
    "SELECT c.sha, c.id FROM history_tip t JOIN history_commit c"
    " ON c.entity_id = t.entity_id AND c.repo_number = t.repo_number AND c.id = t.commit_number"
    " WHERE t.entity_id = ? AND t.repo_number = ? AND t.name IN (?, ?) ORDER BY t.name DESC LIMIT 1"
)


def commits_in(entity_id: UUID, repo_number: int, spans: Sequence[Span]) -> tuple[ChangedCommit, ...]:
    """The commits of some spans of numbers, the highest number first: children before their parents."""
    rows = _COMMITS.rows(json.dumps(spans), entity_id, repo_number)
    return tuple(ChangedCommit(bytes(sha).hex(), subject, name, email, at) for sha, subject, name, email, at in rows)


def authors_in(entity_id: UUID, repo_number: int, spans: Sequence[Span]) -> list[tuple[str, str, int]]:
    """(name, mail, commits) of all who wrote some of the commits, as these name them."""
    rows = _AUTHORS.rows(json.dumps(spans), entity_id, repo_number, entity_id, repo_number)
    return [(name, email, commits) for name, email, commits in rows]


class ShippedCommit(NamedTuple):
    """A commit as a row of its own."""

    sha: str
    subject: str
    author_name: str
    author_email: str
    authored_at: int | None
    """Epoch seconds; None where it gives no usable time."""
    is_merge: bool
    tickets: tuple[str, ...]


def shipped_commits(entity_id: UUID, commits: Iterable[tuple[int, int]]) -> dict[tuple[int, int], ShippedCommit]:
    """Commits, by the number of their repo and their own there."""
    rows = _EACH.rows(json.dumps(list(commits)), entity_id)
    return {(repo_number, number): _shipped(*row) for repo_number, number, *row in rows}


def _shipped(
    sha: bytes, subject: str, name: str, email: str, authored_at: int | None, is_merge: int, tickets: str | None
) -> ShippedCommit:
    keys = tuple(tickets.split(SEPARATOR)) if tickets else ()
    return ShippedCommit(bytes(sha).hex(), subject, name, email, authored_at, bool(is_merge), keys)


def commits_by(entity_id: UUID, repo_number: int, author: int, spans: Sequence[Span]) -> list[int]:
    """The numbers of those commits of some spans that an author wrote, in no order."""
    rows = _BY_AUTHOR.rows(json.dumps(spans), entity_id, repo_number, author)
    return [number for (number,) in rows]


class Authorship(NamedTuple):
    """When and by whom a commit was written."""

    number: int
    authored_at: int | None
    is_merge: bool
    author: int
    """The author's number in the repo's history."""


def authorship_in(entity_id: UUID, repo_number: int, spans: Sequence[Span]) -> Iterator[Authorship]:
    """That of the commits of some spans, in no order."""
    rows = _AUTHORSHIP.rows(json.dumps(spans), entity_id, repo_number)
    return (Authorship(number, at, bool(is_merge), author) for number, at, is_merge, author in rows)


def author_names(entity_id: UUID, authors: Iterable[tuple[int, int]]) -> dict[tuple[int, int], tuple[str, str]]:
    """(name, mail) of authors, by the number of their repo and their own there."""
    rows = _AUTHOR_NAMES.rows(json.dumps(list(authors)), entity_id)
    return {(repo_number, author): (name, email) for repo_number, author, name, email in rows}


def shas_of(entity_id: UUID, repo_number: int, numbers: Iterable[int]) -> dict[int, str]:
    """The shas of commits, by their numbers."""
    spans = [(number, number) for number in set(numbers)]
    return {number: bytes(sha).hex() for number, sha in _SHAS.rows(json.dumps(spans), entity_id, repo_number)}


def commit_named(entity_id: UUID, repo_number: int, name: str) -> tuple[str, int] | None:
    """Sha and number of the commit that a tag or else a branch of that name stands at, as of the last index."""
    row = _NAMED.row(entity_id, repo_number, TAG + name, BRANCH + name)
    return None if row is None else (bytes(row[0]).hex(), row[1])

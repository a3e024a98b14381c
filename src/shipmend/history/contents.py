"""What is in sets of commits: the commits themselves, and who wrote them. Each question is one query."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from uuid import UUID

from shipmend.core.changes import ChangedCommit
from shipmend.core.spans import Span
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
_AUTHORSHIP = Statement(f"SELECT c.id, c.authored_at, c.second_parent IS NOT NULL {_SPANNED} {_WITHIN}")
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


def authorship_in(entity_id: UUID, repo_number: int, spans: Sequence[Span]) -> Iterator[tuple[int, int | None, bool]]:
    """(number, when it was authored, whether it is a merge) of the commits of some spans."""
    rows = _AUTHORSHIP.rows(json.dumps(spans), entity_id, repo_number)
    return ((number, authored_at, bool(is_merge)) for number, authored_at, is_merge in rows)


def shas_of(entity_id: UUID, repo_number: int, numbers: Iterable[int]) -> dict[int, str]:
    """The shas of commits, by their numbers."""
    spans = [(number, number) for number in set(numbers)]
    return {number: bytes(sha).hex() for number, sha in _SHAS.rows(json.dumps(spans), entity_id, repo_number)}


def commit_named(entity_id: UUID, repo_number: int, name: str) -> tuple[str, int] | None:
    """Sha and number of the commit that a tag or else a branch of that name stands at, as of the last index."""
    row = _NAMED.row(entity_id, repo_number, TAG + name, BRANCH + name)
    return None if row is None else (bytes(row[0]).hex(), row[1])

"""Tickets in what was delivered: the commits of a ticket, and the tickets of releases.

A ticket's commits are those whose messages speak of it and, since a caller may say what a release resolves
(issue_keys_resolved), the commits of the releases that were said to resolve it.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from shipmend.catalog.queries import RepoRef, Tenant
from shipmend.core.spans import Span
from shipmend.core.tickets import in_order, normal
from shipmend.db.sql import Statement
from shipmend.delivery.ordering import LATEST_FIRST
from shipmend.delivery.ownership import runs_of_release
from shipmend.delivery.views import NamedRelease
from shipmend.history.indexed import IndexedRepo
from shipmend.history.tickets import commits_of_ticket, tickets_within
from shipmend.history.touched import touched_runs

MOST_COMMITS = 2_000
"""Of one ticket, in all repos; a key with more is hardly one."""
MOST_CLAIMS = 500

# The condition stands as the index release_with_keys has it.
_CLAIMS = Statement(
    "SELECT repo_id, environment, commit_number, issue_keys, id, name, release_sha, released_at FROM delivery_release"
    " WHERE entity_id = ? AND NOT (issue_keys = '[]') AND deleted_at IS NULL AND status = 'succeeded'"
    r" AND upper(issue_keys) LIKE ? ESCAPE '\'"
    f" ORDER BY {LATEST_FIRST} LIMIT ?"
)
_KEYS = Statement("SELECT issue_keys FROM delivery_release WHERE entity_id = ? AND repo_id = ? AND id = ?")


@dataclass(frozen=True, slots=True)
class Claim:
    """A succeeded release that was said to resolve a ticket."""

    repo_id: UUID
    environment: str
    release: NamedRelease
    commit: int | None
    """The number of the release commit, where that is known."""


@dataclass(frozen=True, slots=True)
class Ticket:
    """What is known of a ticket in some repos."""

    key: str
    commits: dict[UUID, tuple[int, ...]]
    """By repo, their numbers, ascending; no repo without any."""
    claims: tuple[Claim, ...]
    """The latest first."""
    is_cut: bool
    """Whether there are more commits than were looked at."""


def find_ticket(tenant: Tenant, repos: Collection[IndexedRepo], text: str) -> Ticket:
    """The ticket of that key, however it is spelt. Two questions, and one for each part of a repo."""
    key = normal(text)
    spoken = commits_of_ticket(tenant.id, key, most=MOST_COMMITS)
    ids = {repo.ref.id for repo in repos}
    claims = tuple(claim for claim in _claims(tenant, key) if claim.repo_id in ids)
    found: defaultdict[UUID, set[int]] = defaultdict(set)
    for repo in repos:
        found[repo.ref.id].update(counting(tenant, repo, spoken.get(repo.ref.number, ())))
    for claim in claims:
        if claim.commit is not None:
            found[claim.repo_id].add(claim.commit)
    commits = {repo_id: tuple(sorted(numbers)) for repo_id, numbers in found.items() if numbers}
    return Ticket(key, commits, claims, sum(map(len, spoken.values())) >= MOST_COMMITS)


def counting(tenant: Tenant, repo: IndexedRepo, commits: Sequence[int]) -> list[int]:
    """Those of some commits of its history that count for a repo: of a part, those that touch its paths."""
    runs = touched_runs(tenant.id, repo.ref.id) if repo.ref.source_id and commits else None
    return [commit for commit in commits if runs is None or runs.at(commit)]


def tickets_of_release(tenant: Tenant, repo: RepoRef, release_id: UUID) -> tuple[str, ...]:
    """The tickets of a release: those its own commits speak of, and those it was said to resolve; in order."""
    row = _KEYS.row(tenant.id, repo.id, release_id)
    claimed = [normal(key) for key in json.loads(row[0])] if row else []
    return in_order([*claimed, *tickets_of_commits(tenant, repo, runs_of_release(tenant, repo, release_id))])


def tickets_of_commits(tenant: Tenant, repo: RepoRef, spans: Sequence[Span]) -> tuple[str, ...]:
    """The tickets that the commits of some spans of numbers speak of, each once, in order. One question."""
    return tickets_within(tenant.id, repo.number, spans)


def _claims(tenant: Tenant, key: str) -> list[Claim]:
    quoted = json.dumps(key, ensure_ascii=False)
    for special in ("\\", "%", "_"):
        quoted = quoted.replace(special, f"\\{special}")
    rows = _CLAIMS.rows(tenant.id, f"%{quoted}%", MOST_CLAIMS)
    return [
        Claim(repo_id, environment, NamedRelease(release_id, name, sha, at), commit)
        for repo_id, environment, commit, keys, release_id, name, sha, at in rows
        if key in map(normal, json.loads(keys))
    ]

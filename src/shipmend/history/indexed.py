"""Where the repos of a place stand, and commits looked for in all of them. Each question is one query."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from shipmend.catalog.models import IndexState
from shipmend.catalog.queries import Place, RepoRef, Tenant
from shipmend.core.tickets import SEPARATOR
from shipmend.core.values import SHA_DIGITS, ResourcePath
from shipmend.db.sql import Row, Statement
from shipmend.history.faults import is_damaged, wants_branch
from shipmend.history.models import Tip
from shipmend.history.unseen import Reason, Unseen

_REPOS = (
    "SELECT r.id, COALESCE(s.number, r.number), COALESCE(s.remote_url, r.remote_url),"
    " CASE WHEN s.id IS NULL THEN r.fetched_at ELSE s.fetched_at END, r.source_id, o.slug, r.slug,"
    " COALESCE(h.commits, 0), t.commit_number, COALESCE(s.index_state, r.index_state), COALESCE(h.trunk_branch, ''),"
    " t.name IS NOT NULL, COALESCE(h.faults, ''), r.source_id IS NULL OR v.version IS NOT NULL"
    " FROM catalog_repo r JOIN catalog_organization o ON o.id = r.organization_id"
    " LEFT JOIN catalog_repo s ON s.entity_id = r.entity_id AND s.id = r.source_id"
    " LEFT JOIN history_state h ON h.entity_id = r.entity_id AND h.repo_number = COALESCE(s.number, r.number)"
    " AND h.repo_id = COALESCE(s.id, r.id)"
    " LEFT JOIN history_tip t ON t.entity_id = h.entity_id AND t.repo_number = h.repo_number"
    " AND t.name = 'refs/heads/' || h.trunk_branch"
    " LEFT JOIN history_sieve v ON v.entity_id = r.entity_id AND v.repo_id = r.id AND v.is_current"
    " WHERE r.entity_id = ?"
)
_BY_PATH = "ORDER BY o.slug, r.slug"
_OF_ENTITY = Statement(f"{_REPOS} {_BY_PATH}")
_OF_ORGANIZATION = Statement(f"{_REPOS} AND r.organization_id = ? {_BY_PATH}")
_OF_REPO = Statement(f"{_REPOS} AND r.id = ?")

# Each repo's state first, and its shas by their key: CROSS keeps SQLite from trying it the other way about.
_SHAS = (
    "SELECT s.repo_number, s.sha, s.commit_number FROM history_state h CROSS JOIN history_sha s"
    " WHERE h.entity_id = ? AND h.repo_id IS NOT NULL AND s.entity_id = h.entity_id AND s.repo_number = h.repo_number"
    " AND s.sha BETWEEN ? AND ? AND s.commit_number <= h.commits"
)
_BY_SHA = Statement(_SHAS)
_BY_SHA_IN_REPO = Statement(f"{_SHAS} AND h.repo_number = ?")

# A pair is a repo's number and a commit's; the words of `{spans}` are about runs of commits.
_EACH = Statement(
    "SELECT c.repo_number, c.id, c.sha, c.subject, a.name, c.authored_at, c.committed_at, c.tickets"
    " FROM {spans} CROSS JOIN history_commit c JOIN history_author a"
    " ON a.entity_id = c.entity_id AND a.repo_number = c.repo_number AND a.id = c.author_id"
    " WHERE c.entity_id = ? AND c.repo_number = span.first AND c.id = span.last"
)

Where = tuple[int, int]
"""A commit of an entity: the number of its repo, and its own there."""


@dataclass(frozen=True, slots=True)
class IndexedRepo:
    """A repo, and how far its history is known."""

    ref: RepoRef
    commits: int
    """The highest number of a commit; 0 for a repo that was never indexed."""
    tip: int | None
    """The commit at which its release branch stands; None where there is no such branch."""
    unseen: Unseen | None = None
    """Why nothing can be told of that branch; None where it can, and where all of the remote is empty."""

    @property
    def path(self) -> ResourcePath:
        """Where it is in the catalog."""
        return self.ref.path


@dataclass(frozen=True, slots=True)
class FoundCommit:
    """A commit for showing. Times are epoch seconds, None where it gives no usable one."""

    sha: str
    subject: str
    author: str
    authored_at: int | None
    committed_at: int | None
    tickets: tuple[str, ...]


def indexed_repos(place: Place) -> list[IndexedRepo]:
    """Every repo at or below a place, by path."""
    if place.repo is not None:
        rows = _OF_REPO.rows(place.tenant.id, place.repo.id)
    elif place.organization_id is not None:
        rows = _OF_ORGANIZATION.rows(place.tenant.id, place.organization_id)
    else:
        rows = _OF_ENTITY.rows(place.tenant.id)
    return [_repo(place, row) for row in rows]


def unseen_of(tenant: Tenant, repo: RepoRef) -> Unseen | None:
    """IndexedRepo.unseen of one repo."""
    found = indexed_repos(Place(tenant, repo.path, repo=repo))
    return found[0].unseen if found else None


def _repo(place: Place, row: Row) -> IndexedRepo:
    repo_id, number, remote_url, fetched_at, source_id, organization, slug, commits, tip, *standing = row
    path = ResourcePath(place.tenant.slug, organization, slug)
    ref = RepoRef(repo_id, number, bool(remote_url), fetched_at, path, source_id)
    return IndexedRepo(ref, commits, tip, _unseen(ref, commits, tip, _Standing(*standing)))


class _Standing(NamedTuple):
    """More of a row, which tells why there is no tip."""

    index_state: str
    branch: str
    """The release branch, as of the last index."""
    is_held: bool
    """Whether the remote has it."""
    faults: str
    is_sifted: bool
    """Whether it is known what counts; at once, but for a part."""


def _unseen(repo: RepoRef, commits: int, tip: int | None, standing: _Standing) -> Unseen | None:
    if tip is not None:
        return None if standing.is_sifted else Unseen(Reason.NOT_INDEXED)
    if not repo.has_remote:
        return Unseen(Reason.NO_REMOTE)
    if repo.fetched_at is None:
        return Unseen(Reason.FAILED if standing.index_state == IndexState.FAILED else Reason.NOT_INDEXED)
    if standing.is_held or (is_damaged(standing.faults) and not wants_branch(standing.faults)):
        return Unseen(Reason.DAMAGED)
    if standing.branch:
        return Unseen(Reason.NO_BRANCH, standing.branch)
    return Unseen(Reason.NO_DEFAULT) if commits else None


def commits_by_sha(place: Place, digits: str) -> list[tuple[int, str, int]]:
    """(repo's number, sha, commit's number) of all commits of the entity, or of the place's repo, that begin so."""
    least, most = (bytes.fromhex(digits.ljust(SHA_DIGITS, filler)) for filler in "0f")
    if place.repo is not None:
        rows = _BY_SHA_IN_REPO.rows(place.tenant.id, least, most, place.repo.number)
    else:
        rows = _BY_SHA.rows(place.tenant.id, least, most)
    return [(repo_number, bytes(sha).hex(), commit) for repo_number, sha, commit in rows]


def commits_at(entity_id: UUID, places: Iterable[Where]) -> Mapping[Where, FoundCommit]:
    """These commits."""
    rows = _EACH.rows(json.dumps(list(places)), entity_id)
    return {
        (repo_number, number): FoundCommit(
            bytes(sha).hex(), subject, author, authored, committed, tuple(tickets.split(SEPARATOR) if tickets else ())
        )
        for repo_number, number, sha, subject, author, authored, committed, tickets in rows
    }


def tips_in(entity_id: UUID, repo_numbers: Iterable[int]) -> Mapping[int, list[int]]:
    """The commits at which the branches and tags of these repos stand, by the repo's number."""
    rows = Tip.objects.filter(entity_id=entity_id, repo_number__in=set(repo_numbers))
    found: defaultdict[int, list[int]] = defaultdict(list)
    for repo_number, commit in rows.values_list("repo_number", "commit_number"):
        if commit is not None:
            found[repo_number].append(commit)
    return found

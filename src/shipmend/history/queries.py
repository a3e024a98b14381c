"""Finding commits in what is indexed."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from shipmend.core.releases import CommitState, ReleaseCommit
from shipmend.core.values import SHA_DIGITS, ResourcePath
from shipmend.db.sql import Row, Statement
from shipmend.history import stretches


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """An abbreviation that begins more than one commit of the repo."""

    prefix: str


# A commit whose number is above the state's belongs to an index that has not finished.
_BY_SHA = Statement(
    "SELECT c.sha, c.id, c.authored_at, c.committed_at FROM history_sha s"
    " JOIN history_state h ON h.entity_id = s.entity_id AND h.repo_number = s.repo_number"
    " JOIN history_commit c ON c.entity_id = s.entity_id AND c.repo_number = s.repo_number AND c.id = s.commit_number"
    " WHERE s.entity_id = ? AND s.repo_number = ? AND s.sha BETWEEN ? AND ? AND s.commit_number <= h.commits LIMIT 2"
)
_BY_NUMBER = Statement(
    "SELECT sha, id, authored_at, committed_at FROM history_commit WHERE entity_id = ? AND repo_number = ? AND id = ?"
)
_STRETCH_AT = Statement(
    "SELECT t.steps FROM history_stretch t"
    " JOIN history_state h ON h.entity_id = t.entity_id AND h.repo_number = t.repo_number AND h.repo_id IS NOT NULL"
    " WHERE t.entity_id = ? AND t.repo_number = ? AND t.floor <= ?"
    " ORDER BY t.floor DESC, t.position DESC LIMIT 1"
)
_LEAST_FLOOR = Statement(
    "SELECT t.floor FROM history_stretch t"
    " JOIN history_state h ON h.entity_id = t.entity_id AND h.repo_number = t.repo_number AND h.repo_id IS NOT NULL"
    " WHERE t.entity_id = ? AND t.repo_number = ? ORDER BY t.floor, t.position LIMIT 1"
)
# Of a repo whose index fails since, its page tells that and no longer what the last good one found.
_FAULTY = Statement(
    "SELECT e.slug, o.slug, r.slug, h.faults FROM history_state h"
    " JOIN catalog_repo r ON r.entity_id = h.entity_id AND r.id = h.repo_id AND r.index_state <> 'failed'"
    " JOIN catalog_organization o ON o.id = r.organization_id JOIN catalog_entity e ON e.id = r.entity_id"
    " WHERE h.faults <> '' ORDER BY e.slug, o.slug, r.slug"
)
_END_OF_TIME = 2**62


def commit_by_sha(entity_id: UUID, repo_number: int, sha: str) -> ReleaseCommit | Ambiguous | None:
    """The commit of a sha in lower-case hex, whole or abbreviated (one range of the index); None when there is none."""
    least, most = (bytes.fromhex(sha.ljust(SHA_DIGITS, filler)) for filler in "0f")
    rows = _BY_SHA.rows(entity_id, repo_number, least, most)
    if len(rows) > 1:
        return Ambiguous(sha)
    return _commit(rows[0]) if rows else None


def commit_at(entity_id: UUID, repo_number: int, epoch: int) -> ReleaseCommit | None:
    """The last commit on the release branch made at or before `epoch`; None when its first one came later.

    As `git rev-list -1 --first-parent --before`. Not found either when there is no release branch.
    """
    row = _STRETCH_AT.row(entity_id, repo_number, epoch)
    if row is None:
        return None
    found = _BY_NUMBER.row(entity_id, repo_number, stretches.commit_at(row[0], epoch))
    return _commit(found) if found else None


def latest_on_trunk(entity_id: UUID, repo_number: int) -> ReleaseCommit | None:
    """Where the release branch stands; None when there is none."""
    return commit_at(entity_id, repo_number, _END_OF_TIME)


def first_commit_time(entity_id: UUID, repo_number: int) -> int | None:
    """The earliest time of a commit on the release branch, epoch seconds: before it `commit_at` finds nothing."""
    row = _LEAST_FLOOR.row(entity_id, repo_number)
    return row[0] if row else None


def faulty_repos() -> list[tuple[ResourcePath, str]]:
    """Every repo of the instance with whose remote something is amiss, and what (see `faults`): for its operator."""
    return [(ResourcePath(*path), faults) for *path, faults in _FAULTY.rows()]


def _commit(row: Row) -> ReleaseCommit:
    sha, number, authored_at, committed_at = row
    return ReleaseCommit(bytes(sha).hex(), CommitState.KNOWN, number, authored_at, committed_at)

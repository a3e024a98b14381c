"""What reports read: releases, defects and fixes of an entity, each list in one query, as narrow rows."""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

from shipmend.db.sql import Row, Statement

_RELEASES = Statement(
    "SELECT released_at, id, repo_id, kind, status, commit_state, commit_number, release_sha, undone_by"
    " FROM delivery_release WHERE entity_id = ? AND environment = ? AND deleted_at IS NULL"
    " AND released_at >= ? AND released_at < ?"
    " ORDER BY released_at, COALESCE(commit_number, -1), release_sha"
)
_DEFECTS = Statement(
    "SELECT d.id, d.detected_at, d.resolved_at, d.repo_id, COALESCE(d.organization_id, r.organization_id), d.severity,"
    " d.cause_standing, d.cause_release_id, c.id, d.defect_key"
    " FROM delivery_criticaldefect d LEFT JOIN catalog_repo r ON r.entity_id = d.entity_id AND r.id = d.repo_id"
    " LEFT JOIN delivery_release c"
    "  ON c.entity_id = d.entity_id AND c.id = d.cause_release_id AND c.deleted_at IS NULL"
    " WHERE d.entity_id = ? AND d.deleted_at IS NULL ORDER BY d.detected_at, d.id"
)
# A release carries a fix when it is the first with the fix's commit; where no history tells, when it is the first of
# the same sha; or when it happened at the very instant of the fix.
_FIXES = Statement(
    "SELECT f.released_at, f.id, f.defect_id, f.repo_id, r.organization_id, run.release_id,"
    " CASE WHEN f.commit_number IS NULL AND f.release_sha <> '' THEN (SELECT same.id FROM delivery_release same"
    "  WHERE same.entity_id = f.entity_id AND same.repo_id = f.repo_id AND same.environment = ?"
    "  AND same.release_sha = f.release_sha AND same.status = 'succeeded' AND same.deleted_at IS NULL"
    "  ORDER BY same.released_at, same.id LIMIT 1) END,"
    " CASE WHEN run.release_id IS NULL THEN (SELECT same.id FROM delivery_release same"
    "  WHERE same.entity_id = f.entity_id AND same.repo_id = f.repo_id AND same.environment = ?"
    "  AND same.released_at = f.released_at AND same.status = 'succeeded' AND same.deleted_at IS NULL"
    "  ORDER BY same.id LIMIT 1) END"
    " FROM delivery_defectfix f"
    " JOIN delivery_criticaldefect d ON d.entity_id = f.entity_id AND d.id = f.defect_id"
    " JOIN catalog_repo r ON r.entity_id = f.entity_id AND r.id = f.repo_id"
    " LEFT JOIN delivery_stream s ON s.entity_id = f.entity_id AND s.repo_id = f.repo_id AND s.environment = ?"
    " LEFT JOIN delivery_shippedrun run ON run.entity_id = f.entity_id AND run.stream_id = s.id"
    "  AND run.last >= f.commit_number AND run.first = (SELECT MAX(upto.first) FROM delivery_shippedrun upto"
    "   WHERE upto.entity_id = f.entity_id AND upto.stream_id = s.id AND upto.first <= f.commit_number)"
    " WHERE f.entity_id = ? AND d.deleted_at IS NULL AND f.commit_state <> 'rejected'"
)


class ReleaseRecord(NamedTuple):
    """A release as stored."""

    released_at: int
    id: UUID
    repo_id: UUID
    kind: str | None
    status: str
    commit_state: str
    commit_number: int | None
    release_sha: str
    undone_by: UUID | None


class DefectRecord(NamedTuple):
    """A defect as stored."""

    id: UUID
    detected_at: int
    resolved_at: int | None
    repo_id: UUID | None
    organization_id: UUID | None
    severity: int | None
    standing: str
    """What somebody said of its cause (core.causes)."""
    said_release_id: UUID | None
    """Of which release."""
    release_id: UUID | None
    """The same, unless it has been deleted since."""
    key: str


class FixRecord(NamedTuple):
    """A fix as stored, with the release that carried it."""

    released_at: int | None
    """None while its commit, which is to give the time, has not been seen."""
    id: UUID
    defect_id: UUID
    repo_id: UUID
    organization_id: UUID
    carried_by: UUID | None


def releases_between(entity_id: UUID, environment: str, start: int, end: int) -> list[ReleaseRecord]:
    """The releases to an environment with `start` <= released_at < `end`, in the order of their streams."""
    return [ReleaseRecord._make(row) for row in _RELEASES.rows(entity_id, environment, start, end)]


def defects_of(entity_id: UUID) -> list[DefectRecord]:
    """Every defect, by detection."""
    return [_defect(row) for row in _DEFECTS.rows(entity_id)]


def fixes_of(entity_id: UUID, environment: str) -> list[FixRecord]:
    """Every fix but those rejected, and what carried it to an environment whose streams are up to date."""
    return [_fix(row) for row in _FIXES.rows(*[environment] * 3, entity_id)]


def _defect(row: Row) -> DefectRecord:
    record = DefectRecord._make(row)
    return record._replace(organization_id=_id(record.organization_id))


def _fix(row: Row) -> FixRecord:
    *facts, by_commit, by_sha, by_instant = row
    return FixRecord._make((*facts, by_commit or _id(by_sha) or _id(by_instant)))


def _id(value: UUID | bytes | None) -> UUID | None:
    """SQLite hands over the bytes where a value is not a plain column."""
    return UUID(bytes=value) if isinstance(value, bytes) else value

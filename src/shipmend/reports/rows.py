"""What reports read: releases, defects and fixes of an entity, each list in one query, as narrow rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from shipmend.db.fields import read_id
from shipmend.db.sql import Row, Statement

_RELEASES = Statement(
    "SELECT released_at, id, repo_id, kind, status, commit_state, commit_number, release_sha, undone_by, name"
    " FROM delivery_release WHERE entity_id = ? AND environment = ? AND deleted_at IS NULL"
    " AND released_at >= ? AND released_at < ?"
    " ORDER BY released_at, COALESCE(commit_number, -1), release_sha"
)
# The defects that a window can have to do with: detected in it, or soon enough after it to blame a release of it; open
# in it, or resolved from then on, even by a fix that is dated long before the detection; caused by a release of it, as
# somebody said; or with a fix that one carried.
# The commits of those releases lie between two numbers of each stream, which spares looking at every other fix.
_WANTED = (
    "WITH released AS (SELECT id FROM delivery_release WHERE entity_id = ? AND environment = ? AND deleted_at IS NULL"
    "  AND released_at >= ? AND released_at < ?),"
    " reach AS (SELECT run.stream_id, MIN(run.first) AS low, MAX(run.last) AS high"
    "  FROM released CROSS JOIN delivery_shippedrun run"
    "  WHERE run.entity_id = ? AND run.release_id = released.id GROUP BY run.stream_id),"
    " wanted AS (SELECT d.id FROM delivery_criticaldefect d WHERE d.entity_id = ? AND d.deleted_at IS NULL"
    "  AND (d.detected_at < ? OR d.resolved_at < ?)"
    "  AND (d.detected_at >= ? OR d.resolved_at IS NULL OR d.resolved_at >= ?)"
    "  UNION SELECT d.id FROM released JOIN delivery_criticaldefect d"
    "   ON d.entity_id = ? AND d.cause_release_id = released.id WHERE d.deleted_at IS NULL"
    "  UNION SELECT f.defect_id FROM reach CROSS JOIN delivery_stream s CROSS JOIN delivery_defectfix f"
    "   WHERE s.entity_id = ? AND s.id = reach.stream_id AND f.entity_id = s.entity_id AND f.repo_id = s.repo_id"
    "    AND f.commit_number BETWEEN reach.low AND reach.high"
    "  UNION SELECT f.defect_id FROM delivery_defectfix f WHERE f.entity_id = ? AND f.commit_number IS NULL"
    "   AND f.release_sha <> '')"
)
_DEFECTS = Statement(
    f"{_WANTED} SELECT d.id, d.detected_at, d.resolved_at, d.repo_id, COALESCE(d.organization_id, r.organization_id),"
    " d.severity, d.cause_standing, d.cause_release_id, c.id, d.defect_key"
    " FROM wanted CROSS JOIN delivery_criticaldefect d"
    " LEFT JOIN catalog_repo r ON r.entity_id = d.entity_id AND r.id = d.repo_id"
    " LEFT JOIN delivery_release c"
    "  ON c.entity_id = d.entity_id AND c.id = d.cause_release_id AND c.deleted_at IS NULL"
    " WHERE d.entity_id = ? AND d.id = wanted.id AND d.deleted_at IS NULL ORDER BY d.detected_at, d.id"
)
# A release carries a fix when it is the first with the fix's commit; where no history tells, when it is the first of
# the same sha; or when it happened at the very instant of the fix.
_FIXES = Statement(
    f"{_WANTED} SELECT f.released_at, f.id, f.defect_id, f.repo_id, r.organization_id, run.release_id,"
    " CASE WHEN f.commit_number IS NULL AND f.release_sha <> '' THEN (SELECT same.id FROM delivery_release same"
    "  WHERE same.entity_id = f.entity_id AND same.repo_id = f.repo_id AND same.environment = ?"
    "  AND same.release_sha = f.release_sha AND same.status = 'succeeded' AND same.deleted_at IS NULL"
    "  ORDER BY same.released_at, same.id LIMIT 1) END,"
    " CASE WHEN run.release_id IS NULL THEN (SELECT same.id FROM delivery_release same"
    "  WHERE same.entity_id = f.entity_id AND same.repo_id = f.repo_id AND same.environment = ?"
    "  AND same.released_at = f.released_at AND same.status = 'succeeded' AND same.deleted_at IS NULL"
    "  ORDER BY same.id LIMIT 1) END"
    " FROM wanted CROSS JOIN delivery_criticaldefect d CROSS JOIN delivery_defectfix f"
    " JOIN catalog_repo r ON r.entity_id = f.entity_id AND r.id = f.repo_id"
    " LEFT JOIN delivery_stream s ON s.entity_id = f.entity_id AND s.repo_id = f.repo_id AND s.environment = ?"
    " LEFT JOIN delivery_shippedrun run ON run.entity_id = f.entity_id AND run.stream_id = s.id"
    "  AND run.last >= f.commit_number AND run.first = (SELECT MAX(upto.first) FROM delivery_shippedrun upto"
    "   WHERE upto.entity_id = f.entity_id AND upto.stream_id = s.id AND upto.first <= f.commit_number)"
    " WHERE d.entity_id = ? AND d.id = wanted.id AND d.deleted_at IS NULL"
    " AND f.entity_id = d.entity_id AND f.defect_id = d.id AND f.commit_state <> 'rejected'"
)


@dataclass(frozen=True, slots=True)
class Stretch:
    """Releases of one environment from `start` up to and without `end`, and how much later they are still blamed."""

    entity_id: UUID
    environment: str
    start: int
    end: int
    reach: int
    """Seconds."""

    @property
    def words(self) -> tuple[object, ...]:
        """What `_WANTED` asks for."""
        entity = self.entity_id
        released = (entity, self.environment, self.start, self.end)
        return (
            *released,
            entity,
            entity,
            self.end + self.reach,
            self.end,
            self.start,
            self.start,
            entity,
            entity,
            entity,
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
    name: str

    @property
    def title(self) -> str:
        """What people call it."""
        return self.name or self.release_sha[:8] or "release"


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


def releases_around(stretch: Stretch) -> list[ReleaseRecord]:
    """The releases of a stretch, and those that what was detected in it may come from, as their streams order them."""
    first, last = stretch.start - stretch.reach, stretch.end + stretch.reach
    return [ReleaseRecord._make(row) for row in _RELEASES.rows(stretch.entity_id, stretch.environment, first, last)]


def defects_around(stretch: Stretch) -> list[DefectRecord]:
    """The defects that a stretch can have to do with, by detection."""
    return [_defect(row) for row in _DEFECTS.rows(*stretch.words, stretch.entity_id)]


def fixes_around(stretch: Stretch) -> list[FixRecord]:
    """All fixes of these defects but those rejected, and what carried each; the streams are up to date."""
    environment = stretch.environment
    rows = _FIXES.rows(*stretch.words, environment, environment, environment, stretch.entity_id)
    return [_fix(row) for row in rows]


def _defect(row: Row) -> DefectRecord:
    record = DefectRecord._make(row)
    return record._replace(organization_id=_id(record.organization_id))


def _fix(row: Row) -> FixRecord:
    *facts, by_commit, by_sha, by_instant = row
    return FixRecord._make((*facts, by_commit or _id(by_sha) or _id(by_instant)))


def _id(value: UUID | bytes | None) -> UUID | None:
    """SQLite hands over the bytes where a value is not a plain column."""
    return read_id(value) if isinstance(value, bytes) else value

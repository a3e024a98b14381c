"""What reports read: releases, defects and fixes of an entity, in a query or two, as narrow rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from shipmend.db.sql import Row, Statement
from shipmend.delivery.carrying import CARRIED_BY, RUN_OF_FIX, read_carrier
from shipmend.delivery.causes import COUNTED

_RELEASES = Statement(
    "SELECT released_at, id, repo_id, kind, status, commit_state, commit_number, release_sha, undone_by, name"
    " FROM delivery_release WHERE entity_id = ? AND environment = ? AND deleted_at IS NULL"
    " AND released_at >= ? AND released_at < ?"
    " ORDER BY released_at, COALESCE(commit_number, -1), release_sha, repo_id"
)
# Of the defects those that a window can have to do with: detected in it, or soon enough after it to blame a release of
# it; open in it, or resolved from then on, even by a fix that is dated long before the detection; caused by a release
# of it, as somebody said; or with a fix that one carried.
# The commits of those releases lie between two numbers of each stream, which spares looking at every other fix.
# Each comes with all its fixes but those rejected.
_DEFECTS = Statement(
    "WITH released AS (SELECT id FROM delivery_release WHERE entity_id = ? AND environment = ? AND deleted_at IS NULL"
    "  AND released_at >= ? AND released_at < ?),"
    " reach AS (SELECT run.stream_id, MIN(run.first) AS low, MAX(run.last) AS high"
    "  FROM released CROSS JOIN delivery_shippedrun run"
    "  WHERE run.entity_id = ? AND run.release_id = released.id GROUP BY run.stream_id)"
    " SELECT d.id, d.detected_at, d.resolved_at, d.repo_id, d.organization_id, d.severity, d.cause_standing,"
    " d.cause_release_id, c.id IS NOT NULL, d.defect_key, c.environment = ?"
    f"  AND (COALESCE(c.kind, ''), c.status, c.commit_state) IN (VALUES {COUNTED}),"
    f" f.released_at, f.id, f.repo_id, COALESCE(f.commit_number, -1), f.release_sha, {CARRIED_BY}"
    " FROM delivery_criticaldefect d"
    " LEFT JOIN delivery_release c"
    "  ON c.entity_id = d.entity_id AND c.id = d.cause_release_id AND c.deleted_at IS NULL"
    " LEFT JOIN delivery_defectfix f"
    "  ON f.entity_id = d.entity_id AND f.defect_id = d.id AND f.commit_state <> 'rejected'"
    f" {RUN_OF_FIX}"
    " WHERE d.entity_id = ? AND d.deleted_at IS NULL AND ("
    "  ((d.detected_at < ? OR d.resolved_at < ?)"
    "   AND (d.detected_at >= ? OR d.resolved_at IS NULL OR d.resolved_at >= ?))"
    "  OR (d.cause_release_id IS NOT NULL AND d.cause_release_id IN (SELECT id FROM released))"
    "  OR d.id IN (SELECT of_commit.defect_id"
    "   FROM reach CROSS JOIN delivery_stream s CROSS JOIN delivery_defectfix of_commit"
    "   WHERE s.entity_id = ? AND s.id = reach.stream_id AND of_commit.entity_id = s.entity_id"
    "    AND of_commit.repo_id = s.repo_id AND of_commit.commit_number BETWEEN reach.low AND reach.high"
    "   UNION ALL SELECT of_sha.defect_id FROM delivery_defectfix of_sha"
    "   WHERE of_sha.entity_id = ? AND of_sha.commit_number IS NULL AND of_sha.release_sha <> ''))"
)
_HOMES = Statement("SELECT id, organization_id FROM catalog_repo WHERE entity_id = ?")


@dataclass(frozen=True, slots=True)
class Stretch:
    """Releases of one environment from `start` up to and without `end`, and how much later they are still blamed."""

    entity_id: UUID
    environment: str
    start: int
    end: int
    reach: int
    """Seconds."""


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
    is_there: bool
    """Whether that release has not been deleted since."""
    key: str
    said_counts: bool
    """Whether that release counts as a deployment, to the environment of the stretch."""


class FixRecord(NamedTuple):
    """A fix as stored, with the release that carried it."""

    released_at: int | None
    """None while its commit, which is to give the time, has not been seen."""
    id: UUID
    defect_id: UUID
    repo_id: UUID
    organization_id: UUID
    commit_number: int
    """-1 where its commit is not known."""
    sha: str
    carried_by: UUID | None


def releases_around(stretch: Stretch) -> list[ReleaseRecord]:
    """The releases of a stretch, and those that what was detected in it may come from, as their streams order them."""
    first, last = stretch.start - stretch.reach, stretch.end + stretch.reach
    return [ReleaseRecord._make(row) for row in _RELEASES.rows(stretch.entity_id, stretch.environment, first, last)]


def defects_around(stretch: Stretch) -> tuple[list[DefectRecord], list[FixRecord]]:
    """The defects that a stretch can have to do with, in any order, and all fixes of these but those rejected.

    What carried each fix is true once the streams are up to date.
    """
    entity, environment, start, end = stretch.entity_id, stretch.environment, stretch.start, stretch.end
    of_releases = entity, environment, start, end, entity, *[environment] * 4
    of_defects = entity, end + stretch.reach, end, start, start, entity, entity
    rows = _DEFECTS.rows(*of_releases, *of_defects)
    homes: dict[UUID, UUID] = dict(_HOMES.rows(entity))
    defects = {row[0]: _defect(row, homes) for row in rows}
    return list(defects.values()), [_fix(row, homes) for row in rows if row[_FIX] is not None]


_FIX = 12
"""Where the id of a fix stands in a row."""


def _defect(row: Row, homes: Mapping[UUID, UUID]) -> DefectRecord:
    id_, detected_at, resolved_at, repo_id, organization_id, severity, standing, said, is_there, key, counts = row[:11]
    home = organization_id if repo_id is None else homes[repo_id]
    verdict = standing, said, bool(is_there), key, bool(counts)
    return DefectRecord(id_, detected_at, resolved_at, repo_id, home, severity, *verdict)


def _fix(row: Row, homes: Mapping[UUID, UUID]) -> FixRecord:
    released_at, id_, repo_id, number, sha, carried_by = row[11:]
    return FixRecord(released_at, id_, row[0], repo_id, homes[repo_id], number, sha, read_carrier(carried_by))

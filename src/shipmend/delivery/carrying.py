"""Which release carried a fix: one rule, asked by figures, by audits and by the pages of releases.

It is the first on its stream that contains the fix's commit. Of a fix without a known commit it is the first of the
same sha; where there is none, one that went live at the fix's very second: of several one that counts, and of those the
first as the stream orders them (core.streams). A release that never went live carries nothing.
"""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

from shipmend.catalog.queries import Tenant
from shipmend.core.changes import ChangedDefect
from shipmend.core.releases import Kind
from shipmend.db.fields import read_id
from shipmend.db.sql import Statement

_LIVE_THERE = (
    "SELECT same.id FROM delivery_release same"
    " WHERE same.entity_id = f.entity_id AND same.repo_id = f.repo_id AND same.environment = {environment}"
    " AND same.status = 'succeeded' AND same.commit_state IN ('known', 'unverified') AND same.deleted_at IS NULL"
)
# Of one sha there is one release in a second.
_CARRIED_BY = (
    "CASE WHEN f.commit_number IS NOT NULL THEN run.release_id ELSE COALESCE("
    f"({_LIVE_THERE} AND same.release_sha = f.release_sha AND f.release_sha <> '' ORDER BY same.released_at LIMIT 1),"
    f" ({_LIVE_THERE} AND same.released_at = f.released_at"
    f"  ORDER BY CASE WHEN same.kind = '{Kind.REDEPLOY}' THEN 1 ELSE 0 END, COALESCE(same.commit_number, -1),"
    "  same.release_sha LIMIT 1)) END"
)
_RUN_OF_FIX = (
    "LEFT JOIN delivery_stream s"
    " ON s.entity_id = f.entity_id AND s.repo_id = f.repo_id AND s.environment = {environment}"
    " LEFT JOIN delivery_shippedrun run ON run.entity_id = f.entity_id AND run.stream_id = s.id"
    " AND run.last >= f.commit_number AND run.first = (SELECT MAX(upto.first) FROM delivery_shippedrun upto"
    "  WHERE upto.entity_id = f.entity_id AND upto.stream_id = s.id AND upto.first <= f.commit_number)"
)
CARRIED_BY = _CARRIED_BY.format(environment="?")
"""The id of the release that carried a fix `f`, or null; the environment twice. True once the stream is up to date."""
RUN_OF_FIX = _RUN_OF_FIX.format(environment="?")
"""What that needs joined; the environment once."""

# The commits of the release lie between two numbers, which spares looking at every other fix. What carried the rest is
# told and no condition: PostgreSQL would work it out for every fix of the repo before it asked anything else.
_CARRIED = Statement(
    "WITH own AS (SELECT MIN(first) AS low, MAX(last) AS high FROM delivery_shippedrun"
    "  WHERE entity_id = ? AND release_id = ?)"
    " SELECT d.defect_key, d.description, d.detected_at, f.commit_number IS NOT NULL,"
    f" {_CARRIED_BY.format(environment='r.environment')}"
    " FROM delivery_release r CROSS JOIN own CROSS JOIN delivery_defectfix f"
    " JOIN delivery_criticaldefect d ON d.id = f.defect_id"
    f" {_RUN_OF_FIX.format(environment='r.environment')}"
    " WHERE r.entity_id = ? AND r.id = ? AND f.entity_id = r.entity_id AND f.repo_id = r.repo_id"
    " AND f.commit_state <> 'rejected' AND d.deleted_at IS NULL AND (f.commit_number BETWEEN own.low AND own.high"
    "  OR (f.commit_number IS NULL AND (f.release_sha = r.release_sha OR f.released_at = r.released_at)))"
    " ORDER BY d.detected_at, d.defect_key"
)


class CarriedFix(NamedTuple):
    """A fix that a release carried."""

    defect: ChangedDefect
    is_by_commit: bool
    """Whether its commit is known, so that the commits of the release tell of it."""


def fixes_carried_by(tenant: Tenant, release_id: UUID) -> list[CarriedFix]:
    """The fixes that a release carried. True once its stream is up to date."""
    rows = _CARRIED.rows(tenant.id, release_id, tenant.id, release_id)
    return [
        CarriedFix(ChangedDefect(*defect), bool(is_by_commit))
        for *defect, is_by_commit, carrier in rows
        if read_carrier(carrier) == release_id
    ]


def read_carrier(value: UUID | bytes | None) -> UUID | None:
    """What `CARRIED_BY` gave: SQLite hands over the bytes of an id that is not a plain column."""
    return read_id(value) if isinstance(value, bytes) else value

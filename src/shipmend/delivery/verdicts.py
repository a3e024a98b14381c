"""What people said of a defect, stored beside what was reported of it: the release to blame, and notes."""

from __future__ import annotations

from uuid import UUID

from shipmend.catalog.queries import Tenant
from shipmend.core.causes import Verdict
from shipmend.db.sql import Statement

_WRITE_VERDICT = Statement(
    "UPDATE delivery_criticaldefect SET cause_standing = ?, cause_release_id = ? WHERE entity_id = ? AND id = ?"
)
_READ_NOTES = Statement("SELECT notes FROM delivery_criticaldefect WHERE entity_id = ? AND id = ?")
_WRITE_NOTES = Statement("UPDATE delivery_criticaldefect SET notes = ? WHERE entity_id = ? AND id = ?")


def write_verdict(tenant: Tenant, defect_id: UUID, verdict: Verdict) -> None:
    """Store what somebody said of the cause."""
    _WRITE_VERDICT.run(verdict.standing, verdict.release_id, tenant.id, defect_id)


def read_notes(tenant: Tenant, defect_id: UUID) -> str:
    """The notes, in Markdown."""
    row = _READ_NOTES.row(tenant.id, defect_id)
    return str(row[0]) if row else ""


def write_notes(tenant: Tenant, defect_id: UUID, notes: str) -> None:
    """Store the notes."""
    _WRITE_NOTES.run(notes, tenant.id, defect_id)


def forget(tenant: Tenant, defect_id: UUID) -> None:
    """Drop all of it, of a deleted defect that is being recorded anew."""
    write_verdict(tenant, defect_id, Verdict())
    write_notes(tenant, defect_id, "")

"""What `settle` looks at: releases and fixes whose commit was pending, or taken unverified."""

from __future__ import annotations

from uuid import UUID

from shipmend.catalog.queries import Tenant
from shipmend.core.releases import CommitState, ReleaseCommit
from shipmend.db.sql import Statement

UNSETTLED = (CommitState.PENDING, CommitState.UNVERIFIED)
_UNSETTLED = f"commit_state IN ('{UNSETTLED[0]}', '{UNSETTLED[1]}')"
_RELEASES = Statement(
    "SELECT id, release_sha, commit_state, updated_at FROM delivery_release"
    f" WHERE entity_id = ? AND repo_id = ? AND {_UNSETTLED} AND deleted_at IS NULL"
)
_FIXES = Statement(
    "SELECT f.id, f.release_sha, f.commit_state, d.defect_key, f.created_at"
    " FROM delivery_defectfix f JOIN delivery_criticaldefect d ON d.id = f.defect_id"
    f" WHERE f.entity_id = ? AND f.repo_id = ? AND f.{_UNSETTLED}"
)


def unsettled_releases(tenant: Tenant, repo_id: UUID) -> list[tuple[UUID, ReleaseCommit, int]]:
    """(release id, its commit, since when) of a repo."""
    rows = _RELEASES.rows(tenant.id, repo_id)
    return [(release_id, ReleaseCommit(sha, CommitState(state)), since) for release_id, sha, state, since in rows]


def unsettled_fixes(tenant: Tenant, repo_id: UUID) -> list[tuple[UUID, ReleaseCommit, str, int]]:
    """(fix id, its commit, defect key, since when) of a repo."""
    rows = _FIXES.rows(tenant.id, repo_id)
    return [(fix_id, ReleaseCommit(sha, CommitState(state)), key, since) for fix_id, sha, state, key, since in rows]

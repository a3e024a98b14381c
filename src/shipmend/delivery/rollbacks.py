"""Which releases of a stream were undone by a rollback, kept beside each release."""

from __future__ import annotations

from functools import partial
from uuid import UUID

from shipmend.core.ancestry import Parents, is_ancestor
from shipmend.core.releases import Kind
from shipmend.core.rollbacks import LiveRelease, undone
from shipmend.db.sql import Statement

_LIVE_ON = (
    "FROM delivery_release WHERE entity_id = ? AND repo_id = ? AND environment = ? AND deleted_at IS NULL"
    " AND status = 'succeeded' AND commit_state = 'known' AND released_at IS NOT NULL"
)
_IS_CONCERNED = Statement(f"SELECT 1 {_LIVE_ON} AND (kind = 'rollback' OR undone_by IS NOT NULL) LIMIT 1")
_LIVE = Statement(f"SELECT id, commit_number, kind, undone_by {_LIVE_ON} ORDER BY released_at, commit_number")
_MARK = Statement("UPDATE delivery_release SET undone_by = ? WHERE entity_id = ? AND id = ?")


def mark_undone(entity_id: UUID, repo_id: UUID, environment: str, parents: Parents) -> None:
    """Set right what each release of a stream was undone by; inside write()."""
    stream = entity_id, repo_id, environment
    if _IS_CONCERNED.row(*stream) is None:
        return
    rows = _LIVE.rows(*stream)
    releases = [LiveRelease(release_id, number, Kind(kind) if kind else None) for release_id, number, kind, _ in rows]
    found = undone(releases, partial(is_ancestor, parents))
    changed = [(found.get(id_), entity_id, id_) for id_, _, _, before in rows if found.get(id_) != before]
    _MARK.run_many(changed)

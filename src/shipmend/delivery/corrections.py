"""The verbs that set a defect right: its notes, and fixes that were entered wrongly.

A wrong detection is corrected, and a defect resolved, by the report that says so: `actions.defect_work`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from uuid import UUID

from shipmend.audit import trail
from shipmend.audit.trail import Actor
from shipmend.catalog.queries import Place, Tenant
from shipmend.core import corrections
from shipmend.core.defects import Defect, Fix, FixReport
from shipmend.core.errors import Invalid
from shipmend.core.releases import Action, FieldChange
from shipmend.core.values import ResourcePath
from shipmend.delivery import store, verdicts
from shipmend.delivery.actions import RecordedDefect, looked_up_fix, owned_defect
from shipmend.delivery.commits import CommitFinder

NOTES_CHARACTERS = 50_000


def set_notes(*, tenant: Tenant, key: str, notes: str, reach: ResourcePath, actor: Actor) -> RecordedDefect:
    """Write what people know of a defect, in Markdown; inside write(). Raises NotFound, Forbidden and Invalid."""
    if len(notes) > NOTES_CHARACTERS:
        raise Invalid("notes", f"has {len(notes)} characters", value=notes, mend=f"give at most {NOTES_CHARACTERS}")
    defect = owned_defect(tenant, key, reach)
    before = verdicts.read_notes(tenant, defect.id)
    if before == notes:
        return RecordedDefect(defect, Action.UNCHANGED)
    verdicts.write_notes(tenant, defect.id, notes)
    change = FieldChange("notes", before, notes)
    trail.record(tenant.id, actor, "defect_notes_changed", key, subject_id=defect.id, changes=[change])
    return RecordedDefect(defect, Action.UPDATED)


def correct_fix_work(
    *, place: Place, key: str, fix_id: UUID, said: FixReport, reach: ResourcePath, actor: Actor, now: int
) -> Callable[[], RecordedDefect]:
    """The work that writes a fix over its old self, in the repo at `place`.

    Raises Invalid; the work raises it, too, and NotFound.
    """
    wanted = replace(looked_up_fix(CommitFinder(), place, said, now=now), id=fix_id)
    return lambda: _correct_fix(place.tenant, key, wanted, reach, actor, now)


def _correct_fix(tenant: Tenant, key: str, wanted: Fix, reach: ResourcePath, actor: Actor, now: int) -> RecordedDefect:
    before = owned_defect(tenant, key, reach)
    stored = corrections.fix_of(before, wanted.id)
    after = corrections.correct_fix(before, wanted)
    if after is before:
        return RecordedDefect(before, Action.UNCHANGED)
    # As a new row, since what waits for its commit waits from now on.
    store.forget_fix(tenant, wanted.id)
    store.write_fix(tenant, before.id, wanted, is_new=True, now=now)
    return _fixes_changed(tenant, actor, "fix_corrected", before, after, FieldChange("fix", str(stored), str(wanted)))


def remove_fix(*, tenant: Tenant, key: str, fix_id: UUID, reach: ResourcePath, actor: Actor) -> RecordedDefect:
    """Take back a fix that was entered wrongly; inside write(). Raises NotFound and Forbidden."""
    before = owned_defect(tenant, key, reach)
    gone = corrections.fix_of(before, fix_id)
    after = corrections.remove_fix(before, fix_id)
    store.forget_fix(tenant, fix_id)
    return _fixes_changed(tenant, actor, "fix_removed", before, after, FieldChange("fix", str(gone), None))


def _fixes_changed(
    tenant: Tenant, actor: Actor, action: str, before: Defect, after: Defect, change: FieldChange
) -> RecordedDefect:
    store.resolve_defect(tenant, after)
    changes = [change]
    if before.resolved_at != after.resolved_at:
        changes.append(FieldChange("resolved_at", before.resolved_at, after.resolved_at))
    trail.record(tenant.id, actor, action, after.key, subject_id=after.id, changes=changes)
    return RecordedDefect(after, Action.UPDATED)

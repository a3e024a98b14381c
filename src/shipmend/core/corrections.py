"""Setting right what was said wrongly of a defect's fixes."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from shipmend.core.defects import Defect, Fix, check_time, is_same_fix, told_better, with_fix
from shipmend.core.errors import Invalid, NotFound


def fix_of(defect: Defect, fix_id: UUID) -> Fix:
    """A fix of the defect. Raises NotFound for one that was removed in the meantime."""
    found = next((fix for fix in defect.fixes if fix.id == fix_id), None)
    if found is None:
        raise NotFound(f'The defect "{defect.key}" has no such fix; perhaps it was removed a moment ago.')
    return found


def correct_fix(before: Defect, fix: Fix) -> Defect:
    """The defect with a fix written over its old self; itself when that says the same in other words.

    Raises NotFound, and Invalid naming what can't be so.
    """
    if _meaning(fix_of(before, fix.id)) == _meaning(fix):
        return before
    if _has_twin(before, fix):
        parameter, value = ("fix_released_sha", fix.sha) if fix.sha else ("fix_released_at", str(fix.released))
        because = f"is that of another fix of this defect in {fix.path}"
        raise Invalid(parameter, because, value=value, mend="remove one of them")
    check_time(fix, before.detected)
    return replace(before, fixes=with_fix(before.fixes, fix))


def remove_fix(before: Defect, fix_id: UUID) -> Defect:
    """The defect without a fix: open again if that was the only one. Raises NotFound."""
    gone = fix_of(before, fix_id)
    return replace(before, fixes=tuple(fix for fix in before.fixes if fix != gone))


def _has_twin(defect: Defect, fix: Fix) -> bool:
    """Whether another fix of the defect speaks of the same: one commit of a repo, or one time."""
    here = (other for other in defect.fixes if other.id != fix.id and other.repo_id == fix.repo_id)
    return any(is_same_fix(other, fix) for other in here) or bool(told_better(defect.fixes, fix))


def _meaning(fix: Fix) -> tuple[object, ...]:
    return fix.repo_id, fix.sha, _epoch(fix), fix.time_from_commit


def _epoch(fix: Fix) -> int | None:
    return fix.released.epoch if fix.released else None

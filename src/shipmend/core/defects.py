"""What a critical defect is, and what one more report of it changes.

A defect is keyed by the caller and open until its latest fix, over all repos, has been released. The rules are
the contract's: detection creates, any call may add a fix, a fix names a repo, and nothing is merged by guess.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from uuid import UUID

from shipmend.core.errors import Invalid
from shipmend.core.moments import Moment, iso
from shipmend.core.releases import Action, CommitState, FieldChange, Instant, ReleaseCommit, field_changes
from shipmend.core.values import ResourcePath, Sha


class DefectState(StrEnum):
    """A defect is open until its latest fix has been released."""

    OPEN = "open"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True)
class FixReport:
    """What a caller says of a fix: at least one of the three."""

    sha: Sha | None
    released_at: Moment | None
    released_now: bool


@dataclass(frozen=True, slots=True)
class DefectReport:
    """What a caller says of a defect; None is a field not sent."""

    key: str
    path: ResourcePath
    detected_at: Moment | None = None
    detected_now: bool = False
    description: str | None = None
    severity: int | None = None
    fix: FixReport | None = None


@dataclass(frozen=True, slots=True)
class Fix:
    """A fix as stored. `released` is None only while a pending commit is to give the time."""

    id: UUID
    path: ResourcePath
    repo_id: UUID
    commit: ReleaseCommit | None
    released: Instant | None
    time_from_commit: bool = False

    @property
    def sha(self) -> str:
        """The commit that carried it, or the empty string."""
        return self.commit.sha if self.commit else ""

    @property
    def is_rejected(self) -> bool:
        """Whether its commit turned out not to exist."""
        return self.commit is not None and self.commit.state is CommitState.REJECTED


@dataclass(frozen=True, slots=True)
class Defect:
    """A defect as stored, with its fixes."""

    id: UUID
    key: str
    path: ResourcePath
    detected: Instant
    description: str = ""
    severity: int | None = None
    fixes: tuple[Fix, ...] = ()

    @property
    def resolved_at(self) -> int | None:
        """Epoch seconds of the latest fix over all repos (the contract's rule); None while open."""
        return resolved_at(self.fixes)


@dataclass(frozen=True, slots=True)
class DefectChange:
    """What to write: the defect as it shall stand, and what of it is new."""

    action: Action
    after: Defect
    changes: tuple[FieldChange, ...] = ()
    fix: Fix | None = None
    """The fix to insert, or to write over its old self."""
    fix_is_new: bool = False
    warnings: tuple[str, ...] = ()


def resolved_at(fixes: tuple[Fix, ...]) -> int | None:
    """Epoch seconds of the latest fix that has a time and was not rejected; None when there is none."""
    times = [fix.released.epoch for fix in fixes if fix.released and not fix.is_rejected]
    return max(times, default=None)


def check_report(report: DefectReport) -> None:
    """Refuse a report that no state could accept. Raises Invalid."""
    if report.fix is not None and report.path.level != "repo":
        raise Invalid(
            "resource_path",
            f"names an {report.path.level}, and a fix is released in a repo",
            value=str(report.path),
            mend="give entity/organization/repo, or leave out fix_released_at, fix_released_now and fix_released_sha",
        )


def decide_defect(
    before: Defect | None, report: DefectReport, fix: Fix | None, *, new_id: UUID, now: Instant
) -> DefectChange:
    """What a report changes. `fix` is the report's fix with its commit looked up; `now` is the call's arrival.

    Only the fields that were sent change, and the same report again changes nothing. Raises Invalid.
    """
    defect = _updated(before, report) if before else _created(report, new_id=new_id, now=now)
    placed, fix_is_new = _place_fix(defect.fixes, fix, report.fix)
    after = replace(defect, fixes=_with(defect.fixes, placed))
    _check_order(after, report, placed)
    changes = field_changes(before, after) if before else ()
    action = Action.CREATED if before is None else Action.UPDATED if changes else Action.UNCHANGED
    return DefectChange(action, after, changes, placed, fix_is_new, _warnings(after, placed))


def _created(report: DefectReport, *, new_id: UUID, now: Instant) -> Defect:
    if report.detected_at is not None:
        detected = Instant.of(report.detected_at)
    elif report.detected_now:
        detected = now
    else:
        raise Invalid(
            "detected_at",
            f"is missing, and no defect {report.key!r} has been recorded yet",
            mend="give detected_at, or detected_now=true, to record it",
        )
    return Defect(new_id, report.key, report.path, detected, report.description or "", report.severity)


def _updated(before: Defect, report: DefectReport) -> Defect:
    # A call that carries a fix names the repo of the fix; one without says where the defect itself is.
    return replace(
        before,
        path=before.path if report.fix else report.path,
        detected=_moved(before.detected, report.detected_at),
        description=before.description if report.description is None else report.description,
        severity=before.severity if report.severity is None else report.severity,
    )


def _moved(stored: Instant, said: Moment | None) -> Instant:
    """The instant said, unless it is the stored one in other words."""
    return stored if said is None or said.epoch == stored.epoch else Instant.of(said)


def _place_fix(fixes: tuple[Fix, ...], fix: Fix | None, said: FixReport | None) -> tuple[Fix | None, bool]:
    """The fix to write and whether it is a new one; (None, False) when it is already stored as said."""
    if fix is None or said is None:
        return None, False
    stored = _same_fix(fixes, fix)
    if stored is None:
        return fix, True
    after = stored
    if said.released_at is not None and (stored.time_from_commit or _epoch(fix) != _epoch(stored)):
        after = replace(after, released=fix.released, time_from_commit=False)
    if not stored.sha and fix.sha:
        after = replace(after, commit=fix.commit)
    return (None, False) if after == stored else (after, False)


def _same_fix(fixes: tuple[Fix, ...], fix: Fix) -> Fix | None:
    """The stored fix that `fix` speaks of: same repo and commit, else same repo and time with a commit missing."""
    here = [stored for stored in fixes if stored.repo_id == fix.repo_id]
    if fix.sha:
        named = [stored for stored in here if stored.sha == fix.sha]
        if named:
            return named[0]
        here = [stored for stored in here if not stored.sha]
    return next((stored for stored in here if _epoch(stored) is not None and _epoch(stored) == _epoch(fix)), None)


def _with(fixes: tuple[Fix, ...], placed: Fix | None) -> tuple[Fix, ...]:
    if placed is None:
        return fixes
    others = [fix for fix in fixes if fix.id != placed.id]
    return tuple(sorted([*others, placed], key=_fix_order))


def _fix_order(fix: Fix) -> tuple[bool, int, str, str]:
    epoch = _epoch(fix)
    return (epoch is None, epoch or 0, str(fix.path), fix.sha)


def _check_order(after: Defect, report: DefectReport, placed: Fix | None) -> None:
    """A fix whose time was given can't precede the detection. Raises Invalid naming what the call sent."""
    for fix in after.fixes:
        epoch = _epoch(fix)
        if epoch is None or fix.time_from_commit or epoch >= after.detected.epoch:
            continue
        if fix is placed:
            raise Invalid(
                "fix_released_at",
                f"lies before the detection at {iso(after.detected.epoch)}",
                value=fix.released.text or iso(epoch) if fix.released else None,
                mend="give a time at or after it, or correct detected_at first",
            )
        raise Invalid(
            "detected_at",
            f"lies after the fix released in {fix.path} at {iso(epoch)}",
            value=report.detected_at.text if report.detected_at else None,
            mend="give a time at or before that fix",
        )


def _warnings(after: Defect, placed: Fix | None) -> tuple[str, ...]:
    if placed is None:
        return ()
    said: list[str] = []
    epoch = _epoch(placed)
    if epoch is not None and epoch < after.detected.epoch:
        said.append(
            f"The fix commit was authored at {iso(epoch)}, before the detection at {iso(after.detected.epoch)}: "
            "the fix is kept and left out of the averages. Give fix_released_at to say when it was released."
        )
    if placed.commit and placed.commit.state is CommitState.PENDING:
        said.append("The fix commit has not been seen yet; the fix counts once the repo has been fetched.")
    if placed.commit and placed.commit.state is CommitState.UNVERIFIED:
        said.append(f"fix_released_sha {placed.sha} could not be verified, because this repo has no git remote.")
    return tuple(said)


def _epoch(fix: Fix) -> int | None:
    return fix.released.epoch if fix.released else None

"""What a critical defect is, and what one more report of it changes.

A defect is keyed by the caller and open until its latest fix, over all repos, has been released. The rules are
the contract's: detection creates, any call may add a fix, a fix names a repo, and nothing is merged by guess.
"""

from __future__ import annotations

from collections.abc import Iterable
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
    def is_pending(self) -> bool:
        """Whether its commit has not been seen yet."""
        return self.commit is not None and self.commit.state is CommitState.PENDING

    @property
    def is_rejected(self) -> bool:
        """Whether its commit turned out not to exist."""
        return self.commit is not None and self.commit.state is CommitState.REJECTED

    def __str__(self) -> str:
        words = (str(self.path), str(self.released) if self.released else "time not known yet", self.sha[:12])
        return " ".join(word for word in words if word)


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
    told_better: tuple[Fix, ...] = ()
    """Fixes to drop, because `fix` speaks of the same and says more."""
    spoken_of: Fix | None = None
    """The report's own fix as it shall stand, whether or not it is to be written."""
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
    before: Defect | None,
    report: DefectReport,
    fix: Fix | None,
    *,
    new_id: UUID,
    now: Instant,
    is_foreign: bool = False,
) -> DefectChange:
    """What a report changes. `fix` is the report's fix with its commit looked up; `now` is the call's arrival.

    Only the fields that were sent change, and the same report again changes nothing. Of a foreign defect neither a
    refusal nor a warning tells more than the caller said. Raises Invalid.
    """
    defect = _updated(before, report) if before else _created(report, new_id=new_id, now=now)
    spoken_of = _place_fix(defect.fixes, fix, report.fix) if fix and report.fix else None
    placed = None if spoken_of in defect.fixes else spoken_of
    told = told_better(defect.fixes, placed) if placed else ()
    after = replace(defect, fixes=with_fix([each for each in defect.fixes if each not in told], placed))
    _check_order(after, report, placed, is_foreign=is_foreign)
    changes = field_changes(before, after) if before else ()
    return DefectChange(
        action=Action.CREATED if before is None else Action.UPDATED if changes else Action.UNCHANGED,
        after=after,
        changes=changes,
        fix=placed,
        fix_is_new=placed is not None and all(each.id != placed.id for each in defect.fixes),
        told_better=told,
        spoken_of=spoken_of,
        warnings=_warnings(after, spoken_of, is_foreign=is_foreign),
    )


def told_better(fixes: tuple[Fix, ...], fix: Fix) -> tuple[Fix, ...]:
    """Those of the `fixes` that `fix` makes needless.

    Its commit may have been refused before; and what was known by a time alone is the fix that was then said to have
    been released at that time by a commit that is there.
    """
    here = [each for each in fixes if each.repo_id == fix.repo_id and each.id != fix.id]
    return tuple(each for each in here if (each.is_rejected and _is_of(each, fix)) or _is_named(fix, each))


def _is_named(named: Fix, timed: Fix) -> bool:
    """Whether `named` is the fix that `timed` knows by its time alone."""
    was_seen = bool(named.sha) and not named.is_rejected and not named.is_pending
    return was_seen and not timed.sha and not named.time_from_commit and _epoch(named) == _epoch(timed)


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


def _place_fix(fixes: tuple[Fix, ...], fix: Fix, said: FixReport) -> Fix:
    """The fix as it shall stand: one of the `fixes` when it is stored already as said."""
    stored = next((each for each in fixes if each.repo_id == fix.repo_id and is_same_fix(each, fix)), None)
    if stored is None:
        return fix
    if stored.is_rejected:
        # Asked for anew: it waits from now on, or has turned up. A time that was given for it still holds.
        return fix if not fix.time_from_commit or stored.time_from_commit else _timed_as(stored, fix)
    after = stored
    if stored.commit and fix.commit:
        after = replace(stored, commit=stored.commit.better_known(fix.commit))
    return _timed_as(fix, after) if _says_when(stored, fix, said) else after


def _says_when(stored: Fix, fix: Fix, said: FixReport) -> bool:
    """Whether the report's time counts for more than the stored one. Now never moves a time that was given."""
    if stored.released is None or stored.time_from_commit:
        return not fix.time_from_commit or stored.released is None
    return said.released_at is not None and _epoch(fix) != _epoch(stored)


def _timed_as(told: Fix, fix: Fix) -> Fix:
    return replace(fix, released=told.released, time_from_commit=told.time_from_commit)


def is_same_fix(stored: Fix, fix: Fix) -> bool:
    """Whether both, of one repo, speak of one fix: of one commit, or of one time where no commit is given."""
    if fix.sha:
        return _is_of(stored, fix)
    return _is_named(stored, fix) or (not stored.sha and _epoch(stored) == _epoch(fix))


def _is_of(stored: Fix, fix: Fix) -> bool:
    """Whether both name one commit."""
    return stored.commit is not None and fix.commit is not None and stored.commit.may_be(fix.commit)


def with_fix(fixes: Iterable[Fix], placed: Fix | None) -> tuple[Fix, ...]:
    """The fixes, earliest first, with one more or with one over its old self; None: as they are."""
    others = [fix for fix in fixes if placed is None or fix.id != placed.id]
    return tuple(sorted([*others, placed] if placed else others, key=_fix_order))


def _fix_order(fix: Fix) -> tuple[bool, int, str, str]:
    epoch = _epoch(fix)
    return (epoch is None, epoch or 0, str(fix.path), fix.sha)


def _check_order(after: Defect, report: DefectReport, placed: Fix | None, *, is_foreign: bool) -> None:
    """A fix whose time was given can't precede the detection. Raises Invalid naming what the call sent."""
    for fix in after.fixes:
        if fix is placed:
            check_time(fix, after.detected, is_foreign=is_foreign)
        elif not is_foreign and _is_too_early(fix, after.detected):
            raise Invalid(
                "detected_at",
                f"lies after the fix released in {fix.path} at {fix.released}",
                value=report.detected_at.text if report.detected_at else None,
                mend="give a time at or before that fix",
            )


def check_time(fix: Fix, detected: Instant, *, is_foreign: bool = False) -> None:
    """Refuse a fix whose time was given and lies before the detection. Raises Invalid."""
    if _is_too_early(fix, detected):
        raise Invalid(
            "fix_released_at",
            "lies before the detection" if is_foreign else f"lies before the detection at {detected}",
            value=fix.released.text or str(fix.released) if fix.released else None,
            mend="give a later time" if is_foreign else "give a time at or after it, or correct detected_at first",
        )


def _is_too_early(fix: Fix, detected: Instant) -> bool:
    if fix.released is None or fix.is_rejected or fix.time_from_commit:
        return False
    return fix.released.epoch < detected.epoch


def _warnings(after: Defect, fix: Fix | None, *, is_foreign: bool) -> tuple[str, ...]:
    if fix is None:
        return ()
    said: list[str] = []
    epoch = _epoch(fix)
    if epoch is not None and epoch < after.detected.epoch:
        detection = "the detection" if is_foreign else f"the detection at {iso(after.detected.epoch)}"
        said.append(
            f"The fix commit was authored at {iso(epoch)}, before {detection}: "
            "the fix is kept and left out of the averages. Give fix_released_at to say when it was released."
        )
    if fix.is_pending:
        said.append("The fix commit has not been seen yet; the fix counts once the repo has been fetched.")
    if fix.commit and fix.commit.state is CommitState.UNVERIFIED:
        said.append(f"fix_released_sha {fix.sha} could not be verified, because this repo has no git remote.")
    return tuple(said)


def _epoch(fix: Fix) -> int | None:
    return fix.released.epoch if fix.released else None

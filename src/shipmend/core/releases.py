"""What a release is, and what one more report of it changes.

A release is an event on a stream (a repo in an environment): this commit went live at this instant. It is
identified by stream, release commit and instant, to the second, and never merged with another by guess.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID
from zoneinfo import ZoneInfo

from shipmend.core.errors import Invalid
from shipmend.core.moments import Moment, Precision, iso
from shipmend.core.values import ResourcePath, Sha

DAY = 24 * 3600


class Status(StrEnum):
    """How a release ended. Only a succeeded one changes what is live."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Kind(StrEnum):
    """What a release did to what was live before it on its stream."""

    BASELINE = "baseline"
    FORWARD = "forward"
    ROLLBACK = "rollback"
    DIVERGED = "diverged"
    REDEPLOY = "redeploy"


class CommitState(StrEnum):
    """What is known of a release commit."""

    KNOWN = "known"
    PENDING = "pending"
    UNVERIFIED = "unverified"
    """The repo has no remote to look it up in."""
    REJECTED = "rejected"
    """Accepted as pending, then not found on the remote."""


SETTLED = frozenset({CommitState.KNOWN, CommitState.UNVERIFIED})
"""Of a commit: it is known, or can't be verified for want of a remote."""


class Action(StrEnum):
    """What a call did to the stored thing."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    DELETED = "deleted"


class Relation(StrEnum):
    """How a commit stands to an earlier one."""

    SAME = "same"
    DESCENDANT = "descendant"
    ANCESTOR = "ancestor"
    APART = "apart"


@dataclass(frozen=True, slots=True)
class ReleaseReport:
    """What a caller says of a release; None is a field not sent."""

    path: ResourcePath
    sha: Sha | None
    released_at: Moment | None
    release_now: bool
    environment: str
    name: str | None = None
    status: Status | None = None
    issue_keys: tuple[str, ...] | None = None

    @property
    def is_timed(self) -> bool:
        """Whether it says when; otherwise its commit does."""
        return self.released_at is not None or self.release_now


@dataclass(frozen=True, slots=True)
class ReleaseCommit:
    """The release commit as far as it is known: `number` is its place in the repo's history."""

    sha: str
    state: CommitState
    number: int | None = None
    authored_at: int | None = None
    committed_at: int | None = None
    from_time: bool = False

    def may_be(self, other: ReleaseCommit) -> bool:
        """Whether `other` may be the commit this one speaks of: the same, or one that its caller abbreviated.

        Only one that has been seen can be told from an abbreviation of another.
        """
        was_seen = self.state not in (CommitState.PENDING, CommitState.REJECTED)
        if was_seen or other.state is not CommitState.KNOWN or not self.sha:
            return other.sha == self.sha
        return other.sha.startswith(self.sha)

    def better_known(self, seen: ReleaseCommit) -> ReleaseCommit:
        """What is known once a call that speaks of this commit has looked for it again and `seen` this.

        One that was not seen, or could not be verified, may have turned up; one that was refused is waited for again.
        """
        is_new = seen.state is CommitState.KNOWN and self.state is not CommitState.KNOWN
        return seen if is_new or self.state is CommitState.REJECTED else self


@dataclass(frozen=True, slots=True)
class Instant:
    """A time for storing: epoch seconds, the caller's text if any, and the offset it was read with."""

    epoch: int
    text: str = ""
    offset: int = 0

    @classmethod
    def of(cls, moment: Moment) -> Instant:
        """The instant of a date the caller wrote."""
        return cls(moment.epoch, moment.text, moment.offset)

    @classmethod
    def at(cls, epoch: int, zone: ZoneInfo) -> Instant:
        """An instant nobody wrote down, on the wall clock of `zone`."""
        offset = datetime.fromtimestamp(epoch, zone).utcoffset() or timedelta(0)
        return cls(epoch, "", int(offset.total_seconds()))

    def moment(self) -> Moment:
        """The same as a moment, for showing its wall clock."""
        return Moment(self.epoch, self.offset, self.text, "stored", Precision.SECOND)

    def __str__(self) -> str:
        return iso(self.epoch)


@dataclass(frozen=True, slots=True)
class Release:
    """A release as stored. `released` is None only while a pending commit is to give the time."""

    id: UUID
    environment: str
    commit: ReleaseCommit
    released: Instant | None
    name: str = ""
    status: Status = Status.SUCCEEDED
    issue_keys: tuple[str, ...] = ()
    kind: Kind | None = None
    rule: UUID | None = None
    """The tracking rule that made it; None once a person or a call has spoken of it."""


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field's value before and after, for the audit trail."""

    field: str
    before: object
    after: object


@dataclass(frozen=True, slots=True)
class ReleaseChange:
    """What to write: the release as it shall stand, and what of it is new."""

    action: Action
    after: Release
    changes: tuple[FieldChange, ...] = ()


def check_report(report: ReleaseReport, *, has_remote: bool) -> None:
    """Refuse a report that no history could make whole. Raises Invalid."""
    if report.sha is None and not report.is_timed:
        raise Invalid(
            "released_at",
            "is missing, and so are release_now, release_sha and head_long",
            mend="give at least one of them",
        )
    if not has_remote:
        _check_without_history(report)


def _check_without_history(report: ReleaseReport) -> None:
    mend = "give it, or register the repo's git address so that Shipmend can look it up"
    if report.sha is None:
        raise Invalid("release_sha", "is needed, because this repo has no git remote to find the commit in", mend=mend)
    check_whole(report.sha, parameter="release_sha")
    if not report.is_timed:
        raise Invalid("released_at", "is needed, because this repo has no git remote to take it from", mend=mend)


def check_whole(sha: Sha, *, parameter: str) -> None:
    """Refuse an abbreviation that no history can complete. Raises Invalid naming `parameter`."""
    if not sha.is_whole:
        raise Invalid(
            parameter,
            "is abbreviated, and this repo has no git remote to complete it from",
            value=sha.digits,
            mend="give all 40 digits, or register the repo's git address",
        )


def release_instant(report: ReleaseReport, commit: ReleaseCommit, *, now: int, zone: ZoneInfo) -> Instant | None:
    """When the release happened: as given, now, or the commit's authorship stamp (the contract's order).

    None while that commit has not been seen. Raises Invalid when its stamp can't serve.
    """
    if report.released_at is not None:
        return Instant.of(report.released_at)
    if report.release_now:
        return Instant.at(now, zone)
    if commit.state is CommitState.PENDING:
        return None
    return authorship(commit, now=now, zone=zone, mend="give released_at")


def authorship(
    commit: ReleaseCommit, *, now: int, zone: ZoneInfo, mend: str, parameter: str = "release_sha"
) -> Instant:
    """The commit's authorship stamp as an instant. Raises Invalid when it is absent, absurd or in the future."""
    if commit.authored_at is None:
        raise Invalid(parameter, "has no usable authorship time", value=commit.sha, mend=mend)
    if commit.authored_at > now + DAY:
        raise Invalid(parameter, "is a commit authored in the future", value=commit.sha, mend=mend)
    return Instant.at(commit.authored_at, zone)


def is_same_event(stored: Release, wanted: Release) -> bool:
    """Whether both speak of one event on their stream.

    A call that names no commit stays the same call although its instant may by now lead to another commit; one that
    gives no time, although its commit has by now been seen and gives one.
    """
    if stored.environment != wanted.environment:
        return False
    if stored.released is not None and stored.released.epoch != _epoch(wanted):
        return False
    if wanted.commit.from_time and stored.commit.from_time:
        return True
    return stored.commit.may_be(wanted.commit)


def decide_release(stored: Release | None, wanted: Release, report: ReleaseReport) -> ReleaseChange:
    """What a report changes. `stored` is the same event if it was reported before (and not deleted since).

    Only the fields that were sent change; the same report again changes nothing.
    """
    if stored is None:
        return ReleaseChange(Action.CREATED, wanted)
    after = replace(
        stored,
        commit=stored.commit.better_known(wanted.commit),
        released=stored.released or wanted.released,
        name=stored.name if report.name is None else report.name,
        status=stored.status if report.status is None else report.status,
        issue_keys=stored.issue_keys if report.issue_keys is None else report.issue_keys,
        rule=None,
    )
    changes = field_changes(stored, after)
    return ReleaseChange(Action.UPDATED if changes else Action.UNCHANGED, after, changes)


def is_live(release: Release) -> bool:
    """Whether the release took part in what is live: succeeded, with a time and a commit that was not refused."""
    return release.commit.state in SETTLED and release.status is Status.SUCCEEDED and release.released is not None


def field_changes(before: object, after: object) -> tuple[FieldChange, ...]:
    """The fields in which two values of one dataclass differ."""
    return tuple(
        FieldChange(field.name, getattr(before, field.name), getattr(after, field.name))
        for field in fields(after)  # type: ignore[arg-type]  # callers pass two values of one dataclass
        if getattr(before, field.name) != getattr(after, field.name)
    )


def derive_kind(
    commit: ReleaseCommit | None, previous: ReleaseCommit | None, relate: Callable[[int, int], Relation]
) -> Kind | None:
    """What a live release of `commit` does after `previous`, the live release before it on its stream.

    `relate(earlier, later)` tells how the later commit stands to the earlier. None where no history can tell,
    and for a release that never went live (`commit` None).
    """
    if commit is None:
        return None
    if previous is None:
        return Kind.BASELINE
    if commit.sha == previous.sha:
        return Kind.REDEPLOY
    if commit.number is None or previous.number is None:
        return None
    return _KIND_OF[relate(previous.number, commit.number)]


_KIND_OF = {
    Relation.SAME: Kind.REDEPLOY,
    Relation.DESCENDANT: Kind.FORWARD,
    Relation.ANCESTOR: Kind.ROLLBACK,
    Relation.APART: Kind.DIVERGED,
}


def warnings_about(release: Release) -> tuple[str, ...]:
    """What the caller should know though the release was stored."""
    said: list[str] = []
    commit = release.commit
    if commit.state is CommitState.UNVERIFIED:
        said.append(f"release_sha {commit.sha} could not be verified, because this repo has no git remote.")
    if commit.state is CommitState.PENDING:
        said.append("The commit has not been seen yet; the release takes effect once the repo has been fetched.")
    if release.released and commit.authored_at is not None and release.released.epoch < commit.authored_at:
        said.append("released_at lies before the release commit was authored; such commits are left out of lead time.")
    return tuple(said)


def _epoch(release: Release) -> int | None:
    return release.released.epoch if release.released else None

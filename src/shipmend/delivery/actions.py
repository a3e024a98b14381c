"""The verbs of delivery: record and delete releases and defects.

What a report speaks of is looked up first (this may fetch, and wait a few seconds). What is left is work for write():
one short transaction that reads the state, lets `core` decide, and stores the change.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from shipmend.audit import trail
from shipmend.audit.trail import Actor
from shipmend.catalog.queries import Place, RepoRef, Tenant, find_place, repo_by_id
from shipmend.core import defects, releases
from shipmend.core.defects import Defect, DefectReport, Fix, FixReport
from shipmend.core.errors import Forbidden, Invalid, NotFound
from shipmend.core.releases import (
    Action,
    CommitState,
    FieldChange,
    Instant,
    Release,
    ReleaseCommit,
    ReleaseReport,
    Status,
)
from shipmend.core.streams import SeenRelease
from shipmend.core.values import ResourcePath
from shipmend.db.ids import new_id
from shipmend.delivery import store, verdicts
from shipmend.delivery.commits import CommitFinder
from shipmend.delivery.streams import StreamWriter, title


@dataclass(frozen=True, slots=True)
class RecordedRelease:
    """A release as it now stands, and what the call did to it."""

    release: Release
    path: ResourcePath
    action: Action
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RecordedDefect:
    """A defect as it now stands, and what the call did to it."""

    defect: Defect
    action: Action
    warnings: tuple[str, ...] = ()
    fix: Fix | None = None
    """The one that the call speaks of."""
    fixes_to_tell: tuple[Fix, ...] | None = None
    """For a caller whose reach does not hold the defect itself: all that is to be told of it, beside its key."""

    @property
    def is_pending(self) -> bool:
        """Whether the fix that the call speaks of waits for its commit."""
        return self.fix is not None and self.fix.is_pending


@dataclass(frozen=True, slots=True)
class PreparedRelease:
    """A report of a release with all looked up that can be before the write."""

    tenant: Tenant
    repo: RepoRef
    wanted: Release
    report: ReleaseReport
    actor: Actor


def prepare_release(
    *, place: Place, report: ReleaseReport, finder: CommitFinder, actor: Actor, now: int
) -> PreparedRelease:
    """Look up what a report of a release speaks of: this may fetch, and wait a few seconds. Raises Invalid."""
    repo = _repo_of(place, report.path)
    releases.check_report(report, has_remote=repo.has_remote)
    commit = _release_commit(finder, place.tenant, repo, report, now=now)
    wanted = Release(
        id=new_id(),
        environment=report.environment,
        commit=commit,
        released=releases.release_instant(report, commit, now=now, zone=place.tenant.zone),
        name=report.name or "",
        status=report.status or Status.SUCCEEDED,
        issue_keys=report.issue_keys or (),
    )
    if commit.number is not None:
        finder.load_graph(place.tenant, repo)
    return PreparedRelease(place.tenant, repo, wanted, report, actor)


def record_releases(prepared: Iterable[PreparedRelease], *, now: int) -> list[RecordedRelease]:
    """Store reports of releases, in order; inside write(). None is refused any more."""
    by_tenant: dict[UUID, list[PreparedRelease]] = {}
    order = list(prepared)
    for each in order:
        by_tenant.setdefault(each.tenant.id, []).append(each)
    writers = {tenant_id: _writer(of_tenant, now=now) for tenant_id, of_tenant in sorted(by_tenant.items())}
    recorded = [_record_release(each, writers[each.tenant.id]) for each in order]
    for writer in writers.values():
        writer.finish()
    return recorded


def record_release(prepared: PreparedRelease, *, now: int) -> RecordedRelease:
    """Store one report of a release; inside write()."""
    return record_releases([prepared], now=now)[0]


def _writer(prepared: Sequence[PreparedRelease], *, now: int) -> StreamWriter:
    """For reports of one entity, their streams locked."""
    tenant = prepared[0].tenant
    # All at once and in order, or two batches could each wait for the other.
    store.lock_streams(tenant, {each.repo.id for each in prepared})
    return StreamWriter(tenant, now=now)


def _record_release(prepared: PreparedRelease, writer: StreamWriter) -> RecordedRelease:
    repo, wanted, report = prepared.repo, prepared.wanted, prepared.report
    alike = [row for row in _rows_like(prepared, writer) if releases.is_same_event(row.release, wanted)]
    standing = next((row.release for row in alike if not row.is_deleted), None)
    change = releases.decide_release(standing, wanted, report)
    after = change.after
    if change.action is Action.CREATED:
        grave = next(
            (row.release for row in alike if row.is_deleted and row.release.commit.may_be(wanted.commit)), None
        )
        after = writer.put(repo, replace(after, id=grave.id) if grave else after, is_new=grave is None)
    elif change.action is Action.UPDATED:
        after = writer.put(repo, after, is_new=False)
    if change.action is not Action.UNCHANGED:
        action, named = f"release_{change.action}", title(repo, after)
        trail.record(prepared.tenant.id, prepared.actor, action, named, subject_id=after.id, changes=change.changes)
    told = after
    if after.commit.authored_at != wanted.commit.authored_at:  # it is not stored with the release
        told = replace(after, commit=replace(after.commit, authored_at=wanted.commit.authored_at))
    return RecordedRelease(after, repo.path, change.action, releases.warnings_about(told))


def _rows_like(prepared: PreparedRelease, writer: StreamWriter) -> list[SeenRelease]:
    """The rows that may be of the same event."""
    repo, wanted, report = prepared.repo, prepared.wanted, prepared.report
    rows = writer.like(repo, wanted)
    if wanted.released is not None and report.sha is not None and not report.is_timed:
        rows += writer.timeless(repo, wanted, report.sha)
    return rows


def delete_release(*, tenant: Tenant, release_id: UUID, reach: ResourcePath, actor: Actor, now: int) -> RecordedRelease:
    """Take a release out of everything but the audit trail; inside write(). Raises NotFound."""
    stored, repo = standing_release(tenant, release_id, reach)
    store.lock_streams(tenant, [repo.id])
    writer = StreamWriter(tenant, now=now)
    writer.delete(repo, stored)
    writer.finish()
    trail.record(tenant.id, actor, "release_deleted", title(repo, stored), subject_id=release_id)
    return RecordedRelease(replace(stored, kind=None), repo.path, Action.DELETED)


def standing_release(tenant: Tenant, release_id: UUID, reach: ResourcePath) -> tuple[Release, RepoRef]:
    """A release that has not been deleted, with its repo, if it lies within `reach`. Raises NotFound."""
    found = store.release_by_id(tenant, release_id)
    repo = repo_by_id(tenant, found[1]) if found else None
    if found is None or found[0].is_deleted or repo is None or not reach.holds(repo.path):
        raise NotFound(f'There is no release "{release_id}" that can be reached from here.')
    return found[0].release, repo


def defect_work(
    *, place: Place, report: DefectReport, finder: CommitFinder, reach: ResourcePath, actor: Actor, now: int
) -> Callable[[], RecordedDefect]:
    """The work that records a defect. Raises Invalid; nothing is stored before the work runs.

    A caller whose `reach` does not hold the defect itself may add a fix within it, change nothing else, and learns no
    more of it.
    """
    defects.check_report(report)
    fix = looked_up_fix(finder, place, report.fix, now=now) if report.fix else None
    return lambda: _record_defect(place, report, fix, reach, actor, now)


def delete_defect(
    *, tenant: Tenant, key: str, reach: ResourcePath, actor: Actor, now: int, reason: str = ""
) -> RecordedDefect:
    """Take a defect out of everything but the audit trail, which keeps the reason; inside write(). Raises NotFound."""
    defect = owned_defect(tenant, key, reach)
    store.delete_defect(tenant, defect.id, now=now)
    changes = [FieldChange("reason", None, reason)] if reason else []
    trail.record(tenant.id, actor, "defect_deleted", key, subject_id=defect.id, changes=changes)
    return RecordedDefect(defect, Action.DELETED)


def owned_defect(tenant: Tenant, key: str, reach: ResourcePath) -> Defect:
    """As standing_defect, for a change of more than its fixes: it must lie within `reach` itself. Raises Forbidden."""
    defect = standing_defect(tenant, key, reach)
    if not reach.holds(defect.path):
        raise Forbidden(_outside(key, "use a token that is bound to more"))
    return defect


def standing_defect(tenant: Tenant, key: str, reach: ResourcePath) -> Defect:
    """A defect that has not been deleted, if it lies within `reach` or has a fix there. Raises NotFound."""
    stored = store.defect_by_key(tenant, key)
    if stored is None or stored.is_deleted or not _is_reached(stored.defect, reach):
        raise NotFound(f'There is no defect "{key}" that can be reached from here.')
    return stored.defect


def _is_reached(defect: Defect, reach: ResourcePath) -> bool:
    return reach.holds(defect.path) or any(reach.holds(fix.path) for fix in defect.fixes)


def _record_defect(
    place: Place, report: DefectReport, fix: Fix | None, reach: ResourcePath, actor: Actor, now: int
) -> RecordedDefect:
    tenant = place.tenant
    stored = store.defect_by_key(tenant, report.key)
    before = stored.defect if stored and not stored.is_deleted else None
    defect_id = stored.defect.id if stored else new_id()
    is_foreign = before is not None and not reach.holds(before.path)
    if is_foreign:
        _refuse_more_than_a_fix(report)
    change = defects.decide_defect(
        before, report, fix, new_id=defect_id, now=Instant.at(now, tenant.zone), is_foreign=is_foreign
    )
    after = change.after
    fixes_to_tell = tuple(each for each in after.fixes if reach.holds(each.path)) if is_foreign else None
    recorded = RecordedDefect(after, change.action, change.warnings, change.spoken_of, fixes_to_tell)
    if change.action is Action.UNCHANGED:
        return recorded
    home = place if after.path == place.path else find_place(tenant, after.path)
    if stored is None:
        store.insert_defect(home, after, now=now)
    else:
        if stored.is_deleted:
            store.forget_fixes(tenant, after.id)
            verdicts.forget(tenant, after.id)
        store.update_defect(home, after, now=now)
    for told in change.told_better:
        store.forget_fix(tenant, told.id)
    if change.fix:
        store.write_fix(tenant, after.id, change.fix, is_new=change.fix_is_new, now=now)
    action = f"defect_{change.action}"
    trail.record(tenant.id, actor, action, after.key, subject_id=after.id, changes=change.changes)
    return recorded


def looked_up_fix(finder: CommitFinder, place: Place, said: FixReport, *, now: int) -> Fix:
    """The fix that a report speaks of, in the repo at `place`, its commit looked up (this may wait). Raises Invalid."""
    repo = store.repo_at(place)
    parameter = "fix_released_sha"
    if said.sha and not repo.has_remote:
        releases.check_whole(said.sha, parameter=parameter)
    commit = finder.commit(place.tenant, repo, said.sha, parameter=parameter) if said.sha else None
    if said.released_at is not None:
        released: Instant | None = Instant.of(said.released_at)
    elif said.released_now or commit is None:
        released = Instant.at(now, place.tenant.zone)
    else:
        released = _fix_time_from(commit, place, now=now)
    from_commit = said.released_at is None and not said.released_now
    return Fix(new_id(), repo.path, repo.id, commit, released, time_from_commit=from_commit)


def _fix_time_from(commit: ReleaseCommit, place: Place, *, now: int) -> Instant | None:
    mend = "give fix_released_at or fix_released_now"
    if commit.state is CommitState.UNVERIFIED:
        because = f"can't give the time, because {place.path} has no git remote to look it up in"
        raise Invalid("fix_released_sha", because, value=commit.sha, mend=mend)
    if commit.state is CommitState.PENDING:
        return None
    return releases.authorship(commit, now=now, zone=place.tenant.zone, mend=mend, parameter="fix_released_sha")


def _refuse_more_than_a_fix(report: DefectReport) -> None:
    """Refuse what only those may say who reach the defect. Raises Forbidden.

    Said again as it stands, it would change nothing; but to take that would tell what stands there.
    """
    given = (report.detected_at, report.description, report.severity)
    names = ("detected_at", "description", "severity")
    more = [name for name, value in zip(names, given, strict=True) if value is not None]
    mends = [] if report.fix else ["give fix_released_at, fix_released_now or fix_released_sha"]
    if more:
        mends.append(f"leave out {', '.join(more)}")
    if mends:
        raise Forbidden(_outside(report.key, " and ".join(mends)))


def _outside(key: str, mend: str) -> str:
    return f'The defect "{key}" lies outside the reach of this token, which may only add a fix to it: {mend}.'


def _repo_of(place: Place, path: ResourcePath) -> RepoRef:
    if place.repo is None:
        raise Invalid(
            "resource_path",
            f"names an {path.level}, and a release is of a repo",
            value=str(path),
            mend="give entity/organization/repo",
        )
    return place.repo


def _release_commit(
    finder: CommitFinder, tenant: Tenant, repo: RepoRef, report: ReleaseReport, *, now: int
) -> ReleaseCommit:
    if report.sha is not None:
        return finder.commit(tenant, repo, report.sha, parameter="release_sha")
    if report.released_at is not None:
        return finder.commit_at(tenant, repo, report.released_at.epoch, parameter="released_at")
    return finder.commit_at(tenant, repo, now, parameter="release_now")

"""Settling what was accepted before its commit had been seen: found, or refused visibly, after each index.

What was taken unverified, while the repo had no remote, is found too once it has one; it is never refused.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from uuid import UUID

from shipmend.audit import trail
from shipmend.catalog.queries import RepoRef, Tenant
from shipmend.core import releases
from shipmend.core.defects import Fix, told_better
from shipmend.core.errors import Invalid
from shipmend.core.releases import CommitState, FieldChange, Instant, Release, ReleaseCommit
from shipmend.core.streams import SeenRelease
from shipmend.core.values import Sha
from shipmend.db.writes import write
from shipmend.delivery import store
from shipmend.delivery.commits import commit_at, known_commit
from shipmend.delivery.streams import StreamWriter, title
from shipmend.delivery.unsettled import UNSETTLED, unsettled_fixes, unsettled_releases
from shipmend.history import queries as history


def settle_repo(*, tenant: Tenant, repo: RepoRef, now: int) -> bool:
    """Look once more for the commits that releases and fixes of this repo wait for.

    A commit is refused only when the last fetch began after it was first asked for: until then it may still be on
    its way. Returns whether something waits for such a fetch.
    """
    if repo.fetched_at is None:
        return False
    waits = False
    for release_id, commit, since in unsettled_releases(tenant, repo.id):
        if _may_settle(tenant, repo, commit):
            waits |= not write(partial(_settle_release, tenant, repo, release_id, since < repo.fetched_at, now))
    for fix_id, commit, key, since in unsettled_fixes(tenant, repo.id):
        if _may_settle(tenant, repo, commit):
            waits |= not write(partial(_settle_fix, tenant, repo, fix_id, key, since < repo.fetched_at, now))
    return waits


def _may_settle(tenant: Tenant, repo: RepoRef, commit: ReleaseCommit) -> bool:
    """Whether there is more to say of a commit by now: always of a pending one, of an unverified one if it is there."""
    return commit.state is CommitState.PENDING or history.commit_by_sha(tenant.id, repo.number, commit.sha) is not None


def _settle_release(tenant: Tenant, repo: RepoRef, release_id: UUID, is_final: bool, now: int) -> bool:
    store.lock_streams(tenant, [repo.id])
    found = store.release_by_id(tenant, release_id)
    if found is None or found[0].is_deleted:
        return True
    release = found[0].release
    commit, released = _outcome(tenant, repo, release.commit, release.released, now)
    if commit == release.commit:
        return True
    if not is_final and (commit.state is CommitState.REJECTED or commit.from_time):
        return False
    after = replace(release, commit=commit, released=released)
    writer = StreamWriter(tenant, now=now)
    twin = _twin(writer, repo, after)
    if twin is not None:
        writer.delete(repo, release)
        if twin.is_deleted or twin.release.rule is not None or twin.release.commit.state is CommitState.REJECTED:
            # What was reported counts for more than that a rule made it, or that it was deleted or refused before.
            name = after.name or twin.release.name
            writer.put(repo, replace(after, id=twin.release.id, name=name), is_new=False)
        writer.finish()
        trail.record(
            tenant.id, trail.WORKER, "release_joined_its_twin", title(repo, release), subject_id=twin.release.id
        )
        return True
    writer.put(repo, after, is_new=False)
    writer.finish()
    change = FieldChange("commit_state", release.commit.state, commit.state)
    trail.record(
        tenant.id, trail.WORKER, "release_settled", title(repo, release), subject_id=release.id, changes=[change]
    )
    return True


def _twin(writer: StreamWriter, repo: RepoRef, release: Release) -> SeenRelease | None:
    """The row of the same event, if there is another: one event is one release."""
    rows = writer.like(repo, release)
    return next((row for row in rows if row.release.id != release.id and _is_of(row.release, release.commit)), None)


def _is_of(release: Release, commit: ReleaseCommit) -> bool:
    return release.commit.sha == commit.sha


def _settle_fix(tenant: Tenant, repo: RepoRef, fix_id: UUID, key: str, is_final: bool, now: int) -> bool:
    stored = store.defect_by_key(tenant, key)
    fix = next((each for each in stored.defect.fixes if each.id == fix_id), None) if stored else None
    if stored is None or fix is None or fix.commit is None:
        return True
    commit, released = _outcome(tenant, repo, fix.commit, fix.released, now)
    if commit == fix.commit:
        return True
    if not is_final and commit.state is CommitState.REJECTED:
        return False
    after = replace(fix, commit=commit, released=released)
    others = tuple(each for each in stored.defect.fixes if each.id != fix.id)
    if any(_is_twin(other, after) for other in others):
        gone: tuple[Fix, ...] = (fix,)
        fixes = others
    else:
        gone = told_better(others, after)
        fixes = (*(each for each in others if each not in gone), after)
    for each in gone:
        store.forget_fix(tenant, each.id)
    if after in fixes:
        store.write_fix(tenant, stored.defect.id, after, is_new=False, now=now)
    store.resolve_defect(tenant, replace(stored.defect, fixes=fixes))
    change = FieldChange("commit_state", fix.commit.state, commit.state)
    trail.record(tenant.id, trail.WORKER, "fix_settled", key, subject_id=stored.defect.id, changes=[change])
    return True


def _is_twin(other: Fix, fix: Fix) -> bool:
    return other.repo_id == fix.repo_id and other.sha == fix.sha and not other.is_rejected


def _outcome(
    tenant: Tenant, repo: RepoRef, commit: ReleaseCommit, released: Instant | None, now: int
) -> tuple[ReleaseCommit, Instant | None]:
    """The commit as found and the time as known, or the commit refused; what was settled or unverified may stay so."""
    if commit.state not in UNSETTLED:
        return commit, released
    try:
        if commit.from_time and released is not None:
            return commit_at(tenant, repo, released.epoch, parameter="released_at"), released
        found = known_commit(tenant, repo, Sha(commit.sha), parameter="release_sha")
        if found is not None:
            return found, released or releases.authorship(found, now=now, zone=tenant.zone, mend="")
    except Invalid:
        # Ambiguous, before the first commit, or without a usable time: no call is waiting for the sentence.
        pass
    if commit.state is CommitState.UNVERIFIED:
        return commit, released
    return replace(commit, state=CommitState.REJECTED), released

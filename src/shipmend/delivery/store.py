"""The hot writes: the statements behind `actions`, few and prepared. Call them inside write()."""

from __future__ import annotations

import json
from collections.abc import Container, Iterable
from dataclasses import dataclass
from uuid import UUID

from shipmend.catalog.queries import Place, RepoRef, Tenant
from shipmend.core.defects import Defect, Fix
from shipmend.core.releases import CommitState, Instant, Kind, Release, ReleaseCommit, Status
from shipmend.core.streams import SeenRelease, Spot
from shipmend.core.tracking import Event, Hold, Standing
from shipmend.core.values import ResourcePath, Sha
from shipmend.db.sql import Row, Statement, is_sqlite
from shipmend.db.writes import is_writing

RELEASE_COLUMNS = (
    "id, environment, release_sha, commit_state, commit_number, commit_from_time, released_at, released_text,"
    " released_offset, name, status, issue_keys, kind, rule_id, deleted_at"
)


def there_or_gone(select: str, where: str, and_gone: str = "") -> Statement:
    """Releases, deleted ones included: each half has an index of its own. `where` numbers its parameters."""
    there = f"{select} WHERE {where} AND deleted_at IS NULL"
    return Statement(f"{there} UNION ALL {select} WHERE {where} AND deleted_at IS NOT NULL{and_gone}")


_LOCK_REPO = Statement("SELECT id FROM catalog_repo WHERE entity_id = ? AND id = ? {lock}")
_TIMELESS = Statement(
    f"SELECT {RELEASE_COLUMNS} FROM delivery_release"
    " WHERE entity_id = ? AND repo_id = ? AND environment = ? AND released_at IS NULL AND release_sha IN (?, ?)"
)
_BY_ID = f"SELECT {RELEASE_COLUMNS}, repo_id FROM delivery_release WHERE entity_id = ? AND id = ?"
_RELEASE_BY_ID = Statement(_BY_ID)
_LOCKED_BY_ID = Statement(f"{_BY_ID} {{lock}}")
_INSERT_RELEASE = Statement(
    "INSERT INTO delivery_release (id, environment, release_sha, commit_state, commit_number, commit_from_time,"
    " released_at, released_text, released_offset, name, status, issue_keys, kind, rule_id, needs_attribution,"
    " deleted_at, entity_id, repo_id, created_at, updated_at)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL, ?, ?, ?, ?)"
)
_UPDATE_RELEASE = Statement(
    "UPDATE delivery_release SET environment = ?, release_sha = ?, commit_state = ?, commit_number = ?,"
    " commit_from_time = ?, released_at = ?, released_text = ?, released_offset = ?, name = ?, status = ?,"
    " issue_keys = ?, kind = ?, rule_id = ?, needs_attribution = ?, deleted_at = NULL, updated_at = ?"
    " WHERE entity_id = ? AND id = ?"
)
_GONE = "UPDATE delivery_release SET deleted_at = ?, kind = NULL, needs_attribution = (attributed_at IS NOT NULL)"
_DELETE_RELEASE = Statement(f"{_GONE}, rule_id = NULL WHERE entity_id = ? AND id = ?")
_TAKE_BACK_RELEASE = Statement(f"{_GONE} WHERE entity_id = ? AND id = ?")
_SET_KIND = Statement("UPDATE delivery_release SET kind = ? WHERE entity_id = ? AND id = ?")

STREAM = "entity_id = ?1 AND repo_id = ?2 AND environment = ?3"
"""In statements whose parameters are numbered."""
# What lies around an instant, in one question. What is nearest is found by its time alone, which the index sorts by;
# who of one second comes first is core's to say (core.streams).
_LIVE = "status = 'succeeded' AND deleted_at IS NULL AND commit_state IN ('known', 'unverified')"
_THERE = f"SELECT {RELEASE_COLUMNS} FROM delivery_release WHERE {STREAM}"


def _nearest(comparison: str, direction: str) -> str:
    return (
        f"{_THERE} AND {_LIVE} AND released_at = (SELECT released_at FROM delivery_release WHERE {STREAM}"
        f" AND released_at {comparison} ?4 AND {_LIVE} ORDER BY released_at {direction} LIMIT 1)"
    )


_AROUND = Statement(
    f"{_THERE} AND released_at = ?4 AND deleted_at IS NULL"
    f" UNION ALL {_THERE} AND released_at = ?4 AND deleted_at IS NOT NULL"
    f" UNION ALL {_nearest('<', 'DESC')} UNION ALL {_nearest('>', 'ASC')}"
)
_EVENTS = there_or_gone(
    "SELECT released_at, release_sha, environment, name, rule_id, deleted_at FROM delivery_release",
    "entity_id = ?1 AND repo_id = ?2",
    and_gone=" AND rule_id IS NULL",
)

_DEFECT = Statement(
    "SELECT d.id, d.defect_key, o.slug, ro.slug, r.slug, d.detected_at, d.detected_text, d.detected_offset,"
    " d.description, d.severity, d.deleted_at"
    " FROM delivery_criticaldefect d LEFT JOIN catalog_organization o ON o.id = d.organization_id"
    " LEFT JOIN catalog_repo r ON r.id = d.repo_id LEFT JOIN catalog_organization ro ON ro.id = r.organization_id"
    " WHERE d.entity_id = ? AND d.defect_key = ?"
)
_LOCK_DEFECT = Statement("SELECT id FROM delivery_criticaldefect WHERE entity_id = ? AND defect_key = ? {lock}")
_INSERT_DEFECT = Statement(
    "INSERT INTO delivery_criticaldefect (organization_id, repo_id, detected_at, detected_text, detected_offset,"
    " description, severity, resolved_at, updated_at, entity_id, id, defect_key, created_at, cause_standing, notes)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, '', '')"
)
_UPDATE_DEFECT = Statement(
    "UPDATE delivery_criticaldefect SET organization_id = ?, repo_id = ?, detected_at = ?, detected_text = ?,"
    " detected_offset = ?, description = ?, severity = ?, resolved_at = ?, updated_at = ?, deleted_at = NULL"
    " WHERE entity_id = ? AND id = ?"
)
_DELETE_DEFECT = Statement("UPDATE delivery_criticaldefect SET deleted_at = ? WHERE entity_id = ? AND id = ?")
_RESOLVE_DEFECT = Statement("UPDATE delivery_criticaldefect SET resolved_at = ? WHERE entity_id = ? AND id = ?")
_FIXES = Statement(
    "SELECT f.id, o.slug, r.slug, f.repo_id, f.release_sha, f.commit_state, f.commit_number, f.released_at,"
    " f.released_text, f.released_offset, f.time_from_commit"
    " FROM delivery_defectfix f JOIN catalog_repo r ON r.id = f.repo_id"
    " JOIN catalog_organization o ON o.id = r.organization_id WHERE f.entity_id = ? AND f.defect_id = ?"
    " ORDER BY f.released_at IS NULL, f.released_at, o.slug, r.slug, f.release_sha"
)
_INSERT_FIX = Statement(
    "INSERT INTO delivery_defectfix (repo_id, release_sha, commit_state, commit_number, released_at, released_text,"
    " released_offset, time_from_commit, entity_id, id, defect_id, created_at)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_UPDATE_FIX = Statement(
    "UPDATE delivery_defectfix SET repo_id = ?, release_sha = ?, commit_state = ?, commit_number = ?,"
    " released_at = ?, released_text = ?, released_offset = ?, time_from_commit = ? WHERE entity_id = ? AND id = ?"
)
_FORGET_FIX = Statement("DELETE FROM delivery_defectfix WHERE entity_id = ? AND id = ?")
_FORGET_FIXES = Statement("DELETE FROM delivery_defectfix WHERE entity_id = ? AND defect_id = ?")


@dataclass(frozen=True, slots=True)
class StoredDefect:
    """A defect's row with its fixes, and whether it has been deleted."""

    defect: Defect
    is_deleted: bool


def lock_streams(tenant: Tenant, repo_ids: Iterable[UUID]) -> None:
    """Keep other writers off the streams of these repos until the transaction ends (on SQLite there are none)."""
    if not is_sqlite():
        for repo_id in sorted(repo_ids):
            _LOCK_REPO.ahead(tenant.id, repo_id)


def around(tenant: Tenant, spot: Spot) -> list[SeenRelease]:
    """What lies around a spot, as core.streams.Neighbourhood takes it."""
    return [_seen_release(row) for row in _AROUND.rows(tenant.id, *spot)]


def timeless_releases(tenant: Tenant, repo_id: UUID, release: Release, asked: Sha | str) -> list[SeenRelease]:
    """The rows of the release's stream that were to take their time from its commit, `asked` for by these digits."""
    shas = (str(asked), release.commit.sha)
    return [_seen_release(row) for row in _TIMELESS.rows(tenant.id, repo_id, release.environment, *shas)]


def release_by_id(tenant: Tenant, release_id: UUID) -> tuple[SeenRelease, UUID] | None:
    """A release and the id of its repo; inside write(), locked against other writers until that ends."""
    row = (_LOCKED_BY_ID if is_writing() else _RELEASE_BY_ID).row(tenant.id, release_id)
    return (_seen_release(row), row[15]) if row else None


def standing_events(tenant: Tenant, repo_id: UUID, kept: Container[UUID]) -> dict[Event, Standing]:
    """Every release of a repo that has a time, and the deleted ones that no rule may bring back. `kept`: `standing_of`.

    Those that a rule took back are as good as never made.
    """
    return {
        Event(at, sha, environment): _standing(name, rule, deleted is not None, kept)
        for at, sha, environment, name, rule, deleted in _EVENTS.rows(tenant.id, repo_id)
        if at is not None
    }


def standing_of(stored: SeenRelease, kept: Container[UUID]) -> Standing:
    """A row as the rules see it. `kept`: the deleted rules whose releases were to stay."""
    return _standing(stored.release.name, stored.release.rule, stored.is_deleted, kept)


def _standing(name: str, rule: UUID | None, is_deleted: bool, kept: Container[UUID]) -> Standing:
    if rule is None:
        return Standing(Hold.OTHERS, name, rule, is_there=not is_deleted)
    if is_deleted:
        return Standing(Hold.TAKEN_BACK, name, rule, is_there=False)
    return Standing(Hold.OTHERS if rule in kept else Hold.RULE, name, rule)


def insert_releases(tenant: Tenant, new: Iterable[tuple[UUID, Release]], *, now: int) -> None:
    """Add releases, each given with the id of its repo."""
    _INSERT_RELEASE.run_many(
        [(release.id, *_release_values(release), tenant.id, repo_id, now, now) for repo_id, release in new]
    )


def update_release(tenant: Tenant, release: Release, *, now: int) -> None:
    """Write a release over its old self; a deleted one is back."""
    _UPDATE_RELEASE.run(*_release_values(release), now, tenant.id, release.id)


def delete_release(tenant: Tenant, release_id: UUID, *, now: int) -> None:
    """Take a release out of everything but the audit trail. No rule brings it back."""
    _DELETE_RELEASE.run(now, tenant.id, release_id)


def take_back_release(tenant: Tenant, release_id: UUID, *, now: int) -> None:
    """As delete_release, for one that a rule made and would not make now: some day it may again."""
    _TAKE_BACK_RELEASE.run(now, tenant.id, release_id)


def set_kind(tenant: Tenant, release_id: UUID, kind: Kind | None) -> None:
    """Write a release's derived kind."""
    _SET_KIND.run(kind, tenant.id, release_id)


def defect_by_key(tenant: Tenant, key: str) -> StoredDefect | None:
    """A defect with its fixes; inside write(), locked against other writers until that ends."""
    if is_writing() and not is_sqlite():
        _LOCK_DEFECT.ahead(tenant.id, key)
    row = _DEFECT.row(tenant.id, key)
    if row is None:
        return None
    defect_id, key, organization, repo_organization, repo, epoch, text, offset, description, severity, deleted = row
    path = ResourcePath(tenant.slug, organization or repo_organization or "", repo or "")
    fixes = tuple(_fix(tenant, each) for each in _FIXES.rows(tenant.id, defect_id))
    defect = Defect(defect_id, key, path, Instant(epoch, text, offset), description, severity, fixes)
    return StoredDefect(defect, deleted is not None)


def insert_defect(place: Place, defect: Defect, *, now: int) -> None:
    """Add a defect found at `place`; its fixes are added apart."""
    _INSERT_DEFECT.run(*_defect_values(place, defect), now, place.tenant.id, defect.id, defect.key, now)


def update_defect(place: Place, defect: Defect, *, now: int) -> None:
    """Write a defect over its old self; a deleted one is back."""
    _UPDATE_DEFECT.run(*_defect_values(place, defect), now, place.tenant.id, defect.id)


def delete_defect(tenant: Tenant, defect_id: UUID, *, now: int) -> None:
    """Take a defect out of everything but the audit trail."""
    _DELETE_DEFECT.run(now, tenant.id, defect_id)


def forget_fixes(tenant: Tenant, defect_id: UUID) -> None:
    """Drop the fixes of a deleted defect that is being recorded anew."""
    _FORGET_FIXES.run(tenant.id, defect_id)


def write_fix(tenant: Tenant, defect_id: UUID, fix: Fix, *, is_new: bool, now: int) -> None:
    """Add a fix, or write it over its old self."""
    if is_new:
        _INSERT_FIX.run(*_fix_values(fix), tenant.id, fix.id, defect_id, now)
    else:
        _UPDATE_FIX.run(*_fix_values(fix), tenant.id, fix.id)


def forget_fix(tenant: Tenant, fix_id: UUID) -> None:
    """Drop a fix of which another one tells better."""
    _FORGET_FIX.run(tenant.id, fix_id)


def resolve_defect(tenant: Tenant, defect: Defect) -> None:
    """Write when a defect was resolved, after its fixes changed."""
    _RESOLVE_DEFECT.run(defect.resolved_at, tenant.id, defect.id)


def _release_values(release: Release) -> tuple[object, ...]:
    commit, released = release.commit, release.released
    return (
        release.environment,
        commit.sha,
        commit.state,
        commit.number,
        commit.from_time,
        released.epoch if released else None,
        released.text if released else "",
        released.offset if released else 0,
        release.name,
        release.status,
        json.dumps(release.issue_keys, ensure_ascii=False) if release.issue_keys else "[]",
        release.kind,
        release.rule,
        commit.number is not None,
    )


def _seen_release(row: Row) -> SeenRelease:
    release_id, environment, sha, state, number, from_time, epoch, text, offset, name, status, *rest = row[:15]
    keys, kind, rule, deleted = rest
    release = Release(
        id=release_id,
        environment=environment,
        commit=ReleaseCommit(sha, CommitState(state), number, from_time=bool(from_time)),
        released=None if epoch is None else Instant(epoch, text, offset),
        name=name,
        status=Status(status),
        issue_keys=tuple(json.loads(keys)),
        kind=Kind(kind) if kind else None,
        rule=rule,
    )
    return SeenRelease(release, deleted is not None)


def _defect_values(place: Place, defect: Defect) -> tuple[object, ...]:
    detected = defect.detected
    return (
        None if place.repo else place.organization_id,
        place.repo.id if place.repo else None,
        detected.epoch,
        detected.text,
        detected.offset,
        defect.description,
        defect.severity,
        defect.resolved_at,
    )


def _fix_values(fix: Fix) -> tuple[object, ...]:
    released = fix.released
    return (
        fix.repo_id,
        fix.sha,
        fix.commit.state if fix.commit else CommitState.KNOWN,
        fix.commit.number if fix.commit else None,
        released.epoch if released else None,
        released.text if released else "",
        released.offset if released else 0,
        fix.time_from_commit,
    )


def _fix(tenant: Tenant, row: Row) -> Fix:
    fix_id, organization, repo, repo_id, sha, state, number, epoch, text, offset, from_commit = row
    return Fix(
        id=fix_id,
        path=ResourcePath(tenant.slug, organization, repo),
        repo_id=repo_id,
        commit=ReleaseCommit(sha, CommitState(state), number) if sha else None,
        released=None if epoch is None else Instant(epoch, text, offset),
        time_from_commit=bool(from_commit),
    )


def repo_at(place: Place) -> RepoRef:
    """The repo that a place names; callers have checked that it names one."""
    if place.repo is None:
        raise LookupError(f"{place.path} is not a repo")
    return place.repo

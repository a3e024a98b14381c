"""The verbs of the catalog. Each is one short transaction and leaves a line in the audit trail."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Max

from shipmend.audit import trail
from shipmend.audit.trail import Actor
from shipmend.catalog.models import Entity, IndexState, Organization, Repo
from shipmend.catalog.queries import Tenant, find_repo, nothing_there, parts_of
from shipmend.core.causes import LONGEST_WINDOW_HOURS
from shipmend.core.errors import Invalid, NotFound
from shipmend.core.globs import read_globs
from shipmend.core.moments import DateOrder, open_zone
from shipmend.core.tickets import TicketPattern
from shipmend.core.values import ResourcePath, is_slug
from shipmend.db.rows import change
from shipmend.db.writes import write
from shipmend.git.remotes import Remote

NAMED = 5
"""Of many repos, so many are named in a sentence."""


@dataclass(frozen=True, slots=True)
class SettingChange:
    """A setting's value before and after."""

    field: str
    before: object
    after: object


def create_entity(*, slug: str, name: str = "", time_zone: str = "UTC", actor: Actor) -> Entity:
    """A new tenant. Raises Invalid for a slug that is malformed or taken, or an unknown zone."""
    _check_slug(slug)
    _check_zone(time_zone)

    def work() -> Entity:
        if Entity.objects.filter(slug=slug).exists():
            raise Invalid("entity", "is taken", value=slug, mend="choose another name")
        entity = Entity.objects.create(slug=slug, name=name, time_zone=time_zone)
        trail.record(entity.id, actor, "entity_created", slug, subject_id=entity.id)
        return entity

    return write(work)


def ensure_entity(*, slug: str, actor: Actor) -> Entity:
    """The entity of that slug, made if it is missing."""
    return write(lambda: Entity.objects.filter(slug=slug).first() or create_entity(slug=slug, actor=actor))


def change_entity(
    *, tenant: Tenant, name: str, time_zone: str, date_order: DateOrder, public_badges: bool, actor: Actor
) -> None:
    """Change an entity's settings. Dates already stored keep the instants they were read as. Raises Invalid."""
    _check_zone(time_zone)
    wanted = {
        "name": name.strip(),
        "time_zone": time_zone,
        "date_order": date_order.value,
        "public_badges": public_badges,
    }
    _change(tenant, wanted, actor)


def choose_tickets(*, tenant: Tenant, pattern: str, numbers: bool, actor: Actor) -> bool:
    """Say what counts as a ticket in messages (see core.tickets), and tell whether that changed. Raises Invalid."""
    TicketPattern(pattern, numbers=numbers)
    return _change(tenant, {"ticket_pattern": pattern, "ticket_numbers": numbers}, actor)


def choose_metrics(*, tenant: Tenant, cause_window_hours: int, rollbacks_fail: bool, actor: Actor) -> None:
    """Say what counts as the cause of a defect, and as a failure. Figures of the past follow. Raises Invalid."""
    if not 1 <= cause_window_hours <= LONGEST_WINDOW_HOURS:
        mend = f"give from 1 to {LONGEST_WINDOW_HOURS} hours"
        raise Invalid("cause_window_hours", "is out of range", value=cause_window_hours, mend=mend)
    _change(tenant, {"cause_window_hours": cause_window_hours, "rollbacks_fail": rollbacks_fail}, actor)


def _change(tenant: Tenant, wanted: Mapping[str, object], actor: Actor) -> bool:
    def work() -> bool:
        entity = Entity.objects.get(id=tenant.id)
        changes = [
            SettingChange(field, getattr(entity, field), value)
            for field, value in wanted.items()
            if getattr(entity, field) != value
        ]
        for told in changes:
            setattr(entity, told.field, told.after)
        if changes:
            entity.save()
            trail.record(entity.id, actor, "entity_changed", entity.slug, subject_id=entity.id, changes=changes)
        return bool(changes)

    return write(work)


def ensure_repo(*, path: ResourcePath, remote: Remote | None, actor: Actor) -> Repo:
    """Make the repo at `path`, and its organization, where they are missing; give it `remote` if one is said.

    The entity must exist. Raises NotFound for an unknown entity, Invalid for a path that isn't a repo's, and for a
    remote where the repo is part of another one.
    """
    _check_is_repo(path, "resource_path")
    return write(lambda: _ensure_repo(path, remote, actor))


def ensure_part(*, path: ResourcePath, source: ResourcePath, globs: Iterable[str], actor: Actor) -> Repo:
    """Make the repo at `path` a part of the one at `source`, where it is missing, and give it these paths.

    A part reads the history of its source, and counts those of its commits that touch one of the paths (see
    core.globs). Raises NotFound for a source that is not there or is another entity's, one and the same; Invalid.
    """
    _check_is_repo(path, "resource_path")
    _check_is_repo(source, "source_path")
    wanted = "\n".join(read_globs(globs))
    if source.entity != path.entity:
        raise nothing_there(source)
    return write(lambda: _ensure_part(path, source, wanted, actor))


def _ensure_repo(path: ResourcePath, remote: Remote | None, actor: Actor) -> Repo:
    repo = _named(path, actor)
    if remote is not None and repo.source is not None:
        because = f"is part of {repo.source.path}, whose git address it shares"
        raise Invalid("resource_path", because, value=str(path), mend="give the new address there")
    if remote is not None and (repo.remote_url, repo.remote_secret) != (remote.url, remote.secret or ""):
        _point_at(repo, remote, actor)
    return repo


def _ensure_part(path: ResourcePath, source: ResourcePath, globs: str, actor: Actor) -> Repo:
    home = _locked(source)
    repo = _locked(_named(path, actor).path)
    _check_can_be_part(repo, home)
    if repo.path_globs != globs:
        changes = [SettingChange("paths", repo.path_globs, globs)]
        if repo.source_id is None:
            changes.append(SettingChange("source_path", "", str(source)))
        state = IndexState.WAITING if home.remote_url else IndexState.NONE
        change(repo, source=home, path_globs=globs, index_state=state)
        trail.record(repo.entity_id, actor, "repo_changed", str(path), subject_id=repo.id, changes=changes)
    return repo


def _check_can_be_part(repo: Repo, home: Repo) -> None:
    source, path = str(home.path), str(repo.path)
    if repo.id == home.id:
        raise Invalid("source_path", "is the repo itself", value=source, mend="name the repo that it is part of")
    if home.source is not None:
        raise Invalid("source_path", "is itself a part", value=source, mend=f"name {home.source.path}")
    if repo.remote_url:
        raise Invalid("resource_path", "has a git address of its own", value=path, mend="give the part another path")
    if repo.source is not None and repo.source_id != home.id:
        because = f"is part of {repo.source.path} already"
        raise Invalid("resource_path", because, value=path, mend="remove it first, or give the part another path")
    if parts_of(repo):
        raise Invalid("resource_path", "has parts itself", value=path, mend="give the part another path")


def _named(path: ResourcePath, actor: Actor) -> Repo:
    """The repo at `path`, made if it is missing, as its organization is. Raises NotFound for an unknown entity."""
    entity = Entity.objects.filter(slug=path.entity).first()
    if entity is None:
        raise NotFound(f'There is no entity "{path.entity}".')
    organization, _ = Organization.objects.get_or_create(entity=entity, slug=path.organization)
    repo = Repo.objects.filter(entity=entity, organization=organization, slug=path.repo).first()
    if repo is None:
        number = (Repo.objects.filter(entity=entity).aggregate(last=Max("number"))["last"] or 0) + 1
        repo = Repo.objects.create(entity=entity, organization=organization, slug=path.repo, number=number)
        trail.record(entity.id, actor, "repo_created", str(path), subject_id=repo.id)
    return repo


def _locked(path: ResourcePath) -> Repo:
    """The repo at `path`; until the write ends nobody else removes it, makes it a part or makes parts of it."""
    found = find_repo(path)
    Repo.objects.select_for_update(no_key=True).filter(entity_id=found.entity_id, id=found.id).first()
    return find_repo(path)


def _point_at(repo: Repo, remote: Remote, actor: Actor) -> None:
    told = SettingChange("remote", repo.remote_url, remote.shown)
    state = IndexState.WAITING if repo.index_state == IndexState.NONE else repo.index_state
    secret, is_local = remote.secret or "", remote.kind == "local"
    change(repo, remote_url=remote.url, remote_secret=secret, is_local=is_local, index_state=state)
    path = str(repo.path)
    trail.record(repo.entity_id, actor, "repo_remote_changed", path, subject_id=repo.id, changes=[told])


def choose_release_branch(*, tenant: Tenant, repo_id: UUID, branch: str, actor: Actor) -> Repo:
    """Set the branch that releases are cut from; empty for the remote's default. Takes effect at the next index."""

    def work() -> Repo:
        repo = Repo.objects.select_related("entity", "organization").get(entity_id=tenant.id, id=repo_id)
        if repo.source is not None:
            mend = f"choose it for {repo.source.path}"
            raise Invalid("release_branch", "is that of the repo which this one is part of", mend=mend)
        told = SettingChange("release_branch", repo.release_branch, branch.strip())
        if told.before != told.after:
            change(repo, release_branch=branch.strip())
            path = str(repo.path)
            trail.record(tenant.id, actor, "repo_changed", path, subject_id=repo.id, changes=[told])
        return repo

    return write(work)


def remove_repo(*, tenant: Tenant, repo_id: UUID, actor: Actor) -> None:
    """Forget a repo with its releases and fixes. The audit trail keeps that it was there.

    Raises Invalid for one that others are part of.
    """

    def work() -> None:
        repo = _locked(Repo.objects.select_related("entity", "organization").get(entity_id=tenant.id, id=repo_id).path)
        path = str(repo.path)
        if parts := parts_of(repo):
            named = ", ".join(str(part.path) for part in parts[:NAMED]) + (" …" if len(parts) > NAMED else "")
            raise Invalid("resource_path", f"has parts ({named})", value=path, mend="remove those first")
        repo.delete()
        trail.record(tenant.id, actor, "repo_removed", path, subject_id=repo_id)

    write(work)


def _check_is_repo(path: ResourcePath, parameter: str) -> None:
    if path.level != "repo":
        raise Invalid(parameter, "does not name a repo", value=str(path), mend="give entity/organization/repo")


def _check_slug(slug: str) -> None:
    if not is_slug(slug):
        raise Invalid("entity", "can't name an entity", value=slug, mend="use letters, digits, '.', '_' and '-'")


def _check_zone(name: str) -> None:
    try:
        open_zone(name)
    except ValueError as unknown:
        raise Invalid("time_zone", "is not a time zone", value=name, mend=str(unknown)) from unknown

"""Finding entities, organizations and repos."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Q

from shipmend.catalog.models import Entity, IndexState, Organization, Repo
from shipmend.core.errors import NotFound
from shipmend.core.moments import DateOrder
from shipmend.core.values import ResourcePath
from shipmend.db.sql import Statement


@dataclass(frozen=True, slots=True)
class Tenant:
    """An entity as every request needs it."""

    id: UUID
    slug: str
    time_zone: str
    date_order: DateOrder

    @property
    def zone(self) -> ZoneInfo:
        """The zone of dates that name none, and of days in reports."""
        return ZoneInfo(self.time_zone)


@dataclass(frozen=True, slots=True)
class RepoRef:
    """A repo as the write path needs it."""

    id: UUID
    number: int
    """Of the history that it reads: its own, or that of the repo it is part of. So are the next two."""
    has_remote: bool
    fetched_at: int | None
    path: ResourcePath
    source_id: UUID | None = None
    """The repo that it is part of, if any."""

    @property
    def home_id(self) -> UUID:
        """The repo that has the mirror and the commits: itself, or the one it is part of."""
        return self.source_id or self.id


@dataclass(frozen=True, slots=True)
class Place:
    """What a resource path names: an entity, and perhaps an organization and a repo in it."""

    tenant: Tenant
    path: ResourcePath
    organization_id: UUID | None = None
    repo: RepoRef | None = None


# A part has no remote of its own, and is fetched when its source is.
_HOME = "LEFT JOIN catalog_repo s ON s.entity_id = r.entity_id AND s.id = r.source_id"
_AT_HOME = (
    "COALESCE(s.number, r.number), COALESCE(s.remote_url, r.remote_url),"
    " CASE WHEN s.id IS NULL THEN r.fetched_at ELSE s.fetched_at END, r.source_id"
)
_PLACE = Statement(
    f"SELECT o.id, r.id, {_AT_HOME} FROM catalog_organization o LEFT JOIN catalog_repo r"
    f" ON r.entity_id = o.entity_id AND r.organization_id = o.id AND r.slug = ? {_HOME}"
    " WHERE o.entity_id = ? AND o.slug = ?"
)
_REPO_BY_ID = Statement(
    f"SELECT {_AT_HOME}, o.slug, r.slug FROM catalog_repo r"
    f" JOIN catalog_organization o ON o.id = r.organization_id {_HOME} WHERE r.entity_id = ? AND r.id = ?"
)
_HISTORY_NUMBER = Statement(
    f"SELECT COALESCE(s.number, r.number) FROM catalog_repo r {_HOME} WHERE r.entity_id = ? AND r.id = ?"
)
_REPO_COUNTS = Statement("SELECT index_state, count(*) FROM catalog_repo GROUP BY index_state")
_SHOWN = ("entity", "organization", "source__entity", "source__organization")
"""What the pages and messages about a repo name."""


def nothing_there(path: ResourcePath) -> NotFound:
    """The one answer for a path that does not exist and for one outside the caller's reach."""
    detail = (
        f'resource_path "{path}" names nothing that can be reached from here: compare it with the address of its page.'
    )
    return NotFound(detail)


def find_place(tenant: Tenant, path: ResourcePath) -> Place:
    """What `path` names in this entity. Raises NotFound."""
    if path.entity != tenant.slug:
        raise nothing_there(path)
    if path.level == "entity":
        return Place(tenant, path)
    row = _PLACE.row(path.repo, tenant.id, path.organization)
    if row is None or (path.repo and row[1] is None):
        raise nothing_there(path)
    organization_id, repo_id, number, remote_url, fetched_at, source_id = row
    if not path.repo:
        return Place(tenant, path, organization_id)
    repo = RepoRef(repo_id, number, bool(remote_url), fetched_at, path, source_id)
    return Place(tenant, path, organization_id, repo)


def repo_by_id(tenant: Tenant, repo_id: UUID) -> RepoRef | None:
    """A repo of this entity."""
    row = _REPO_BY_ID.row(tenant.id, repo_id)
    if row is None:
        return None
    number, remote_url, fetched_at, source_id, organization, slug = row
    path = ResourcePath(tenant.slug, organization, slug)
    return RepoRef(repo_id, number, bool(remote_url), fetched_at, path, source_id)


def ref_of(repo: Repo) -> RepoRef:
    """A repo's row as the value that requests pass around."""
    home = repo.home
    return RepoRef(repo.id, home.number, bool(home.remote_url), home.fetched_at, repo.path, repo.source_id)


def history_number(entity_id: UUID, repo_id: UUID) -> int | None:
    """RepoRef.number alone; None when there is no such repo."""
    row = _HISTORY_NUMBER.row(entity_id, repo_id)
    return None if row is None else int(row[0])


def globs_of(repo: RepoRef) -> tuple[str, ...]:
    """The paths that belong to a part, as core.globs has them; none for any other repo, whose paths all do."""
    if repo.source_id is None:
        return ()
    text = Repo.objects.filter(entity__slug=repo.path.entity, id=repo.id).values_list("path_globs", flat=True).first()
    return tuple((text or "").splitlines())


def find_tenant(slug: str) -> Tenant:
    """An entity by its slug. Raises NotFound."""
    entity = Entity.objects.filter(slug=slug).first()
    if entity is None:
        raise nothing_there(ResourcePath(slug))
    return tenant_of(entity)


def entity_of(tenant: Tenant) -> Entity:
    """A tenant's row, for its settings."""
    return Entity.objects.get(id=tenant.id)


def every_tenant() -> list[Tenant]:
    """Every entity of the instance, by slug: for its operator."""
    return [tenant_of(entity) for entity in Entity.objects.order_by("slug")]


def tenant_of(entity: Entity) -> Tenant:
    """An entity's row as the value that requests pass around."""
    return Tenant(entity.id, entity.slug, entity.time_zone, DateOrder(entity.date_order))


def find_repo(path: ResourcePath) -> Repo:
    """A repo's row by its path. Raises NotFound."""
    found = (
        Repo.objects.select_related(*_SHOWN)
        .filter(entity__slug=path.entity, organization__slug=path.organization, slug=path.repo)
        .first()
    )
    if found is None:
        raise nothing_there(path)
    return found


def repos_of(place: Place) -> list[Repo]:
    """Every repo at or below a place, by path."""
    repos = Repo.objects.select_related(*_SHOWN).filter(entity_id=place.tenant.id)
    if place.organization_id is not None:
        repos = repos.filter(organization_id=place.organization_id)
    if place.repo is not None:
        repos = repos.filter(id=place.repo.id)
    return list(repos.order_by("organization__slug", "slug"))


def failing_repos() -> list[Repo]:
    """Every repo of the instance whose last index failed, by path: for its operator."""
    repos = Repo.objects.select_related(*_SHOWN).filter(index_state=IndexState.FAILED)
    return list(repos.order_by("entity__slug", "organization__slug", "slug"))


def repo_counts() -> list[tuple[str, int]]:
    """(index state, number) of the repos of the whole instance: for its operator."""
    return [(state, count) for state, count in _REPO_COUNTS.rows()]


def stale_repos(before: int) -> list[Repo]:
    """Every repo with a remote, not failing, that nobody has fetched since then (epoch seconds): for its operator."""
    rows = Repo.objects.select_related(*_SHOWN).exclude(remote_url="").exclude(index_state=IndexState.FAILED)
    stale = rows.filter(Q(fetched_at__lt=before) | Q(fetched_at=None, created_at__lt=before))
    return list(stale.order_by("entity__slug", "organization__slug", "slug"))


def parts_of(repo: Repo) -> list[Repo]:
    """The repos that are part of this one, by path."""
    parts = Repo.objects.select_related(*_SHOWN).filter(entity_id=repo.entity_id, source_id=repo.id)
    return list(parts.order_by("organization__slug", "slug"))


def organizations_of(tenant: Tenant) -> list[Organization]:
    """Every organization of an entity, by slug."""
    return list(Organization.objects.filter(entity_id=tenant.id).order_by("slug"))


def repo_paths(tenant: Tenant, repo_ids: Iterable[UUID]) -> dict[UUID, ResourcePath]:
    """The paths of these repos, in one query."""
    rows = Repo.objects.filter(entity_id=tenant.id, id__in=set(repo_ids)).values_list(
        "id", "organization__slug", "slug"
    )
    return {repo_id: ResourcePath(tenant.slug, organization, slug) for repo_id, organization, slug in rows}

"""The reads of delivery: lists, single things. Every list costs a fixed number of queries."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from uuid import UUID

from django.db.models import Count, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from shipmend.catalog.models import Repo
from shipmend.catalog.queries import Place, Tenant, organizations_of, repo_paths
from shipmend.core.defects import DefectState
from shipmend.core.errors import NotFound
from shipmend.core.releases import CommitState, Status
from shipmend.core.values import ResourcePath
from shipmend.db.sql import Statement
from shipmend.delivery.models import CriticalDefect, DefectFix, Release
from shipmend.delivery.ordering import latest_first
from shipmend.delivery.views import DefectView, FixView, NamedRelease, ReleaseView
from shipmend.history.models import Commit

PAGE_SIZE = 100

# From each environment of a repo straight to the next: there are few, and each may have thousands of releases.
_ENVIRONMENTS = (
    "WITH RECURSIVE found(repo_id, environment) AS (SELECT r.id, (SELECT MIN(x.environment) FROM delivery_release x"
    "  WHERE x.entity_id = r.entity_id AND x.repo_id = r.id AND x.deleted_at IS NULL)"
    "  FROM catalog_repo r WHERE r.entity_id = ?{}"
    " UNION ALL SELECT found.repo_id, (SELECT MIN(x.environment) FROM delivery_release x WHERE x.entity_id = ?"
    "  AND x.repo_id = found.repo_id AND x.environment > found.environment AND x.deleted_at IS NULL)"
    "  FROM found WHERE found.environment IS NOT NULL)"
    " SELECT DISTINCT environment FROM found WHERE environment IS NOT NULL ORDER BY environment"
)
_OF_ENTITY = Statement(_ENVIRONMENTS.format(""))
_OF_ORGANIZATION = Statement(_ENVIRONMENTS.format(" AND r.organization_id = ?"))
_OF_REPO = Statement(_ENVIRONMENTS.format(" AND r.id = ?"))

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page of a list, counted from 1."""

    items: tuple[T, ...]
    number: int
    size: int
    total: int

    @property
    def has_next(self) -> bool:
        """Whether more follow."""
        return self.number * self.size < self.total

    @property
    def count(self) -> int:
        """How many pages there are, at least one."""
        return max(1, -(-self.total // self.size))


def list_releases(
    place: Place,
    *,
    start: int | None = None,
    end: int | None = None,
    environment: str | None = None,
    page: int = 1,
    size: int = PAGE_SIZE,
) -> Page[ReleaseView]:
    """The releases at or below a place with `start` <= released_at < `end`, newest first."""
    rows = _within(Release.objects.filter(deleted_at=None), place, "repo")
    rows = between(rows, "released_at", start, end)
    if environment is not None:
        rows = rows.filter(environment=environment)
    # An index by repo and environment counts them; to look for the latest, the one by time is better.
    total = rows.count() if environment is None else rows.filter(repo__in=_repos_at(place)).count()
    shown = list(latest_first(rows, skip=(page - 1) * size, take=size))
    return Page(_release_views(place.tenant, shown), page, size, total)


def get_release(tenant: Tenant, release_id: UUID) -> ReleaseView:
    """One release that has not been deleted. Raises NotFound."""
    row = Release.objects.filter(entity_id=tenant.id, id=release_id, deleted_at=None).first()
    if row is None:
        raise NotFound(f'There is no release "{release_id}" that can be reached from here.')
    return _release_views(tenant, [row])[0]


def live_release(place: Place, environment: str) -> NamedRelease | None:
    """The succeeded release that came last to an environment of the place's repo."""
    rows = _within(Release.objects.filter(deleted_at=None, environment=environment), place, "repo")
    rows = rows.filter(status=Status.SUCCEEDED, commit_state__in=[CommitState.KNOWN, CommitState.UNVERIFIED])
    latest = rows.order_by("-released_at", F("commit_number").desc(nulls_last=True), "-release_sha")
    row = latest.values_list("id", "name", "release_sha", "released_at").first()
    return NamedRelease(*row) if row else None


def environments_of(place: Place) -> list[str]:
    """The environments that releases at or below a place went to, by name."""
    entity_id = place.tenant.id
    if place.repo is not None:
        rows = _OF_REPO.rows(entity_id, place.repo.id, entity_id)
    elif place.organization_id is not None:
        rows = _OF_ORGANIZATION.rows(entity_id, place.organization_id, entity_id)
    else:
        rows = _OF_ENTITY.rows(entity_id, entity_id)
    return [name for (name,) in rows]


def list_defects(
    place: Place,
    *,
    start: int | None = None,
    end: int | None = None,
    state: DefectState | None = None,
    page: int = 1,
    size: int = PAGE_SIZE,
) -> Page[DefectView]:
    """The defects of a place detected in the window, newest first: found at or below it, or with a fix there."""
    rows = between(defects_of_place(place), "detected_at", start, end)
    if state is not None:
        rows = rows.filter(resolved_at__isnull=state is DefectState.OPEN)
    total = rows.count()
    shown = list(rows.order_by("-detected_at", "defect_key")[(page - 1) * size : page * size])
    return Page(_defect_views(place.tenant, shown), page, size, total)


def latest_defects(place: Place, *, size: int) -> dict[DefectState, Page[DefectView]]:
    """The latest open ones of a place and the latest resolved ones, in six queries."""
    every = defects_of_place(place)
    counts = every.aggregate(all=Count("id"), resolved=Count("resolved_at"))
    totals = {DefectState.OPEN: counts["all"] - counts["resolved"], DefectState.RESOLVED: counts["resolved"]}
    latest = every.order_by("-detected_at", "defect_key")
    rows = {state: list(latest.filter(resolved_at__isnull=state is DefectState.OPEN)[:size]) for state in totals}
    views = {view.id: view for view in _defect_views(place.tenant, [row for each in rows.values() for row in each])}
    return {state: Page(tuple(views[row.id] for row in rows[state]), 1, size, total) for state, total in totals.items()}


def defects_of_place(place: Place) -> QuerySet[CriticalDefect]:
    """The defects found at or below a place, or with a fix there."""
    return CriticalDefect.objects.filter(_defect_reach(place), entity_id=place.tenant.id, deleted_at=None)


def views_of_defects(tenant: Tenant, defect_ids: Collection[UUID]) -> tuple[DefectView, ...]:
    """These defects of an entity, in any order."""
    return _defect_views(tenant, list(CriticalDefect.objects.filter(entity_id=tenant.id, id__in=defect_ids)))


def get_defect(tenant: Tenant, key: str) -> DefectView:
    """One defect that has not been deleted. Raises NotFound."""
    row = CriticalDefect.objects.filter(entity_id=tenant.id, defect_key=key, deleted_at=None).first()
    if row is None:
        raise NotFound(f'There is no defect "{key}" that can be reached from here.')
    return _defect_views(tenant, [row])[0]


def _within(rows: QuerySet[Release], place: Place, repo: str) -> QuerySet[Release]:
    rows = rows.filter(entity_id=place.tenant.id)
    if place.repo is not None:
        return rows.filter(**{f"{repo}_id": place.repo.id})
    if place.organization_id is not None:
        return rows.filter(**{f"{repo}__organization_id": place.organization_id})
    return rows


def _repos_at(place: Place) -> QuerySet[Repo]:
    repos = Repo.objects.filter(entity_id=place.tenant.id)
    return repos if place.organization_id is None else repos.filter(organization_id=place.organization_id)


def between(rows: QuerySet[Any], field: str, start: int | None, end: int | None) -> QuerySet[Any]:
    """Those with `start` <= field < `end`; None bounds nothing."""
    if start is not None:
        rows = rows.filter(**{f"{field}__gte": start})
    if end is not None:
        rows = rows.filter(**{f"{field}__lt": end})
    return rows


def _defect_reach(place: Place) -> Q:
    if place.repo is not None:
        fixed = DefectFix.objects.filter(entity_id=place.tenant.id, repo_id=place.repo.id)
        return Q(repo_id=place.repo.id) | Q(id__in=fixed.values("defect_id"))
    if place.organization_id is not None:
        organization = place.organization_id
        fixed = DefectFix.objects.filter(entity_id=place.tenant.id, repo__organization_id=organization)
        found = Q(organization_id=organization) | Q(repo__organization_id=organization)
        return found | Q(id__in=fixed.values("defect_id"))
    return Q()


def _release_views(tenant: Tenant, rows: Sequence[Release]) -> tuple[ReleaseView, ...]:
    paths = repo_paths(tenant, (row.repo_id for row in rows))
    subjects = _subjects(tenant, rows)
    return tuple(
        ReleaseView(
            id=row.id,
            path=paths[row.repo_id],
            environment=row.environment,
            name=row.name,
            released_at=row.released_at,
            release_sha=row.release_sha,
            kind=row.kind,
            status=row.status,
            commit_state=row.commit_state,
            issue_keys=tuple(json.loads(row.issue_keys)),
            subject=subjects[row.id] or "",
        )
        for row in rows
    )


def _subjects(tenant: Tenant, rows: Sequence[Release]) -> dict[UUID, str | None]:
    """The first lines of the release commits, in one query; None where the history is not known."""
    commit = Commit.objects.filter(
        entity_id=OuterRef("entity_id"),
        repo_number=Coalesce(OuterRef("repo__source__number"), OuterRef("repo__number")),
        id=OuterRef("commit_number"),
    )
    of_rows = Release.objects.filter(entity_id=tenant.id, id__in=[row.id for row in rows])
    return dict(of_rows.annotate(subject=Subquery(commit.values("subject")[:1])).values_list("id", "subject"))


def _defect_views(tenant: Tenant, rows: Sequence[CriticalDefect]) -> tuple[DefectView, ...]:
    organizations = _organization_slugs(tenant)
    fixes = list(DefectFix.objects.filter(entity_id=tenant.id, defect_id__in=[row.id for row in rows]))
    repo_ids = {fix.repo_id for fix in fixes} | {row.repo_id for row in rows if row.repo_id}
    paths = repo_paths(tenant, repo_ids)
    return tuple(_defect_view(tenant, row, organizations, paths, fixes) for row in rows)


def _defect_view(
    tenant: Tenant,
    row: CriticalDefect,
    organizations: dict[UUID, str],
    paths: dict[UUID, ResourcePath],
    fixes: Sequence[DefectFix],
) -> DefectView:
    if row.repo_id:
        path = paths[row.repo_id]
    else:
        path = ResourcePath(tenant.slug, organizations[row.organization_id] if row.organization_id else "")
    own = (
        FixView(
            fix.id,
            fix.repo_id,
            paths[fix.repo_id],
            fix.released_at,
            fix.release_sha,
            fix.time_from_commit,
            fix.commit_state,
            fix.commit_number,
        )
        for fix in fixes
        if fix.defect_id == row.id
    )
    return DefectView(
        id=row.id,
        key=row.defect_key,
        path=path,
        detected_at=row.detected_at,
        description=row.description,
        severity=row.severity,
        resolved_at=row.resolved_at,
        fixes=tuple(sorted(own, key=_fix_order)),
    )


def _fix_order(fix: FixView) -> tuple[bool, int, str, str]:
    return (fix.released_at is None, fix.released_at or 0, str(fix.path), fix.release_sha)


def _organization_slugs(tenant: Tenant) -> dict[UUID, str]:
    return {organization.id: organization.slug for organization in organizations_of(tenant)}

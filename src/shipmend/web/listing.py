"""What the page of an entity, an organization or a repo shows, read in a fixed number of queries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from django.http import QueryDict

from shipmend.catalog.models import Repo
from shipmend.catalog.queries import Place, repos_of
from shipmend.core.defects import DefectState
from shipmend.core.values import ResourcePath
from shipmend.delivery.queries import Page, environments_of, list_defects, list_releases
from shipmend.delivery.views import DefectView, ReleaseView
from shipmend.web.filters import ListFilter, Narrowing, page_number

SIZE = 50


@dataclass(frozen=True, slots=True)
class Shelf:
    """An organization and its repos."""

    path: ResourcePath
    repos: tuple[Repo, ...]


@dataclass(frozen=True, slots=True)
class Listing:
    """The lists of a place, each on its own page. None for one that the filter leaves out."""

    place: Place
    filter: ListFilter
    narrowing: Narrowing
    shelves: tuple[Shelf, ...]
    environments: Sequence[str]
    releases: Page[ReleaseView]
    open: Page[DefectView] | None
    resolved: Page[DefectView] | None

    @property
    def repo(self) -> Repo | None:
        """The repo's row, on a repo's page."""
        return self.shelves[0].repos[0] if self.place.repo else None

    @property
    def knows_defects(self) -> bool:
        """Whether there is something to say of open defects before all else."""
        return self.open is not None and bool(self.open.total or (self.resolved and self.resolved.total))

    @property
    def example(self) -> ResourcePath | None:
        """A repo to name in an example call."""
        return self.shelves[0].repos[0].path if self.shelves else None

    @property
    def has_environments(self) -> bool:
        """Whether releases went anywhere but to production."""
        return any(name != "production" for name in self.environments)


def read_listing(place: Place, query: QueryDict) -> Listing:
    """Read all of it."""
    environments = environments_of(place)
    chosen = ListFilter(query, environments, place.tenant.zone)
    narrowing = chosen.narrowing
    return Listing(
        place=place,
        filter=chosen,
        narrowing=narrowing,
        shelves=_shelves(place),
        environments=environments,
        releases=_releases(place, narrowing, page_number(query, "releases_page")),
        open=_defects(place, narrowing, DefectState.OPEN, page_number(query, "open_page")),
        resolved=_defects(place, narrowing, DefectState.RESOLVED, page_number(query, "resolved_page")),
    )


def _shelves(place: Place) -> tuple[Shelf, ...]:
    def organization(repo: Repo) -> ResourcePath:
        return ResourcePath(repo.entity.slug, repo.organization.slug)

    return tuple(Shelf(path, tuple(repos)) for path, repos in groupby(repos_of(place), organization))


def _releases(place: Place, narrowing: Narrowing, page: int) -> Page[ReleaseView]:
    return list_releases(
        place, start=narrowing.start, end=narrowing.end, environment=narrowing.environment, page=page, size=SIZE
    )


def _defects(place: Place, narrowing: Narrowing, state: DefectState, page: int) -> Page[DefectView] | None:
    if narrowing.state not in (None, state):
        return None
    return list_defects(place, start=narrowing.start, end=narrowing.end, state=state, page=page, size=SIZE)

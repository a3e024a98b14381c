"""The lists of a place, each read in a fixed number of queries."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from django.http import QueryDict

from shipmend.catalog.models import Repo
from shipmend.catalog.queries import Place
from shipmend.core.values import ResourcePath
from shipmend.delivery.queries import Page, environments_of, list_releases
from shipmend.delivery.views import ReleaseView
from shipmend.web.filters import Narrowing, ReleaseFilter, page_number

SIZE = 50


@dataclass(frozen=True, slots=True)
class Shelf:
    """An organization and its repos."""

    path: ResourcePath
    repos: tuple[Repo, ...]


@dataclass(frozen=True, slots=True)
class ReleaseListing:
    """The releases of a place."""

    filter: ReleaseFilter
    narrowing: Narrowing
    environments: Sequence[str]
    releases: Page[ReleaseView]

    @property
    def has_environments(self) -> bool:
        """Whether releases went anywhere but to production."""
        return any(name != "production" for name in self.environments)


def shelves(repos: Iterable[Repo]) -> tuple[Shelf, ...]:
    """Repos, sorted by path, by organization."""

    def organization(repo: Repo) -> ResourcePath:
        return ResourcePath(repo.entity.slug, repo.organization.slug)

    return tuple(Shelf(path, tuple(those)) for path, those in groupby(repos, organization))


def read_releases(place: Place, query: QueryDict) -> ReleaseListing:
    """The releases that the address asks for."""
    environments = environments_of(place)
    chosen = ReleaseFilter(query, environments, place.tenant.zone)
    narrowing = chosen.narrowing
    page = list_releases(
        place,
        start=narrowing.start,
        end=narrowing.end,
        environment=narrowing.environment,
        page=page_number(query, "releases_page"),
        size=SIZE,
    )
    return ReleaseListing(chosen, narrowing, environments, page)

"""The lists of releases and of defects of an entity, an organization or a repo."""

from __future__ import annotations

from django.http import HttpResponse

from shipmend.api.origin import origin
from shipmend.catalog.queries import find_place, repos_of
from shipmend.core.values import ResourcePath, Role
from shipmend.db.clock import epoch_now
from shipmend.web.listing import read_defects, read_releases
from shipmend.web.snippets import defect_call, release_call
from shipmend.web.visits import PAGE, Visit, within


@within(Role.VIEWER, *PAGE)
def releases(visit: Visit, organization: str = "", repo: str = "") -> HttpResponse:
    """The releases, the newest first."""
    place = find_place(visit.tenant, ResourcePath(visit.tenant.slug, organization, repo))
    listing = read_releases(place, visit.request.GET)
    example = next(iter(repos_of(place)), None)
    context: dict[str, object] = {
        "path": place.path,
        "listing": listing,
        "release_call": release_call(origin(visit.request), example.path) if example else "",
    }
    return visit.render("releases.html", context)


@within(Role.VIEWER, *PAGE)
def defects(visit: Visit, organization: str = "", repo: str = "") -> HttpResponse:
    """The defects, the newest first, the open ones before all else."""
    place = find_place(visit.tenant, ResourcePath(visit.tenant.slug, organization, repo))
    context: dict[str, object] = {
        "path": place.path,
        "listing": read_defects(place, visit.request.GET),
        "now": epoch_now(),
        "defect_call": defect_call(origin(visit.request), place.path),
    }
    return visit.render("defects.html", context)

"""The list of releases of an entity, an organization or a repo."""

from __future__ import annotations

from django.http import HttpResponse

from shipmend.api.origin import origin
from shipmend.catalog.queries import find_place, repos_of
from shipmend.core.values import ResourcePath, Role
from shipmend.web.listing import read_releases
from shipmend.web.snippets import release_call
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

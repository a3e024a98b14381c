"""The overview of an entity, an organization or a repo: how delivery goes, at a glance."""

from __future__ import annotations

from django.http import HttpResponse

from shipmend.api.origin import origin
from shipmend.catalog.queries import find_place
from shipmend.core.values import ResourcePath, Role
from shipmend.db.clock import epoch_now
from shipmend.web.overviews import read_overview
from shipmend.web.snippets import defect_call, release_call
from shipmend.web.visits import PAGE, Visit, within


@within(Role.VIEWER, *PAGE)
def overview(visit: Visit, organization: str = "", repo: str = "") -> HttpResponse:
    """The numbers, the timeline, what is open now, and the latest releases."""
    found = find_place(visit.tenant, ResourcePath(visit.tenant.slug, organization, repo))
    seen = read_overview(found, visit.request.GET)
    address = origin(visit.request)
    context: dict[str, object] = {
        "path": found.path,
        "overview": seen,
        "picker": seen.picker,
        "now": epoch_now(),
        "release_call": release_call(address, seen.repos[0].path) if seen.repos else "",
        "defect_call": defect_call(address, found.path),
    }
    return visit.render("overview.html", context)

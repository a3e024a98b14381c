"""Where a reader begins, and the pages of one defect and of a repo's index."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render

from shipmend.accounts.models import User
from shipmend.accounts.people import entities_of, nobody_yet
from shipmend.catalog.queries import find_place, repos_of
from shipmend.core.values import ResourcePath, Role
from shipmend.web.visits import PAGE, Visit, public, signed_in, within


@public(*PAGE)
def home(request: HttpRequest) -> HttpResponseBase:
    """Where a reader begins: their entities, the sign-in page, or how to set the instance up."""
    if not isinstance(request.user, User):
        return redirect("setup-where" if nobody_yet() else "sign-in")
    return entities(request)


@signed_in(*PAGE)
def entities(request: HttpRequest, user: User) -> HttpResponse:
    """The reader's entities; straight on to the only one."""
    found = entities_of(user)
    if len(found) == 1:
        return redirect("place", found[0].slug)
    return render(request, "entities.html", {"entities": found})


@within(Role.VIEWER, *PAGE)
def index_state(visit: Visit, organization: str, repo: str) -> HttpResponse:
    """Where a repo's index stands, asked for again and again by its page while it runs."""
    found = find_place(visit.tenant, ResourcePath(visit.tenant.slug, organization, repo))
    return visit.render("parts/index_state.html", {"repo": repos_of(found)[0]})

"""Is it live, the page of a ticket, and what waits for a release."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from shipmend.accounts.models import User
from shipmend.accounts.people import entities_of, tenant_for
from shipmend.catalog.queries import Place, find_place, tenant_of
from shipmend.core.values import ResourcePath, Role
from shipmend.delivery.live import find_live
from shipmend.delivery.models import PRODUCTION
from shipmend.delivery.queries import environments_of
from shipmend.delivery.ticket_page import read_ticket
from shipmend.delivery.waiting import count_waiting, list_waiting
from shipmend.web.filters import page_number
from shipmend.web.visits import PAGE, Visit, signed_in, within

LONGEST = 250


@signed_in(*PAGE)
def live(request: HttpRequest, user: User) -> HttpResponse:
    """Where a commit, a ticket or a release stands, in one place or in all that the reader may see."""
    text = _one_line(request.GET.get("q", ""))
    path = request.GET.get("resource_path", "").strip()
    places = _places(user, path)
    found = [(place, find_live(place, text)) for place in places] if text else []
    context = {
        "q": text,
        "resource_path": path,
        "found": [(place, answer) for place, answer in found if answer.is_known],
        "unknown": [answer for _, answer in found if not answer.is_known],
        "many": len(places) > 1,
    }
    return render(request, "live.html", context)


def _one_line(text: str) -> str:
    """What was asked, without what no database stores."""
    return "".join(character for character in text.strip() if character.isprintable())[:LONGEST]


def _places(user: User, path: str) -> list[Place]:
    """Where to look. Raises Invalid and NotFound."""
    if not path:
        return [Place(tenant, ResourcePath(tenant.slug)) for tenant in map(tenant_of, entities_of(user))]
    asked = ResourcePath.parse(path)
    tenant, _ = tenant_for(user, asked.entity, Role.VIEWER)
    return [find_place(tenant, asked)]


@within(Role.VIEWER, *PAGE)
def ticket(visit: Visit, key: str) -> HttpResponse:
    """One ticket: where it is live, its commits, and the releases that shipped them."""
    place = Place(visit.tenant, ResourcePath(visit.tenant.slug))
    page = page_number(visit.request.GET, "page")
    return visit.render("ticket.html", {"path": place.path, "ticket": read_ticket(place, _one_line(key), page=page)})


@within(Role.VIEWER, *PAGE)
def waiting(visit: Visit, organization: str = "", repo: str = "") -> HttpResponse:
    """What is merged and not released, at and below a place; or only how much, for a part of another page."""
    place = find_place(visit.tenant, ResourcePath(visit.tenant.slug, organization, repo))
    if "count" in visit.request.GET:
        return visit.render("parts/waiting_link.html", {"path": place.path, "count": count_waiting(place)})
    environment = visit.request.GET.get("environment") or PRODUCTION
    known = environments_of(place)
    found = list_waiting(
        place,
        environment=environment if environment in known else PRODUCTION,
        page=page_number(visit.request.GET, "page"),
    )
    environments = dict.fromkeys([PRODUCTION, *known])
    return visit.render("waiting.html", {"path": place.path, "waiting": found, "environments": list(environments)})

"""Settings → Tickets: what counts as a ticket's key, and what that finds."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect

from shipmend.catalog.queries import entity_of
from shipmend.core.tickets import STANDARDS, USUAL
from shipmend.core.values import Role
from shipmend.history.actions import look_for_tickets
from shipmend.history.ticket_preview import preview_tickets
from shipmend.history.tickets import pattern_of
from shipmend.web.ticket_form import TicketForm
from shipmend.web.visits import FORM, PAGE, Visit, within

SHOWN = 15
"""Commits with tickets, and as many without any."""


@within(Role.VIEWER, *PAGE)
def tickets(visit: Visit) -> HttpResponse:
    """What counts as a ticket, and a form to look at something else: what is asked for stands in the address."""
    query = visit.request.GET
    return _page(visit, TicketForm(query if "preview" in query else TicketForm.present(entity_of(visit.tenant))))


@within(Role.OWNER, *FORM)
def set_tickets(visit: Visit) -> HttpResponse:
    """Set the pattern that was looked at."""
    if visit.request.method != "POST":
        return redirect("settings-tickets", visit.tenant.slug)
    form = TicketForm(visit.request.POST)
    if form.is_valid():
        with form.refusals():
            pattern = form.text("ticket_pattern")
            look_for_tickets(tenant=visit.tenant, pattern=pattern, numbers=form.numbers, actor=visit.actor)
            messages.success(visit.request, "Set. The messages of all commits are being read for it.")
            return redirect("settings-tickets", visit.tenant.slug)
    return _page(visit, form, status=400)


def _page(visit: Visit, form: TicketForm, *, status: int = 200) -> HttpResponse:
    present = pattern_of(visit.tenant.id)
    context: dict[str, object] = {"form": form, "usual": USUAL, "standards": sorted(STANDARDS), "shown": SHOWN}
    if form.is_valid():
        context["preview"] = preview_tickets(visit.tenant, form.pattern)
        context["is_set"] = form.pattern.fingerprint == present.fingerprint
    return visit.render("settings/tickets.html", context, status=status)

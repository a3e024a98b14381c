"""An entity's settings: its name and dates, and its members."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from shipmend.accounts.people import Invitation, invite, invite_again, members_of, remove_member, set_role
from shipmend.api.origin import origin
from shipmend.catalog.actions import change_entity, choose_metrics
from shipmend.catalog.queries import entity_of
from shipmend.core.values import Role
from shipmend.web.forms import EntityForm, MemberForm, MetricsForm, time_zones
from shipmend.web.visits import ACT, FORM, Visit, within


@within(Role.OWNER, *FORM)
def general(visit: Visit) -> HttpResponse:
    """Name, time zone, and the order of dates that could be read two ways."""
    form = EntityForm.of(entity_of(visit.tenant), visit.request.POST or None)
    if form.is_valid():
        with form.refusals():
            change_entity(
                tenant=visit.tenant,
                name=form.text("name"),
                time_zone=form.text("time_zone"),
                date_order=form.order,
                public_badges=bool(form.cleaned_data["public_badges"]),
                actor=visit.actor,
            )
            messages.success(visit.request, "Saved. Dates stored before keep the instants they were read as.")
            return redirect("settings-general", visit.tenant.slug)
    context: dict[str, object] = {"form": form, "zones": time_zones()}
    return visit.render("settings/general.html", context, status=400 if form.errors else 200)


@within(Role.OWNER, *FORM)
def metrics(visit: Visit) -> HttpResponse:
    """What counts as the cause of a defect, and as a failure."""
    form = MetricsForm.of(entity_of(visit.tenant), visit.request.POST or None)
    if form.is_valid():
        with form.refusals():
            choose_metrics(
                tenant=visit.tenant,
                cause_window_hours=form.cleaned_data["cause_window_hours"],
                rollbacks_fail=form.cleaned_data["rollbacks_fail"],
                actor=visit.actor,
            )
            messages.success(visit.request, "Saved. All figures follow, those of the past too.")
            return redirect("settings-metrics", visit.tenant.slug)
    return visit.render("settings/metrics.html", {"form": form}, status=400 if form.errors else 200)


@within(Role.OWNER, *FORM)
def members(visit: Visit) -> HttpResponse:
    """Who belongs to the entity, and a form to add someone."""
    form = MemberForm(visit.request.POST or None)
    if form.is_valid():
        with form.refusals():
            actor, role = visit.actor, form.chosen
            return _welcome(visit, invite(tenant=visit.tenant, email=form.text("email"), role=role, actor=actor))
    return _members(visit, form, status=400 if form.errors else 200)


@within(Role.OWNER, *ACT)
def change_role(visit: Visit) -> HttpResponse:
    """Change what a member may do."""
    form = MemberForm(visit.request.POST)
    if form.is_valid():
        set_role(tenant=visit.tenant, email=form.text("email"), role=form.chosen, actor=visit.actor)
        messages.success(visit.request, f"The role of {form.text('email')} is {form.chosen} now.")
    return redirect("settings-members", visit.tenant.slug)


@within(Role.OWNER, *ACT)
def remove(visit: Visit, membership_id: UUID) -> HttpResponse:
    """End a membership."""
    remove_member(tenant=visit.tenant, membership_id=membership_id, actor=visit.actor)
    messages.success(visit.request, "Removed. What they did stays in the audit trail.")
    return redirect("settings-members", visit.tenant.slug)


@within(Role.OWNER, *ACT)
def invite_once_more(visit: Visit, membership_id: UUID) -> HttpResponse:
    """A fresh login link for a member who has not signed in yet."""
    return _welcome(visit, invite_again(tenant=visit.tenant, membership_id=membership_id, actor=visit.actor))


def _welcome(visit: Visit, invitation: Invitation) -> HttpResponse:
    """Show the link to hand over: the only time it is known. Someone with an account needs none."""
    email = invitation.membership.user.email
    if invitation.secret is None:
        messages.success(visit.request, f"{email} is a member now, and signs in as before.")
        return redirect("settings-members", visit.tenant.slug)
    link = origin(visit.request) + reverse("login-link", args=[invitation.secret])
    return _members(visit, MemberForm(), link=link, invited=email)


def _members(visit: Visit, form: MemberForm, *, status: int = 200, link: str = "", invited: str = "") -> HttpResponse:
    context = {"form": form, "members": members_of(visit.tenant), "link": link, "invited": invited, "roles": list(Role)}
    response = visit.render("settings/members.html", context, status=status)
    response["Cache-Control"] = "no-store"
    return response

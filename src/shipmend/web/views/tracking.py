"""Settings → Release tracking: the rules that make releases of history, and what another one would make."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect

from shipmend.catalog.queries import Place, repos_of
from shipmend.core.values import ResourcePath, Role
from shipmend.db.clock import epoch_now
from shipmend.delivery.rules import list_rules, preview
from shipmend.delivery.tracking import add_rule, delete_rule, is_set
from shipmend.web.rule_form import RuleForm
from shipmend.web.visits import ACT, FORM, PAGE, Visit, within

KEEP = "keep"


@within(Role.VIEWER, *PAGE)
def rules(visit: Visit) -> HttpResponse:
    """The rules, and a form to look at another one: what is asked for stands in the address."""
    query = visit.request.GET
    return _page(visit, _form(visit, query if "preview" in query else None))


@within(Role.MEMBER, *FORM)
def set_rule(visit: Visit) -> HttpResponse:
    """Set the rule that was looked at."""
    if visit.request.method != "POST":
        return redirect("settings-releases", visit.tenant.slug)
    form = _form(visit, visit.request.POST)
    if form.is_valid():
        with form.refusals():
            add_rule(tenant=visit.tenant, rule=form.rule, repo=form.ref, actor=visit.actor)
            messages.success(visit.request, f"The rule “{form.rule}” is set; its releases are being made.")
            return redirect("settings-releases", visit.tenant.slug)
    return _page(visit, form, status=400)


@within(Role.MEMBER, *ACT)
def delete(visit: Visit, rule_id: UUID) -> HttpResponse:
    """Delete a rule, with its releases or without them."""
    keeps = visit.request.POST.get("releases") == KEEP
    delete_rule(tenant=visit.tenant, rule_id=rule_id, keep_releases=keeps, actor=visit.actor, now=epoch_now())
    what = "what it made stays" if keeps else "what it made is being taken back"
    messages.success(visit.request, f"The rule is deleted; {what}.")
    return redirect("settings-releases", visit.tenant.slug)


def _form(visit: Visit, typed: QueryDict | None) -> RuleForm:
    return RuleForm(typed, repos=repos_of(Place(visit.tenant, ResourcePath(visit.tenant.slug))))


def _page(visit: Visit, form: RuleForm, *, status: int = 200) -> HttpResponse:
    context: dict[str, object] = {"form": form, "rules": list_rules(visit.tenant), "keep": KEEP}
    if form.is_valid():
        context["preview"] = preview(visit.tenant, form.rule, form.repos)
        context["is_set"] = is_set(visit.tenant, form.rule, form.ref)
    return visit.render("settings/releases.html", context, status=status)

"""What broke: the defect browser, the page of a defect, and what is done there."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect

from shipmend.api.origin import origin
from shipmend.audit import trail
from shipmend.catalog.queries import Place, find_place, repos_of
from shipmend.core.errors import Invalid
from shipmend.core.values import ResourcePath, Role
from shipmend.db.clock import epoch_now
from shipmend.delivery.blaming import SAID
from shipmend.delivery.defect_page import DefectPage, read_defect_page
from shipmend.web.defect_form import DefectForm, Doer
from shipmend.web.defect_forms import FORMS
from shipmend.web.defect_listing import read_defects
from shipmend.web.markdown import as_html
from shipmend.web.snippets import defect_call, fix_call
from shipmend.web.stage_bars import draw
from shipmend.web.trail_lines import Line, lines
from shipmend.web.visits import FORM, PAGE, Visit, within

SAYINGS = {action.replace("_", " ") for action in SAID.values()}
"""The lines of the audit trail that tell of the cause."""


@within(Role.VIEWER, *PAGE)
def browse_defects(visit: Visit, organization: str = "", repo: str = "") -> HttpResponse:
    """The defects of an entity, an organization or a repo: which and in what order stands in the address."""
    place = find_place(visit.tenant, ResourcePath(visit.tenant.slug, organization, repo))
    listing = read_defects(place, visit.request.GET, epoch_now())
    context: dict[str, object] = {
        "path": place.path,
        "listing": listing,
        "now": epoch_now(),
        "defect_call": defect_call(origin(visit.request), place.path),
    }
    return visit.render("defects.html", context)


@within(Role.VIEWER, *PAGE)
def defect(visit: Visit, key: str) -> HttpResponse:
    """One defect: its cause, its stages, its fixes, notes, and who reported and changed it."""
    return _page(visit, read_defect_page(visit.tenant, key), None)


@within(Role.MEMBER, *FORM)
def change_defect(visit: Visit, key: str) -> HttpResponse:
    """Do what one of the forms on the page of a defect says."""
    page = read_defect_page(visit.tenant, key)
    if visit.request.method != "POST":
        return redirect("defect", visit.tenant.slug, key)
    form = _sent(visit, page)
    if form.is_valid():
        with form.refusals():
            done = form.carry_out(Doer(visit.tenant, visit.actor, key, epoch_now()))
            messages.success(visit.request, done)
            gone = form.word == "cancel"
            return redirect("defects", visit.tenant.slug) if gone else redirect("defect", visit.tenant.slug, key)
    return _page(visit, page, form)


def _sent(visit: Visit, page: DefectPage) -> DefectForm:
    """The form that was sent, named by its button. Raises Invalid."""
    word, _, subject = visit.request.POST.get("do", "").partition(" ")
    if word not in FORMS:
        raise Invalid("do", "says nothing that can be done", value=word, mend="use the buttons of the page")
    return FORMS[word](visit.request.POST, page=page, tenant=visit.tenant, subject=subject)


def _page(visit: Visit, page: DefectPage, sent: DefectForm | None) -> HttpResponse:
    """The page; with the form that was refused, open and with what was typed."""
    tenant, found = visit.tenant, page.defect

    def form(word: str, subject: str = "") -> DefectForm:
        if sent is not None and (sent.word, sent.subject) == (word, subject):
            return sent
        return FORMS[word](None, page=page, tenant=tenant, subject=subject)

    now = epoch_now()
    told = lines(trail.latest(tenant.id, subject_id=found.id))
    fixed_in = found.path if found.path.level == "repo" else ResourcePath(tenant.slug, "organization", "repo")
    context: dict[str, object] = {
        "path": found.path,
        "page": page,
        "defect": found,
        "said": _saying(told),
        "bars": draw(page.repos, found.detected_at, now),
        "fixes": [(fix, None, None) for fix in found.fixes],
        "notes": as_html(page.notes),
        "now": now,
        "trail": told,
        "fix_call": fix_call(origin(visit.request), fixed_in, found.key),
    }
    if visit.is_member:
        context["forms"] = {word: form(word) for word in FORMS}
        context["fixes"] = [(fix, *(form(word, str(fix.id)) for word in ("fix", "remove"))) for fix in found.fixes]
        context["repos"] = repos_of(Place(tenant, ResourcePath(tenant.slug)))
    return visit.render("defect.html", context, status=400 if sent else 200)


def _saying(told: tuple[Line, ...]) -> Line | None:
    """Who said the last of the cause, if the trail on the page still tells."""
    return next((line for line in told if line.action in SAYINGS), None)

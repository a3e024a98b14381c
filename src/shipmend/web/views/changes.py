"""What changed: the page of a release, and of any two points of a repo."""

from __future__ import annotations

from enum import StrEnum
from typing import TypeVar
from uuid import UUID

from django.http import HttpResponse
from django.utils.http import content_disposition_header

from shipmend.audit import trail
from shipmend.catalog.queries import RepoRef, find_place
from shipmend.core.change_texts import MEDIA_TYPES, Form, as_text, headline
from shipmend.core.changes import Changes, View
from shipmend.core.values import ResourcePath, Role
from shipmend.delivery.changes import EVERYTHING, PAGE_SIZE, Part, changes_between, changes_of_release
from shipmend.delivery.queries import Page, get_release
from shipmend.delivery.rules import rule_behind
from shipmend.delivery.store import repo_at
from shipmend.web.filters import page_number
from shipmend.web.forms import CompareForm
from shipmend.web.trail_lines import lines
from shipmend.web.visits import PAGE, Visit, within

E = TypeVar("E", bound=StrEnum)


@within(Role.VIEWER, *PAGE)
def release(visit: Visit, organization: str, repo: str, release_id: UUID) -> HttpResponse:
    """One release: its facts, what it changed, and who reported and changed it."""
    home = _repo(visit, organization, repo)
    view = _chosen(View, visit, "view") or View.UNION
    changes = changes_of_release(visit.tenant, home, release_id, view, _part(visit))
    form = _chosen(Form, visit, "format")
    if form is not None:
        return _download(changes, form)
    context: dict[str, object] = {
        "path": home.path,
        "release": get_release(visit.tenant, release_id),
        "rule": rule_behind(visit.tenant, release_id),
        "trail": lines(trail.latest(visit.tenant.id, subject_id=release_id)),
        **_shown(visit, changes),
    }
    return visit.render("release.html", context)


@within(Role.VIEWER, *PAGE)
def compare(visit: Visit, organization: str, repo: str) -> HttpResponse:
    """What leads from one commit to another; a form to name them until they are."""
    home = _repo(visit, organization, repo)
    query = visit.request.GET
    typed = CompareForm(query if "from" in query or "to" in query else None)
    context: dict[str, object] = {"path": home.path, "form": typed}
    if typed.is_valid():
        with typed.refusals():
            changes = changes_between(visit.tenant, home, typed.text("from"), typed.text("to"), _part(visit))
            form = _chosen(Form, visit, "format")
            if form is not None:
                return _download(changes, form)
            context |= _shown(visit, changes)
    return visit.render("compare.html", context, status=400 if typed.errors else 200)


def _repo(visit: Visit, organization: str, repo: str) -> RepoRef:
    return repo_at(find_place(visit.tenant, ResourcePath(visit.tenant.slug, organization, repo)))


def _shown(visit: Visit, changes: Changes) -> dict[str, object]:
    """What the part of the page about changes is made of."""
    number = page_number(visit.request.GET, "page")
    return {
        "changes": changes,
        "headline": headline(changes),
        "commits": Page(changes.commits, number, PAGE_SIZE, changes.commit_total),
    }


def _part(visit: Visit) -> Part:
    is_page = _chosen(Form, visit, "format") is None
    return Part.page(page_number(visit.request.GET, "page")) if is_page else EVERYTHING


def _download(changes: Changes, form: Form) -> HttpResponse:
    response = HttpResponse(as_text(changes, form), content_type=f"{MEDIA_TYPES[form]}; charset=utf-8")
    if form is Form.CSV:
        named = content_disposition_header(as_attachment=True, filename=f"changes {changes.after.title}.csv")
        response["Content-Disposition"] = named or "attachment"
    return response


def _chosen(words: type[E], visit: Visit, parameter: str) -> E | None:
    """The word of a closed list that the address gives; None for anything else."""
    given = visit.request.GET.get(parameter, "")
    return words(given) if given in list(words) else None

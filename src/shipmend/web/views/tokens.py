"""Settings → API Dashboard: tokens, and how the latest calls were answered."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect

from shipmend.accounts import calls, tokens
from shipmend.accounts.models import ApiToken
from shipmend.accounts.tokens import IssuedToken
from shipmend.api.origin import origin
from shipmend.catalog.queries import Place, Tenant, repos_of
from shipmend.core.errors import Forbidden
from shipmend.core.values import ResourcePath, Role
from shipmend.web.forms import TokenForm
from shipmend.web.snippets import check_call, release_call
from shipmend.web.token_rows import reach_of, token_rows
from shipmend.web.visits import ACT, FORM, PAGE, Visit, within


@within(Role.VIEWER, *PAGE)
def dashboard(visit: Visit) -> HttpResponse:
    """Tokens, the latest calls, and a form to make a token."""
    return _dashboard(visit, TokenForm(tenant=visit.tenant))


@within(Role.MEMBER, *FORM)
def make(visit: Visit) -> HttpResponse:
    """Make a token and show it, once."""
    if visit.request.method != "POST":
        return redirect("settings-api", visit.tenant.slug)
    form = TokenForm(visit.request.POST, tenant=visit.tenant)
    if form.is_valid():
        with form.refusals():
            issued = tokens.issue(
                place=form.place,
                name=form.text("name"),
                scopes=form.scopes,
                days=form.lifetime,
                actor=visit.actor,
                created_by=visit.user,
            )
            return _show(visit, issued, form.place.path)
    return _dashboard(visit, form, status=400)


@within(Role.MEMBER, *ACT)
def rotate(visit: Visit, token_id: UUID) -> HttpResponse:
    """Make a successor and show it, once; the old one works for another day."""
    old = _own(visit, token_id)
    issued = tokens.rotate(tenant=visit.tenant, token_id=token_id, actor=visit.actor)
    return _show(visit, issued, reach_of(old, visit.tenant))


@within(Role.MEMBER, *ACT)
def revoke(visit: Visit, token_id: UUID) -> HttpResponse:
    """End a token at once."""
    _own(visit, token_id)
    tokens.revoke(tenant=visit.tenant, token_id=token_id, actor=visit.actor)
    messages.success(visit.request, "Revoked: the next call with this token is refused.")
    return redirect("settings-api", visit.tenant.slug)


def _own(visit: Visit, token_id: UUID) -> ApiToken:
    """A token that the reader may end. Raises NotFound and Forbidden."""
    token = tokens.token_in(visit.tenant, token_id)
    if not visit.is_owner and token.created_by_id != visit.user.id:
        raise Forbidden("This token was made by someone else: ask them, or an owner of the entity.")
    return token


def _show(visit: Visit, issued: IssuedToken, path: ResourcePath) -> HttpResponse:
    """The new token on the dashboard, with calls to try it: the only time its text is known."""
    address = origin(visit.request)
    shown = {
        "issued": issued,
        "check_call": check_call(address, issued.text),
        "release_call": release_call(address, path, issued.text) if path.repo else "",
    }
    return _dashboard(visit, TokenForm(tenant=visit.tenant), shown)


def _dashboard(
    visit: Visit, form: TokenForm, shown: dict[str, object] | None = None, *, status: int = 200
) -> HttpResponse:
    context = {
        "form": form,
        "calls": calls.latest(visit.tenant),  # first: what is still to be noted tells when a token was last used
        "tokens": token_rows(visit),
        "places": _places(visit.tenant),
        **(shown or {}),
    }
    response = visit.render("settings/api.html", context, status=status)
    response["Cache-Control"] = "no-store"
    return response


def _places(tenant: Tenant) -> list[str]:
    """Every path that a token can be bound to."""
    whole = ResourcePath(tenant.slug)
    repos = [repo.path for repo in repos_of(Place(tenant, whole))]
    organizations = [ResourcePath(path.entity, path.organization) for path in repos]
    return list(dict.fromkeys(map(str, (whole, *organizations, *repos))))

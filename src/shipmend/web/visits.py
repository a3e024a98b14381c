"""What stands in front of every view: the method, the reader, their role in the entity, and the refusals.

A view raises what the verbs raise; here, and nowhere else, a refusal becomes a page.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.utils.http import url_has_allowed_host_and_scheme

from shipmend.accounts.models import User
from shipmend.accounts.people import tenant_for
from shipmend.audit.trail import Actor
from shipmend.catalog.queries import Tenant
from shipmend.core.errors import (
    Forbidden,
    Invalid,
    MethodNotAllowed,
    NotFound,
    Refused,
    Throttled,
    Unavailable,
)
from shipmend.core.values import Role

View = Callable[..., HttpResponseBase]

PAGE = ("GET", "HEAD")
FORM = ("GET", "HEAD", "POST")
ACT = ("POST",)

STATUS: dict[type[Refused], tuple[int, str]] = {
    Invalid: (400, "That can't be done"),
    Forbidden: (403, "Not yours to do"),
    NotFound: (404, "Nothing here"),
    MethodNotAllowed: (405, "Not that way"),
    Throttled: (429, "Too many tries"),
    Unavailable: (503, "Not now"),
}


@dataclass(frozen=True, slots=True)
class Visit:
    """A signed-in reader's request to a page of an entity: where, who, and what they may do there."""

    request: HttpRequest
    user: User
    tenant: Tenant
    role: Role

    @property
    def actor(self) -> Actor:
        """The reader as the audit trail names them."""
        return Actor.user(self.user.email)

    @property
    def is_owner(self) -> bool:
        """Whether the reader may do everything in this entity."""
        return self.role is Role.OWNER

    @property
    def is_member(self) -> bool:
        """Whether the reader may write in this entity."""
        return self.role.includes(Role.MEMBER)

    def render(self, template: str, context: dict[str, object], *, status: int = 200) -> HttpResponse:
        """A page that also knows the visit."""
        return render(self.request, template, {"visit": self, **context}, status=status)


def public(*methods: str) -> Callable[[View], View]:
    """A view for anybody, by these methods."""

    def guard(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            try:
                if request.method not in methods:
                    raise MethodNotAllowed(str(request.method), methods)
                return view(request, *args, **kwargs)
            except Refused as refusal:
                return refused(request, refusal)

        return guarded

    return guard


def signed_in(*methods: str) -> Callable[[View], View]:
    """A view for whoever is signed in, called with the request and the user; anyone else is led to sign in."""

    def guard(view: View) -> View:
        @public(*methods)
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not isinstance(request.user, User):
                return _to_sign_in(request)
            return view(request, request.user, *args, **kwargs)

        return guarded

    return guard


def within(role: Role, *methods: str) -> Callable[[View], View]:
    """A view in an entity, called with a Visit, for those of its members who hold `role` at least."""

    def guard(view: View) -> View:
        @signed_in(*methods)
        @wraps(view)
        def guarded(request: HttpRequest, user: User, entity: str, **kwargs: Any) -> HttpResponseBase:
            tenant, held = tenant_for(user, entity, role)
            return view(Visit(request, user, tenant, held), **kwargs)

        return guarded

    return guard


def refused(request: HttpRequest, refusal: Refused) -> HttpResponse:
    """The page that tells a refusal."""
    status, title = STATUS.get(type(refusal), (400, "That can't be done"))
    context = {"title": title, "detail": refusal.detail, "back": _came_from(request)}
    response = render(request, "refused.html", context, status=status)
    if isinstance(refusal, Throttled | Unavailable):
        response["Retry-After"] = str(refusal.retry_after)
    if isinstance(refusal, MethodNotAllowed):
        response["Allow"] = ", ".join(refusal.allowed)
    return response


def _to_sign_in(request: HttpRequest) -> HttpResponse:
    if request.headers.get("HX-Request"):
        # A part of a page asked for in the background: let the whole page find out.
        return HttpResponse(status=204, headers={"HX-Refresh": "true"})
    back = request.get_full_path() if request.method in PAGE else "/"
    return HttpResponseRedirect(f"{settings.LOGIN_URL}?{urlencode({'next': back})}")


def _came_from(request: HttpRequest) -> str:
    """The page of ours whose form was refused, to go back to."""
    page = request.headers.get("Referer", "")
    is_ours = url_has_allowed_host_and_scheme(page, allowed_hosts={request.get_host()})
    return page if is_ours and request.method == "POST" else ""

"""What answers under /api/ when no operation does."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponseBase

from shipmend.api.envelope import refusal, respond
from shipmend.core.errors import NotFound, shown


def unknown(request: HttpRequest, **_: object) -> HttpResponseBase:
    """The envelope for a path that is no operation's."""
    detail = f"There is nothing at {shown(request.path)}: /api_reference lists every path of this API."
    return respond(refusal("action_unknown", NotFound(detail)))


unknown.csrf_exempt = True  # type: ignore[attr-defined]  # a POST to nowhere gets the envelope, not a form's error page

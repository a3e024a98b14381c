"""The service's own mounts, and the empty view."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import path

from shipmend.urls import urlpatterns as served


def empty(_: HttpRequest) -> HttpResponse:
    """Nothing but an answer."""
    return HttpResponse(b"{}", content_type="application/json")


empty.csrf_exempt = True  # type: ignore[attr-defined]  # it is posted to, like what it is compared with

urlpatterns = [path("empty", empty), *served]

"""The service's own mounts, the empty view, and a release recorded through the ORM."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import path

from bench.orm import post_release
from shipmend.urls import urlpatterns as served


def empty(_: HttpRequest) -> HttpResponse:
    """Nothing but an answer."""
    return HttpResponse(b"{}", content_type="application/json")


empty.csrf_exempt = True  # type: ignore[attr-defined]  # it is posted to, like what it is compared with

urlpatterns = [path("empty", empty), path("orm/releases", post_release), *served]

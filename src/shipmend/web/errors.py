"""The pages for addresses that lead nowhere and for faults of our own."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string

from shipmend.web.visits import PAGE

ENTITY_PAGES = ("/entities/", "/settings/")


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """No page has this address; the pages of an entity have none with a slash at its end, and are found without."""
    if request.method in PAGE and request.path.startswith(ENTITY_PAGES) and request.path.endswith("/"):
        asked = request.GET.urlencode()
        return redirect(f"{request.path.rstrip('/')}{'?' if asked else ''}{asked}")
    return render(request, "404.html", status=404)


def broken(request: HttpRequest) -> HttpResponse:
    """Something failed. The page asks nothing of the session or the database, which may be what failed."""
    return HttpResponse(render_to_string("500.html"), status=500)

"""The pages for addresses that lead nowhere and for faults of our own."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """No page has this address."""
    return render(request, "404.html", status=404)


def broken(request: HttpRequest) -> HttpResponse:
    """Something failed. The page asks nothing of the session or the database, which may be what failed."""
    return HttpResponse(render_to_string("500.html"), status=500)

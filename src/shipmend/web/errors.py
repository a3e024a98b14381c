"""The pages for addresses that lead nowhere and for faults of our own."""

from __future__ import annotations

import logging
import sys

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.utils.log import log_response

from shipmend.core.errors import Unavailable
from shipmend.db.writes import in_one_line, is_passing, unanswered
from shipmend.web.visits import PAGE

log = logging.getLogger(__name__)

ENTITY_PAGES = ("/entities/", "/settings/")


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """No page has this address; the pages of an entity have none with a slash at its end, and are found without."""
    if request.method in PAGE and request.path.startswith(ENTITY_PAGES) and request.path.endswith("/"):
        asked = request.GET.urlencode()
        return redirect(f"{request.path.rstrip('/')}{'?' if asked else ''}{asked}")
    return render(request, "404.html", status=404)


def broken(request: HttpRequest) -> HttpResponse:
    """Something failed. The page asks nothing of the session or the database, which may be what failed."""
    error = sys.exception()
    if isinstance(error, Exception) and _is_away(error):
        return _not_now(request, error)
    return HttpResponse(render_to_string("500.html"), status=500)


def _is_away(error: Exception) -> bool:
    """Whether the database is out of order for now, and no fault of ours ended the request."""
    return isinstance(error, Unavailable) or is_passing(error)


def _not_now(request: HttpRequest, error: Exception) -> HttpResponse:
    """The database is away. The page asks nothing of it, nor of the session, which is in it."""
    wait = {"Retry-After": str(unanswered(error).retry_after)}
    response = HttpResponse(render_to_string("503.html"), status=503, headers=wait)
    # One line in the log: any number of requests may meet it, and what the driver says has several. Django's own
    # function, so that it knows of it and adds none.
    what = f"{request.method} {request.path}"
    said = in_one_line(error)
    words = "The database could not serve %s: %s"
    log_response(words, what, said, response=response, request=request, logger=log, level="warning")
    return response

"""Around every request: an id, a count, and where wanted a line in the log."""

from __future__ import annotations

import logging
import re
import secrets
import time
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

from shipmend.logs import request_id
from shipmend.metrics import REQUEST_SECONDS, REQUESTS

HEADER = "X-Request-Id"
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")

log = logging.getLogger(__name__)

Handler = Callable[[HttpRequest], HttpResponseBase]


def watched(get_response: Handler) -> Handler:
    """The outermost middleware. A caller's own X-Request-Id is kept when it is short and plain."""
    logs_requests = settings.CONFIG.log_requests

    def handle(request: HttpRequest) -> HttpResponseBase:
        began = time.perf_counter()
        given = request.META.get("HTTP_X_REQUEST_ID", "")
        own = given if _ID.fullmatch(given) else secrets.token_hex(8)
        token = request_id.set(own)
        request.shipmend_id = own  # type: ignore[attr-defined]  # for logs.py, when Django tells of it afterwards
        try:
            response = get_response(request)
            response[HEADER] = own
            took = time.perf_counter() - began
            _count(request, response, took)
            if logs_requests:
                _log(request, response, took)
        finally:
            request_id.reset(token)
        return response

    return handle


def _count(request: HttpRequest, response: HttpResponseBase, took: float) -> None:
    method = request.method if request.method in METHODS else "other"
    match = request.resolver_match
    route = match.route if match else "none"
    REQUESTS.add(method or "other", route, str(response.status_code))
    REQUEST_SECONDS.observe(took, method or "other", route)


def _log(request: HttpRequest, response: HttpResponseBase, took: float) -> None:
    milliseconds = round(took * 1000, 1)
    told = {"status": response.status_code, "milliseconds": milliseconds, "address": request.META.get("REMOTE_ADDR")}
    log.info("%s %s", request.method, request.path, extra={"told": told})

"""What watchers ask: /healthz, /readyz, /metrics."""

from __future__ import annotations

from django.conf import settings
from django.db import DatabaseError, InterfaceError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from shipmend.db.state import is_read_only, missing_migrations
from shipmend.metrics import OF_THIS_PROCESS, page
from shipmend.server.environ import is_trusted, networks
from shipmend.watch.instance import of_the_database
from shipmend.watch.process import of_the_process

PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"


@csrf_exempt  # the refusal is of the method, not of a form
@require_safe
def alive(_: HttpRequest) -> HttpResponse:
    """GET /healthz: the process answers. Says nothing of the database: restarting would not mend that."""
    return _said({"alive": True})


@csrf_exempt
@require_safe
def ready(_: HttpRequest) -> HttpResponse:
    """GET /readyz: 200 when calls can be served, else 503 with the reason."""
    try:
        reads_only = is_read_only()
        missing = not _tables.are_current()
    except (DatabaseError, InterfaceError):
        return _said({"ready": False, "because": "the database does not answer"}, 503)
    if missing:
        return _said({"ready": False, "because": "migrations are missing: shipmend migrate"}, 503)
    if reads_only:
        return _said({"ready": False, "because": "the database takes no writes"}, 503)
    return _said({"ready": True})


@csrf_exempt
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """GET /metrics, for the addresses of SHIPMEND_METRICS_FROM: others don't learn that there is anything."""
    if not is_trusted(str(request.META.get("REMOTE_ADDR", "")), networks(settings.CONFIG.metrics_from)):
        raise Http404
    try:
        looked_up = of_the_database()
    except (DatabaseError, InterfaceError):
        looked_up = []
    return HttpResponse(page([*OF_THIS_PROCESS, *looked_up, *of_the_process()]), content_type=PROMETHEUS)


def _said(told: dict[str, object], status: int = 200) -> HttpResponse:
    response = JsonResponse(told, status=status)
    response["Cache-Control"] = "no-store"
    return response


class _Tables:
    """Whether every migration has been applied: looked for until it is so, since tables don't lose them again."""

    def __init__(self) -> None:
        self._are_current = False

    def are_current(self) -> bool:
        if not self._are_current:
            self._are_current = not missing_migrations()
        return self._are_current


_tables = _Tables()

"""The server and its worker, for the commands that serve."""

from __future__ import annotations

from collections.abc import Callable

from django.db import connections

from shipmend.accounts.calls import calls
from shipmend.api.body import MAX_BODY, MAX_LINES
from shipmend.lanes import lanes
from shipmend.server import ServerOptions, serve
from shipmend.settings import CONFIG
from shipmend.worker import make_worker
from shipmend.wsgi import application

LARGER_BODIES = (("/api/v1/batch", MAX_LINES),)


def serve_until_stopped(host: str, port: int, *, with_worker: bool, announce: Callable[[str], None]) -> None:
    """Serve until SIGTERM or SIGINT; `announce` is told the address. Raises CannotListen.

    The worker starts once the address is ours: a second server on the same port must not take jobs before it gives up.
    """
    worker = make_worker() if with_worker else None

    def ready(address: str) -> None:
        if worker:
            worker.start()
        announce(address)

    # What the command did so far is done: this thread only waits from here on.
    connections.close_all()
    options = ServerOptions(
        host,
        port,
        threads=CONFIG.threads,
        max_body=MAX_BODY,
        larger_bodies=LARGER_BODIES,
        trusted_proxies=CONFIG.trusted_proxies,
    )
    try:
        serve(application, options, on_ready=ready, lanes=lanes)
    finally:
        if worker:
            worker.stop()
        calls.flush()

"""`shipmend serve`: the web server, with a worker beside it."""

from __future__ import annotations

from shipmend.cli import links
from shipmend.cli.serving import serve_until_stopped


def run(*, host: str, port: int, no_worker: bool) -> int:
    """Serve until SIGTERM or SIGINT. An instance that nobody has set up yet says where that is done."""
    # Made before the server's event loop runs, in which Django refuses to touch the database.
    setup = links.setup_path()

    def announce(address: str) -> None:
        print(f"Shipmend is running at {links.origin(address)}", flush=True)
        if setup:
            print(f"Set it up at {links.origin(address)}{setup}", flush=True)

    serve_until_stopped(host, port, with_worker=not no_worker, announce=announce)
    return 0

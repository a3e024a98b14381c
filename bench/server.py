"""The real service with two more views to compare with: an empty one, and recording a release through the ORM."""

from __future__ import annotations

from shipmend.bootstrap import open_instance


def main() -> None:
    """Serve the instance of the environment on a free port, and print its address."""
    open_instance()

    from django.conf import settings

    settings.ROOT_URLCONF = "bench.urls"

    from shipmend.lanes import lanes
    from shipmend.server import ServerOptions, serve
    from shipmend.wsgi import application

    options = ServerOptions(host="127.0.0.1", port=0)
    serve(application, options, on_ready=lambda address: print(address, flush=True), lanes=lanes)


if __name__ == "__main__":
    main()

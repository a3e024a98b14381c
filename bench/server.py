"""The real service with one more view: an empty one, to compare with what the server alone costs."""

from __future__ import annotations

import sys
from pathlib import Path

from shipmend.bootstrap import open_instance


def main() -> None:
    """Serve the instance in argv[1] on a free port, and print its address."""
    open_instance(Path(sys.argv[1]))

    from django.conf import settings

    settings.ROOT_URLCONF = "bench.urls"

    from shipmend.server import ServerOptions, serve
    from shipmend.wsgi import application

    serve(application, ServerOptions(host="127.0.0.1", port=0), on_ready=lambda address: print(address, flush=True))


if __name__ == "__main__":
    main()

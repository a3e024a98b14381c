"""What every template knows."""

from __future__ import annotations

from functools import partial

from django.http import HttpRequest

from shipmend import __version__
from shipmend.api.origin import origin


def frame(request: HttpRequest) -> dict[str, object]:
    """The reader (None on an error page from outside the session), the instance's own address, the version."""
    return {
        "user": getattr(request, "user", None),
        "origin": partial(origin, request),
        "version": __version__,
    }

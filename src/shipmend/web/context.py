"""What every template knows."""

from __future__ import annotations

from functools import partial

from django.conf import settings
from django.http import HttpRequest

from shipmend import __version__


def frame(request: HttpRequest) -> dict[str, object]:
    """The reader (None on an error page from outside the session), the instance's own address, the version."""
    return {
        "user": getattr(request, "user", None),
        "origin": partial(origin, request),
        "version": __version__,
    }


def origin(request: HttpRequest) -> str:
    """The address that people and scripts reach this instance at, without a slash at its end."""
    return settings.CONFIG.public_url or f"{request.scheme}://{request.get_host()}"

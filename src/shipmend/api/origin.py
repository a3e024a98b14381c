"""The address that people and scripts reach this instance at."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest


def origin(request: HttpRequest) -> str:
    """It, without a slash at its end."""
    return settings.CONFIG.public_url or f"{request.scheme}://{request.get_host()}"

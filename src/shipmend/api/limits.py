"""Limits on how often the API may be called, counted in this process alone."""

from __future__ import annotations

import time
from uuid import UUID

from django.conf import settings

from shipmend.core.errors import Refused, Throttled
from shipmend.core.rates import MovingWindow

MINUTE = 60

_of_addresses = MovingWindow(MINUTE)
_of_tokens = MovingWindow(MINUTE)
_failures = MovingWindow(MINUTE)


def check_address(address: str) -> None:
    """Count a call from this address. Raises Throttled."""
    _check(_of_addresses, address, settings.CONFIG.calls_per_address, "from this address")


def check_token(token_id: UUID) -> None:
    """Count a call with this token. Raises Throttled."""
    _check(_of_tokens, str(token_id), settings.CONFIG.calls_per_token, "with this token")


def unauthorized(refused: Refused, address: str) -> Refused:
    """What a call with no good token is to be answered: after many of them from one address, to slow down.

    Good tokens are never shut out by what others behind the same address have tried.
    """
    try:
        _check(_failures, address, settings.CONFIG.token_failures, "without a good token from this address")
    except Throttled as throttled:
        return throttled
    return refused


def _check(window: MovingWindow, key: str, allowed: int, whose: str) -> None:
    if not allowed:
        return
    wait = window.take(key, allowed, now=time.monotonic())
    if wait:
        detail = f"There were {allowed} calls {whose} within a minute: send this one again in {wait} s."
        raise Throttled(detail, retry_after=wait)

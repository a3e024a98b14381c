"""The middleware of the pages. A call to the API carries a token, never a session, so each leaves /api/ alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest, HttpResponseBase
from django.middleware.csrf import CsrfViewMiddleware
from django.utils.deprecation import MiddlewareMixin

API = "/api/"

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
"""The content security policy of every page: nothing inline, nothing from elsewhere."""

HEADERS = {
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    # Not no-referrer: browsers then send the origin of a form as "null", and Django refuses the form.
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cache-Control": "private, no-cache",
}
YEAR = 365 * 24 * 3600


class PagesOnly(MiddlewareMixin):
    """Put before one of Django's middleware classes, keeps it away from the API."""

    async_capable = False

    def __call__(self, request: HttpRequest) -> Any:
        """Hand a call to the API straight on."""
        if request.path_info.startswith(API):
            return self.get_response(request)
        return super().__call__(request)


class SecurityHeaders(PagesOnly):
    """Headers that keep a page from being framed, sniffed, scripted from elsewhere or kept by a shared cache."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        """Add each header that the view has not set itself."""
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        if settings.SESSION_COOKIE_SECURE:
            response.headers.setdefault("Strict-Transport-Security", f"max-age={YEAR}")
        return response


class Sessions(PagesOnly, SessionMiddleware):
    """Django's sessions, for pages."""


class Csrf(PagesOnly, CsrfViewMiddleware):
    """Django's protection against forged forms, for pages."""

    def process_view(
        self,
        request: HttpRequest,
        callback: Callable[..., HttpResponseBase],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> Any:
        """A call to the API has no cookie that could be abused."""
        if request.path_info.startswith(API):
            return None
        return super().process_view(request, callback, args, kwargs)


class SignedIn(PagesOnly, AuthenticationMiddleware):
    """`request.user`, for pages."""


class Messages(PagesOnly, MessageMiddleware):
    """One-time notes to the reader, for pages."""

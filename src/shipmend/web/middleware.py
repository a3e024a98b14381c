"""The middleware of the pages. A call to the API carries a token, never a session, so it passes by."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from django.conf import settings
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.core.handlers.exception import convert_exception_to_response
from django.http import HttpRequest, HttpResponseBase
from django.middleware.csrf import CsrfViewMiddleware
from django.utils.deprecation import MiddlewareMixin

GetResponse = Callable[[HttpRequest], HttpResponseBase]

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


class SecurityHeaders(MiddlewareMixin):
    """Headers that keep a page from being framed, sniffed, scripted from elsewhere or kept by a shared cache."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        """Add each header that the view has not set itself."""
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        if settings.SESSION_COOKIE_SECURE:
            response.headers.setdefault("Strict-Transport-Security", f"max-age={YEAR}")
        return response


class Pages:
    """All of it in one, outermost first: a call to the API passes by five layers at once.

    An exception becomes a response behind each layer, as with Django's own chain.
    """

    sync_capable = True
    async_capable = False

    def __init__(self, get_response: GetResponse) -> None:
        self._call = get_response
        self._csrf = CsrfViewMiddleware(_within(AuthenticationMiddleware, _within(MessageMiddleware, get_response)))
        self._page = _within(SecurityHeaders, _within(SessionMiddleware, _caught(self._csrf)))

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Hand a call to the API straight on, and anything else to the layers."""
        return (self._call if _is_call(request) else self._page)(request)

    def process_view(
        self,
        request: HttpRequest,
        view: Callable[..., HttpResponseBase],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> HttpResponseBase | None:
        """Protect the forms of pages; a call to the API has no cookie that could be abused."""
        return None if _is_call(request) else self._csrf.process_view(request, view, args, kwargs)


def _within(layer: type[MiddlewareMixin], get_response: GetResponse) -> GetResponse:
    return _caught(layer(get_response))


def _caught(handler: Any) -> GetResponse:
    return cast("GetResponse", convert_exception_to_response(handler))  # it is asynchronous for coroutines alone


def _is_call(request: HttpRequest) -> bool:
    return request.path_info.startswith(API)

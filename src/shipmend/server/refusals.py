"""What the front answers by itself: a sentence that says what is wrong and what is right."""

from __future__ import annotations

import json
from http import HTTPStatus

from shipmend.server.heads import head

API = "/api/"
RETRY_SECONDS = 5


class Refusal(Exception):
    """The front refuses a request, or answers for an application that failed."""

    def __init__(self, status: HTTPStatus, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail

    @property
    def outcome(self) -> str:
        """The API's `response_em`, as the contract's answers have it."""
        if self.status is HTTPStatus.SERVICE_UNAVAILABLE:
            return "response_unavailable"
        if self.status is HTTPStatus.INTERNAL_SERVER_ERROR:
            return "response_error"
        return "response_invalid_request"

    def answer(self, target: str, *, keep: bool, bodiless: bool = False) -> bytes:
        """The whole answer: the API's envelope when the target is the API's, else the sentence alone."""
        if target.startswith(API):
            kind, body = "application/json", self._envelope()
        else:
            kind, body = "text/plain; charset=utf-8", f"{self.detail}\n".encode()
        headers = [("Content-Type", kind), ("Content-Length", str(len(body)))]
        if self.status is HTTPStatus.SERVICE_UNAVAILABLE:
            headers.append(("Retry-After", str(RETRY_SECONDS)))
        first = head(f"{self.status.value} {self.status.phrase}", headers, keep=keep)
        return first if bodiless else first + body

    def _envelope(self) -> bytes:
        fields = {
            "action_em": "action_unknown",
            "response_em": self.outcome,
            "response_detail": self.detail,
        }
        return json.dumps(fields).encode()


def malformed(why: str) -> Refusal:
    """400: the request breaks HTTP/1.1; `why` is a clause."""
    return Refusal(
        HTTPStatus.BAD_REQUEST,
        f"This is not a well-formed HTTP/1.1 request ({why}): send it as RFC 9112 says.",
    )


def body_too_large(most: int) -> Refusal:
    """413: the body is over the limit, or announced to be."""
    return Refusal(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        f"The body is larger than {most:,} bytes: send at most that many in one request.",
    )


def head_too_large(most: int, lines: int) -> Refusal:
    """431: too many header lines, or too long ones."""
    return Refusal(
        HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
        f"The headers are larger than {most:,} bytes or more than {lines} lines: send fewer or shorter ones.",
    )


def target_too_long(most: int) -> Refusal:
    """414: the address is over the limit."""
    return Refusal(
        HTTPStatus.REQUEST_URI_TOO_LONG,
        f"The address is longer than {most:,} bytes: send the parameters in the body instead.",
    )


def too_slow(seconds: float) -> Refusal:
    """408: the request did not arrive whole in its time."""
    return Refusal(
        HTTPStatus.REQUEST_TIMEOUT,
        f"The request was not complete after {seconds:g} seconds: send the whole of it within that time.",
    )


def overloaded() -> Refusal:
    """503: no room for one more client or body."""
    return Refusal(
        HTTPStatus.SERVICE_UNAVAILABLE,
        f"Too many requests are under way and this one was not looked at: send it again in {RETRY_SECONDS} seconds.",
    )


def failed() -> Refusal:
    """500: the application raised; what it raised is for the log alone."""
    return Refusal(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "The server failed on this request and its log says why: send it again, or tell its operator.",
    )

"""The one family of refusals.

Code below the edge raises these; `shipmend.api.envelope`, `shipmend.web` and `shipmend.cli` are the places
that turn one into a response, a page or an exit code. A refusal is a sentence for the person who called:
it names the parameter, shows the value and says what would be right.
"""

from __future__ import annotations

import json
from typing import ClassVar

SHOWN_CHARACTERS = 80


def shown(value: object) -> str:
    """The caller's value, quoted for a sentence: short, on one line, with nothing unprintable in it.

    What is no text is shown as JSON has it, which is how it came.
    """
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    if len(text) > SHOWN_CHARACTERS:
        text = text[: SHOWN_CHARACTERS - 1] + "…"
    return '"' + "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text) + '"'


class Refused(Exception):
    """Base of every refusal. `code` is stable and machine-readable; the message is for people."""

    code: ClassVar[str] = "refused"

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class Invalid(Refused):
    """A parameter is missing, has the wrong type or contradicts another: nothing was stored."""

    code = "invalid"

    def __init__(self, parameter: str, because: str, *, mend: str, value: object = None) -> None:
        subject = parameter if value is None else f"{parameter} {shown(value)}"
        super().__init__(f"{subject} {because}: {mend}.")
        self.parameter = parameter
        self.because = because
        self.mend = mend


class Unauthorized(Refused):
    """No token, or one that can't be used. One and the same answer for every reason."""

    code = "unauthorized"


class Forbidden(Refused):
    """The caller is known, but lacks the scope or the role."""

    code = "forbidden"


class NotFound(Refused):
    """Nothing there, or outside the caller's reach: one and the same answer."""

    code = "not_found"


class BadRequest(Refused):
    """The request as a whole can't be served as sent."""

    code = "bad_request"


class MethodNotAllowed(BadRequest):
    """The path is known, the method is not."""

    code = "method_not_allowed"

    def __init__(self, method: str, allowed: tuple[str, ...]) -> None:
        super().__init__(f"{method} is not served here: use {' or '.join(allowed)}.")
        self.allowed = allowed


class TooLarge(BadRequest):
    """The body is over the limit."""

    code = "too_large"


class KeyReused(BadRequest):
    """An Idempotency-Key came back with another body."""

    code = "key_reused"


class Throttled(Refused):
    """Too many calls. `retry_after` is in seconds."""

    code = "throttled"

    def __init__(self, detail: str, *, retry_after: int) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class Unavailable(Refused):
    """The database can't serve now: nothing was stored, and the call may be sent again in `retry_after` seconds."""

    code = "unavailable"

    def __init__(self, detail: str, *, retry_after: int = 5) -> None:
        super().__init__(detail)
        self.retry_after = retry_after

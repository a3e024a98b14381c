"""The head of an answer, as bytes."""

from __future__ import annotations

import time
from collections.abc import Sequence
from email.utils import formatdate

_date = (0, "")


def head(status: str, headers: Sequence[tuple[str, str]], *, keep: bool) -> bytes:
    """Status line and headers. Raises ValueError for a header that would start a line of its own."""
    lines = f"HTTP/1.1 {status}\r\n" + "".join([f"{name}: {value}\r\n" for name, value in headers])
    if not lines.count("\n") == lines.count("\r") == len(headers) + 1:
        raise ValueError("The status or a header of the answer holds a line break.")
    close = "" if keep else "Connection: close\r\n"
    return f"{lines}Date: {_now()}\r\n{close}\r\n".encode("latin-1")


def _now() -> str:
    """The Date header's value, made once a second. The pair is replaced whole, so threads may share it."""
    global _date  # noqa: PLW0603 - one cached pair for all threads; a lock would cost more than a second formatting
    second = int(time.time())
    if _date[0] != second:
        _date = (second, formatdate(second, usegmt=True))
    return _date[1]

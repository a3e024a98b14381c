"""The log's form: lines for people or JSON for machines, with the request's id, and no token in either."""

from __future__ import annotations

import json
import logging
import time
from contextvars import ContextVar

from shipmend.core.tokens import mask

request_id: ContextVar[str] = ContextVar("request_id", default="")
"""The request that is worked on here. A variable of the context: short calls share a thread."""


def _request_of(record: logging.LogRecord) -> str:
    """The id of the request that a record is about, if it is; Django tells of an answer when its request is over."""
    return request_id.get() or getattr(getattr(record, "request", None), "shipmend_id", "")


class Lines(logging.Formatter):
    """One line for each thing, and a traceback below it."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as text."""
        return mask(super().format(record))

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 -- the name that logging calls
        """The line, without the traceback."""
        text = super().formatMessage(record)
        if told := getattr(record, "told", None):
            text += "".join(f" {name}={value}" for name, value in told.items())
        request = _request_of(record)
        return f"{text} [{request}]" if request else text


class Json(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as JSON."""
        told: dict[str, object] = {
            "at": f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(record.created))}.{int(record.msecs):03}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if request := _request_of(record):
            told["request_id"] = request
        told |= getattr(record, "told", {})
        if record.exc_info:
            told["exception"] = self.formatException(record.exc_info)
        return mask(json.dumps(told, ensure_ascii=False, default=str))

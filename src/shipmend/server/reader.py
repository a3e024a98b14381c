"""Reads requests off one connection: llhttp finds their parts, this keeps limits and builds the environ."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from http import HTTPStatus
from io import BytesIO
from wsgiref.types import WSGIEnvironment

import httptools

from shipmend.server.environ import Networks, add_header, add_target, believe_proxy, direct_key, proxied_key
from shipmend.server.options import MAX_HEAD, MAX_HEADERS, MAX_TARGET, ServerOptions
from shipmend.server.refusals import (
    Refusal,
    body_too_large,
    head_too_large,
    malformed,
    overloaded,
    target_too_long,
)

VERSIONS = frozenset({"1.0", "1.1"})


class Phase(Enum):
    """Where in a request the reader is."""

    BETWEEN = auto()
    HEAD = auto()
    BODY = auto()


@dataclass(slots=True)
class BodyMemory:
    """Bytes of bodies held for all connections together."""

    most: int
    held: int = 0


@dataclass(frozen=True, slots=True)
class Receiver:
    """Who is told what was read."""

    request: Callable[[WSGIEnvironment, bool], None]
    """A whole request, and whether its client wants to keep the connection."""
    expectation: Callable[[], None]
    """The client waits for `100 Continue` before it sends the body."""


class RequestReader:
    """The parser's callbacks, named as httptools calls them."""

    __slots__ = (
        "_base", "_began", "_body", "_environ", "_framing", "_head_size", "_held", "_key_of", "_lines",
        "_memory", "_most", "_options", "_parser", "_receiver", "_target", "_trusted", "due", "phase",
    )  # fmt: skip

    def __init__(
        self,
        options: ServerOptions,
        base: WSGIEnvironment,
        trusted: Networks,
        memory: BodyMemory,
        receiver: Receiver,
    ) -> None:
        """`base` is what all requests here share; `trusted` is empty unless the peer is a trusted proxy."""
        self.phase = Phase.BETWEEN
        self.due = math.inf
        """When what is awaited must have come, on the monotonic clock."""
        self._options = options
        self._base = base
        self._trusted = trusted
        self._key_of = proxied_key if trusted else direct_key
        self._memory = memory
        self._held = 0
        self._most = 0
        self._receiver = receiver
        self._start()
        self._parser = httptools.HttpRequestParser(self)

    @property
    def target(self) -> str:
        """As much of the address of the request being read as has come."""
        return self._target.decode("latin-1")

    def is_head(self) -> bool:
        """Whether the answer to the request being read has no body."""
        return self._parser.get_method() == b"HEAD"

    def seconds(self) -> float:
        """The time allowed for what is being read."""
        return self._options.head_seconds if self.phase is Phase.HEAD else self._options.body_seconds

    def feed(self, data: bytes) -> None:
        """Read on. Raises Refusal for what can't be taken; nothing may be fed afterwards."""
        if self.phase is not Phase.BETWEEN:
            self._framing += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            return  # on_message_complete has taken the request; the connection closes after its answer
        except httptools.HttpParserCallbackError as error:
            raise (error.__context__ or error) from None
        except httptools.HttpParserError as error:
            raise malformed(str(error)) from error
        self._check_framing()

    def await_next(self, seconds: float) -> None:
        """Allow so long for the next request to begin, or anew for the one that has begun."""
        self.due = time.monotonic() + (seconds if self.phase is Phase.BETWEEN else self._options.body_seconds)

    def release(self) -> None:
        """The requests read so far are answered: their bodies are no longer held."""
        self._hold(len(self._body))

    def close(self) -> None:
        """Nothing more is read."""
        self._body = bytearray()
        self._hold(0)

    def _hold(self, size: int) -> None:
        self._memory.held += size - self._held
        self._held = size

    def _start(self) -> None:
        self._began = time.monotonic()
        self._environ = self._base.copy()
        self._target = b""
        self._body = bytearray()
        self._lines = self._head_size = self._framing = 0

    def on_message_begin(self) -> None:
        """The first byte of a request."""
        self._start()
        self.phase = Phase.HEAD
        self.due = self._began + self._options.head_seconds

    def on_url(self, part: bytes) -> None:
        """A part of the address."""
        self._target += part
        if len(self._target) > MAX_TARGET:
            raise target_too_long(MAX_TARGET)

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header, or a trailer field, which is dropped: nothing may be added after the checks."""
        if self.phase is Phase.BODY:
            return
        self._lines += 1
        self._head_size += len(name) + len(value)
        if self._lines > MAX_HEADERS or self._head_size > MAX_HEAD:
            raise head_too_large(MAX_HEAD, MAX_HEADERS)
        key = self._key_of(name)
        if key is not None:
            add_header(self._environ, key, value)

    def on_headers_complete(self) -> None:
        """The head is whole: everything that can be refused is refused before the body is read."""
        self.phase = Phase.BODY
        self.due = self._began + self._options.body_seconds
        environ = self._environ
        environ["REQUEST_METHOD"] = self._parser.get_method().decode("latin-1")
        self._check_protocol(environ)
        add_target(environ, self.target)
        self._check_length(environ)
        if self._trusted:
            believe_proxy(environ, self._trusted)
        if "HTTP_EXPECT" in environ:
            self._check_expectation(environ["HTTP_EXPECT"])

    def _check_protocol(self, environ: WSGIEnvironment) -> None:
        version = self._parser.get_http_version()
        environ["SERVER_PROTOCOL"] = f"HTTP/{version}"
        if version not in VERSIONS:
            raise Refusal(
                HTTPStatus.HTTP_VERSION_NOT_SUPPORTED,
                f"HTTP/{version} is not served here: use HTTP/1.1 or HTTP/1.0.",
            )
        if version == "1.1" and "HTTP_HOST" not in environ:
            raise malformed("Host is missing")

    def _check_length(self, environ: WSGIEnvironment) -> None:
        self._most = self._options.most_to(environ["PATH_INFO"])
        if int(environ.get("CONTENT_LENGTH", 0)) > self._most:
            raise body_too_large(self._most)
        coding = environ.pop("HTTP_TRANSFER_ENCODING", None)
        if coding is not None and (coding.lower() != "chunked" or environ["SERVER_PROTOCOL"] != "HTTP/1.1"):
            raise Refusal(
                HTTPStatus.NOT_IMPLEMENTED,
                f'The transfer coding "{coding}" is not served here: use chunked or none.',
            )
        if self._parser.should_upgrade() and (coding is not None or "CONTENT_LENGTH" in environ):
            raise malformed("Upgrade and a body together")

    def _check_expectation(self, expected: str) -> None:
        if expected.lower() != "100-continue":
            raise Refusal(HTTPStatus.EXPECTATION_FAILED, f'"{expected}" can\'t be met: expect 100-continue or nothing.')
        if self._environ["SERVER_PROTOCOL"] == "HTTP/1.1":
            self._receiver.expectation()

    def on_body(self, part: bytes) -> None:
        """A part of the body."""
        self._body += part
        if len(self._body) > self._most:
            raise body_too_large(self._most)
        self._hold(self._held + len(part))
        if self._memory.held > self._memory.most:
            raise overloaded()

    def on_message_complete(self) -> None:
        """The request is whole."""
        self.phase = Phase.BETWEEN
        environ, self._environ = self._environ, {}  # an idle connection must not keep its last body
        environ["wsgi.input"] = BytesIO(self._body)
        if self._body:
            environ["CONTENT_LENGTH"] = str(len(self._body))
            self._body = bytearray()
        parser = self._parser
        keep = parser.should_keep_alive() and not parser.should_upgrade() and environ["SERVER_PROTOCOL"] == "HTTP/1.1"
        self._receiver.request(environ, keep)

    def _check_framing(self) -> None:
        """Bound what is kept of a header or trailer line without an end, and chunks that are all framing."""
        body = len(self._body) if self.phase is Phase.BODY else 0
        if self.phase is not Phase.BETWEEN and self._framing > MAX_HEAD + 9 * body:
            raise head_too_large(MAX_HEAD, MAX_HEADERS)

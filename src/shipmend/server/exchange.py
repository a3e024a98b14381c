"""One request run through the application, in a worker thread, and its answer made into bytes."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Protocol
from wsgiref.types import WSGIApplication, WSGIEnvironment

from shipmend.server.heads import head
from shipmend.server.refusals import failed
from shipmend.server.workers import Hand

logger = logging.getLogger(__name__)

BLOCK = 64 << 10
"""Bytes gathered before an answer goes out in parts. A shorter one, or one made in a lane, goes out whole."""

LENGTHLESS = ("1", "204", "304")
"""Statuses of answers without a body and, unless the application gives one, a length (RFC 9110 8.6)."""

ExcInfo = tuple[type[BaseException], BaseException, TracebackType] | tuple[None, None, None]


class ClientGone(Exception):
    """The client closed the connection while its answer was sent."""


class Client(Protocol):
    """The connection, as an exchange sees it."""

    def send_part(self, data: bytes, taken: Callable[[], None]) -> None:
        """Send, and call `taken` once there is room for more or nobody is left. Callable from any thread."""

    def is_gone(self) -> bool:
        """Whether nobody will read what is sent."""

    def answered(self, data: bytes | None, *, keep: bool) -> None:
        """The last bytes of the answer; None: it broke off. Called in the event loop's thread."""


class Exchange:
    """A request and its answer."""

    __slots__ = (
        "_answer", "_application", "_bodiless", "_chunked", "_client", "_gathered", "_headers", "_parts",
        "_size", "_started", "_status", "environ", "keep", "lane",
    )  # fmt: skip

    def __init__(
        self,
        application: WSGIApplication,
        environ: WSGIEnvironment,
        client: Client,
        *,
        keep: bool,
        lane: Hand | None = None,
    ) -> None:
        self.environ = environ
        self.keep = keep
        self.lane = lane
        """Whose thread must not wait for a client; None: a thread of the pool, which may."""
        self._application = application
        self._client = client
        self._answer: bytes | None = None
        self._bodiless = environ["REQUEST_METHOD"] == "HEAD"
        self._chunked = False
        self._gathered = 0
        self._headers: list[tuple[str, str]] = []
        self._parts: list[bytes] = []
        self._size = 0
        self._started = False
        self._status = ""

    def settle(self) -> None:
        """Hand the last bytes to the connection."""
        self._client.answered(self._answer, keep=self.keep)

    def run(self) -> None:
        """Call the application and make the answer; what it raises becomes a 500 and a line in the log."""
        try:
            self._call()
            self._answer = self._ending()
        except ClientGone:
            self.keep = False
        except BaseException:  # even SystemExit in a handler must not take a worker thread along
            logger.exception("%s %s failed", self.environ["REQUEST_METHOD"], self.environ["PATH_INFO"])
            self._answer = self._failure()

    def _call(self) -> None:
        chunks = self._application(self.environ, self._start_response)
        try:
            self._gather(chunks)
        finally:
            if close := getattr(chunks, "close", None):
                close()

    def _gather(self, chunks: Iterable[bytes]) -> None:
        for chunk in chunks:
            self._write(chunk)

    def _start_response(
        self, status: str, headers: list[tuple[str, str]], exc_info: ExcInfo | None = None, /
    ) -> Callable[[bytes], None]:
        if exc_info is not None and exc_info[1] is not None and self._started:
            raise exc_info[1].with_traceback(exc_info[2])
        if self._status and exc_info is None:
            raise RuntimeError("The application called start_response twice.")
        self._status, self._headers = status, headers
        self._bodiless = self._bodiless or status.startswith(LENGTHLESS)
        return self._write

    def _write(self, chunk: bytes) -> None:
        self._size += len(chunk)
        if self._bodiless or not chunk:
            return
        self._parts.append(chunk)
        self._gathered += len(chunk)
        if self._gathered >= BLOCK and self.lane is None:
            self._send_part()

    def _send_part(self) -> None:
        """Send what was gathered and wait until the client took it: a slow reader slows its own answer."""
        data = self._taken_parts()
        taken = threading.Event()
        self._client.send_part(data, taken.set)
        taken.wait()
        if self._client.is_gone():
            raise ClientGone

    def _taken_parts(self) -> bytes:
        body, self._gathered = b"".join(self._parts), 0
        self._parts.clear()
        first = b"" if self._started else self._first_head()
        self._started = True
        return first + (b"%x\r\n%b\r\n" % (len(body), body) if self._chunked and body else body)

    def _first_head(self) -> bytes:
        """The head of an answer whose end is not in sight yet."""
        if not self._status:
            raise RuntimeError("The application gave a body without calling start_response.")
        headers = self._headers
        if self._length() is None:
            self._chunked = self.environ["SERVER_PROTOCOL"] == "HTTP/1.1"
            headers = [*headers, ("Transfer-Encoding", "chunked")] if self._chunked else headers
        return head(self._status, headers, keep=self.keep)

    def _ending(self) -> bytes:
        if not self._status:
            raise RuntimeError("The application never called start_response.")
        length = self._length()
        if length is not None and not self._bodiless and length != self._size:
            raise RuntimeError(f"The application announced {length} bytes and gave {self._size}.")
        if self._started:
            return self._taken_parts() + (b"0\r\n\r\n" if self._chunked else b"")
        headers = self._headers
        if length is None and not self._status.startswith(LENGTHLESS):
            headers = [*headers, ("Content-Length", str(self._size))]
        return head(self._status, headers, keep=self.keep) + b"".join(self._parts)

    def _length(self) -> int | None:
        return next((int(value) for name, value in self._headers if name.lower() == "content-length"), None)

    def _failure(self) -> bytes | None:
        if self._started:
            return None
        path = self.environ["PATH_INFO"]
        return failed().answer(path, keep=self.keep, bodiless=self.environ["REQUEST_METHOD"] == "HEAD")

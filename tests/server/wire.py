"""A front in a thread of this process, a small application for it, and clients that speak raw HTTP."""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPResponse
from typing import Any
from urllib.parse import urlsplit
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from shipmend.server.front import Front, no_lanes
from shipmend.server.listening import listen
from shipmend.server.options import ServerOptions
from shipmend.server.workers import Lanes

PATIENCE = 10.0
"""Seconds a test waits for what must happen before it fails."""


@dataclass(frozen=True)
class Answer:
    """One answer as Python's own HTTP client reads it."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def values(self, name: str) -> list[str]:
        """All values of one header."""
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def json(self) -> Any:
        """The body, parsed."""
        return json.loads(self.body)


class Client:
    """One connection. Bytes are sent as given; answers are read by http.client."""

    def __init__(self, address: tuple[str, int]) -> None:
        self.socket = socket.create_connection(address, timeout=PATIENCE)
        self._incoming = Unclosed(self.socket.makefile("rb", buffering=0))

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Leave."""
        self._incoming.raw.close()
        self.socket.close()

    def send(self, data: bytes) -> None:
        """Send bytes."""
        self.socket.sendall(data)

    def answer(self, method: str = "GET") -> Answer:
        """Read one answer."""
        response = HTTPResponse(self, method=method)  # type: ignore[arg-type] # it asks a socket for its file alone
        response.begin()
        return Answer(response.status, response.getheaders(), response.read())

    def makefile(self, mode: str) -> Unclosed:
        """What http.client reads from: one file for all answers, lest what follows an answer be lost with it."""
        assert mode == "rb"
        return self._incoming

    def rest(self) -> bytes:
        """All that still comes until the server closes; fails when it does not close."""
        return self._incoming.read()

    def ask(self, data: bytes, method: str = "GET") -> Answer:
        """Send a request and read its answer."""
        self.send(data)
        return self.answer(method)


class Unclosed(io.BufferedReader):
    """A file that outlives the answer read from it."""

    def close(self) -> None:
        pass


@dataclass
class Served:
    """A front that runs."""

    url: str
    stop: Callable[[], None]
    ended: Future[None]

    @property
    def address(self) -> tuple[str, int]:
        """Host and port."""
        parts = urlsplit(self.url)
        return str(parts.hostname), int(parts.port or 0)

    def connect(self) -> Client:
        """A new connection."""
        return Client(self.address)

    def ask(self, data: bytes, method: str = "GET") -> Answer:
        """One request on a connection of its own."""
        with self.connect() as client:
            return client.ask(data, method)


@contextmanager
def served(application: WSGIApplication, lanes: Lanes = no_lanes, **options: Any) -> Iterator[Served]:
    """Run the front in a thread until the block ends; then it must end by itself."""
    front = Front(application, ServerOptions("127.0.0.1", 0, **options), lanes)
    ready: Future[Served] = Future()
    ended: Future[None] = Future()

    def run() -> None:
        try:
            with asyncio.Runner(loop_factory=front.new_loop) as runner:
                runner.run(_run(front, ready, ended))
            ended.set_result(None)
        except Exception as error:  # noqa: BLE001 - handed to the test's own thread
            (ended if ready.done() else ready).set_exception(error)

    thread = threading.Thread(target=run)
    thread.start()
    running = ready.result(PATIENCE)
    try:
        yield running
    finally:
        running.stop()
        ended.result(PATIENCE)
        thread.join()


async def _run(front: Front, ready: Future[Served], ended: Future[None]) -> None:
    loop = asyncio.get_running_loop()

    def stop() -> None:
        if not ended.done():
            loop.call_soon_threadsafe(front.stop)

    with listen("127.0.0.1", 0) as listener:
        await front.run(listener, lambda url: ready.set_result(Served(url, stop, ended)))


def request(
    method: str = "GET", target: str = "/echo", body: bytes = b"", headers: Iterable[tuple[str, str]] = ()
) -> bytes:
    """A request as most clients send it."""
    length = [("Content-Length", str(len(body)))] if body else []
    lines = [("Host", "test"), *length, *headers]
    head = f"{method} {target} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in lines)
    return head.encode("latin-1") + b"\r\n" + body


def echo(environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
    """Answers with the environ's strings and the digest of the body."""
    read = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    shown = {key: value for key, value in environ.items() if isinstance(value, str)}
    shown["body_sha256"] = hashlib.sha256(read).hexdigest()
    body = json.dumps(shown).encode()
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]


@dataclass
class Gate:
    """An application whose answers wait until the test lets them go."""

    entered: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    opened: threading.Event = field(default_factory=threading.Event)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
        self.entered.release()
        assert self.opened.wait(PATIENCE)
        return echo(environ, start_response)

    def await_entry(self) -> None:
        """Wait until one more request is being worked on."""
        assert self.entered.acquire(timeout=PATIENCE)


def eventually(holds: Callable[[], bool]) -> None:
    """Wait until something holds; fail when it never does."""
    end = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < end, "this never came true"
        time.sleep(0.01)

"""Requests that take a lane: who runs where, and what one in a lane can do to the others."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest
from tests.server.wire import Gate, Served, eventually, request, served

from shipmend.server.workers import Hand, LaneOf

LARGE = 8 << 20
"""Bytes, more than the system takes for a client that does not read."""


def short_paths(short: Hand) -> LaneOf:
    """Paths that begin so take the lane."""
    return lambda environ: short if environ["PATH_INFO"].startswith("/short") else None


def where(environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
    """Answers with the name of the thread it runs in."""
    body = threading.current_thread().name.encode()
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]


@pytest.fixture
def gate() -> Iterator[Gate]:
    gate = Gate()
    yield gate
    gate.opened.set()


def test_short_requests_share_a_thread_and_the_others_have_the_pool() -> None:
    with served(where, short_paths) as server, ExitStack() as clients:
        several = [clients.enter_context(server.connect()) for _ in range(20)]
        for n, client in enumerate(several):
            client.send(request(target="/short" if n % 2 else "/long"))
        names = [client.answer().body.decode() for client in several]
    assert {name for n, name in enumerate(names) if n % 2} == {"short"}
    assert all(name.startswith("http-") for n, name in enumerate(names) if not n % 2)


def test_a_client_that_does_not_read_keeps_nobody_in_the_lane_waiting() -> None:
    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterator[bytes]:
        start_response("200 OK", [])
        size = LARGE if environ["PATH_INFO"] == "/short/large" else 1
        return (b"x" * (1 << 16) for _ in range(max(1, size >> 16)))

    with served(answer, short_paths) as server, server.connect() as lazy:
        lazy.send(request(target="/short/large"))
        for _ in range(3):
            assert len(server.ask(request(target="/short")).body) == 1 << 16
        got = lazy.answer()
    assert len(got.body) == LARGE
    assert got.values("Content-Length") == [str(LARGE)]


def test_what_is_slow_in_the_lane_keeps_the_others_waiting_not_the_pool(gate: Gate) -> None:
    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
        return (gate if environ["PATH_INFO"] == "/short/slow" else where)(environ, start_response)

    with served(answer, short_paths) as server, server.connect() as slow, server.connect() as behind:
        slow.send(request(target="/short/slow"))
        gate.await_entry()
        behind.send(request(target="/short"))
        for _ in range(20):
            assert server.ask(request(target="/long")).body.startswith(b"http-")
        gate.opened.set()
        assert slow.answer().status == 200
        assert behind.answer().body == b"short"


def test_who_would_wait_too_long_for_the_lane_is_turned_away_from_it_alone(gate: Gate) -> None:
    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
        return (gate if environ["PATH_INFO"] == "/short/slow" else where)(environ, start_response)

    with served(answer, short_paths, wait_seconds=0.1, threads=3) as server, ExitStack() as clients:
        slow, *few = (clients.enter_context(server.connect()) for _ in range(3))
        slow.send(request(target="/short/slow"))
        gate.await_entry()
        few[0].send(request(target="/short"))
        time.sleep(0.3)  # longer than anybody may wait, but so few are no crowd
        few[1].send(request(target="/short"))
        eventually(lambda: _is_refused(server, "/short"))
        assert server.ask(request(target="/long")).status == 200
        gate.opened.set()
        assert [each.answer().body for each in few] == [b"short", b"short"]


def _is_refused(server: Served, path: str) -> bool:
    """Whether this is answered 503; a client that gets no answer yet goes away."""
    with server.connect() as client:
        client.socket.settimeout(0.3)
        try:
            return client.ask(request(target=path)).status == 503
        except TimeoutError:
            return False

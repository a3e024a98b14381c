"""Clients that are slow, silent or deaf: closed in time, while the others are served."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest
from tests.server.wire import Client, Gate, Served, echo, eventually, request, served

BEGUN = {
    "in the head": b"POST /api/x HTTP/1.1\r\nHost: test\r\nX-A: ",
    "in the address": b"POST /api/x",
    "in the body": b"POST /api/x HTTP/1.1\r\nHost: test\r\nContent-Length: 1000\r\n\r\n",
    "in a chunk": b"POST /api/x HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n3e8\r\n",
}


@pytest.fixture(scope="module")
def server() -> Iterator[Served]:
    with served(echo, threads=2, head_seconds=0.4, body_seconds=0.6, idle_seconds=0.8) as running:
        yield running


def drip(client: Client, stopped: threading.Event) -> None:
    """Send a byte now and then until the front closes."""
    while not stopped.wait(0.05):
        try:
            client.send(b"1")
        except OSError:
            return


@pytest.mark.parametrize("dripping", [False, True], ids=["silent", "dripping"])
def test_a_request_that_does_not_come_whole_is_refused(server: Served, *, dripping: bool) -> None:
    stopped = threading.Event()
    clients = {where: server.connect() for where in BEGUN}
    for where, client in clients.items():
        client.send(BEGUN[where])
    threads = [threading.Thread(target=drip, args=(client, stopped)) for client in clients.values() if dripping]
    for thread in threads:
        thread.start()
    answers = {where: client.answer() for where, client in clients.items()}
    stopped.set()
    for thread in threads:
        thread.join()
    assert {where: answer.status for where, answer in answers.items()} == dict.fromkeys(BEGUN, 408)
    for answer in answers.values():
        assert answer.json()["response_detail"].startswith("The request was not complete after 0.")
    for client in clients.values():
        assert client.rest() == b""
        client.close()


def test_a_later_request_has_no_more_time_than_the_first() -> None:
    with served(echo, head_seconds=0.4, body_seconds=0.6, idle_seconds=60) as server:
        clients = {where: server.connect() for where in BEGUN}
        for where, client in clients.items():
            assert client.ask(request()).status == 200
            client.send(BEGUN[where])
        assert {where: client.answer().status for where, client in clients.items()} == dict.fromkeys(BEGUN, 408)
        for client in clients.values():
            client.close()


def test_a_body_may_take_longer_than_a_head() -> None:
    with served(echo, head_seconds=0.4, body_seconds=60) as server, server.connect() as client:
        client.send(request("POST", headers=[("Content-Length", "3")]))
        time.sleep(1)  # longer than a head may take and a sweep
        assert client.ask(b"abc").status == 200


def test_a_connection_on_which_nothing_comes_is_closed_without_a_word(server: Served) -> None:
    with server.connect() as client:
        assert client.rest() == b""


def test_empty_lines_do_not_keep_a_connection_open(server: Served) -> None:
    stopped = threading.Event()
    with server.connect() as client:
        thread = threading.Thread(target=empty_lines, args=(client, stopped))
        thread.start()
        try:
            client.rest()
        except ConnectionResetError:
            pass
        finally:
            stopped.set()
            thread.join()


def empty_lines(client: Client, stopped: threading.Event) -> None:
    while not stopped.wait(0.05):
        try:
            client.send(b"\r\n")
        except OSError:
            return


def test_an_idle_connection_is_closed_without_a_word(server: Served) -> None:
    with server.connect() as client:
        assert client.ask(request()).status == 200
        assert client.rest() == b""


def test_time_in_which_we_keep_the_client_waiting_is_not_its_own() -> None:
    gate = Gate()
    with served(gate, head_seconds=0.4, body_seconds=0.4) as server, server.connect() as client:
        client.send(request() + b"GET /second HTTP/1.1\r\n")
        gate.await_entry()
        time.sleep(1)  # longer than both times and a sweep
        gate.opened.set()
        assert client.answer().status == 200
        assert client.ask(b"Host: test\r\n\r\n").json()["PATH_INFO"] == "/second"


def test_stalled_clients_take_no_thread_from_the_others(server: Served) -> None:
    stalled = [server.connect() for _ in range(100)]
    for number, client in enumerate(stalled):
        client.send(list(BEGUN.values())[number % len(BEGUN)])
    for _ in range(100):
        assert server.ask(request()).status == 200
    for client in stalled:
        assert client.answer().status == 408
        client.close()


class Endless:
    """An application whose answer never ends, and which knows when it was closed."""

    def __init__(self, block: int) -> None:
        self.block = block
        self.given = 0
        self.closed = threading.Event()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", [("Content-Type", "application/octet-stream")])
        return self

    def __iter__(self) -> Iterator[bytes]:
        while True:
            self.given += self.block
            yield b"x" * self.block

    def close(self) -> None:
        self.closed.set()


def test_a_client_that_does_not_read_is_cut_off_and_the_application_told() -> None:
    endless = Endless(100_000)
    with served(endless, send_seconds=0.3) as server, server.connect() as client:
        client.send(request())
        assert endless.closed.wait(10)


def test_a_client_that_reads_too_slowly_is_cut_off() -> None:
    endless = Endless(100_000)
    with served(endless, send_seconds=0.5) as server, server.connect() as client:
        client.send(request())
        end = time.monotonic() + 10
        while not endless.closed.is_set() and time.monotonic() < end:
            client.socket.recv(100)
            time.sleep(0.05)
        assert endless.closed.is_set()


def test_an_answer_in_parts_is_made_no_faster_than_it_is_read() -> None:
    endless = Endless(100_000)
    with served(endless) as server:
        with server.connect() as client:
            client.send(request())
            eventually(lambda: made_nothing_for_a_while(endless))
            held_back = endless.given
            for _ in range(200):
                client.socket.recv(100_000)
            eventually(lambda: endless.given > held_back)
        assert endless.closed.wait(10), "the client left"


def made_nothing_for_a_while(endless: Endless) -> bool:
    before = endless.given
    time.sleep(0.2)
    return before == endless.given > 0


def test_a_large_whole_answer_is_given_up_when_nobody_reads_it() -> None:
    body = b"x" * 30_000_000

    def large(_: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
        start_response("200 OK", [])
        return [body]

    with served(large, send_seconds=0.3) as server, server.connect() as client:
        client.send(request())
        time.sleep(1)  # nobody reads meanwhile
        with pytest.raises(ConnectionResetError):
            client.rest()


def test_a_slow_but_steady_reader_gets_all() -> None:
    body = b"x" * 12_000_000

    def large(_: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
        start_response("200 OK", [])
        return [body]

    with served(large, send_seconds=0.5) as server, server.connect() as client:
        client.socket.settimeout(10)
        client.send(request(headers=[("Connection", "close")]))
        got = 0
        while data := client.socket.recv(100_000):
            got += len(data)
            time.sleep(0.01)
    assert got > len(body)

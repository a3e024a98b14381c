"""Start and stop: a real process, real signals."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.server.wire import PATIENCE, Client, Gate, echo, eventually, request, served

from shipmend.server import CannotListen, ServerOptions, serve
from shipmend.server.listening import listen, url

ROOT = Path(__file__).parents[2]
PROGRAM = """
import resource, sys
from shipmend.server import ServerOptions, serve

def application(environ, start_response):
    if environ["PATH_INFO"] == "/wait":
        print("entered", flush=True)
        sys.stdin.readline()
    start_response("200 OK", [])
    return [b"done"]

files = int(sys.argv[1])
if files:
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))
options = ServerOptions("127.0.0.1", 0, stop_seconds=float(sys.argv[2]))
serve(application, options, on_ready=lambda url: print(url, flush=True))
print("ended", flush=True)
"""


class Process:
    """A server process whose handlers wait for a line."""

    def __init__(self, popen: subprocess.Popen[str]) -> None:
        self.popen = popen
        host, _, port = self.line().rpartition("/")[2].partition(":")
        self.address = (host, int(port))

    def line(self) -> str:
        """The next line it prints."""
        assert self.popen.stdout is not None
        return self.popen.stdout.readline().rstrip()

    def let_go(self) -> None:
        """Let one waiting handler answer."""
        assert self.popen.stdin is not None
        self.popen.stdin.write("\n")
        self.popen.stdin.flush()

    def status(self) -> int:
        """What a new client's request is answered."""
        with Client(self.address) as client:
            return client.ask(request()).status

    def takes_no_more(self) -> bool:
        """Whether new connections are refused."""
        return refuses(self.address)


def refuses(address: tuple[str, int]) -> bool:
    try:
        socket.create_connection(address, timeout=PATIENCE).close()
    except ConnectionError:
        return True
    return False


@contextmanager
def process(*, files: int = 0, stop_seconds: float = 20) -> Iterator[Process]:
    command = [sys.executable, "-X", "dev", "-W", "error", "-c", PROGRAM, str(files), str(stop_seconds)]
    environ = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True, env=environ) as popen:
        try:
            yield Process(popen)
        finally:
            popen.kill()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_lets_the_request_under_way_finish_and_takes_no_other(number: signal.Signals) -> None:
    with process() as server, Client(server.address) as client, Client(server.address) as idle:
        assert idle.ask(request()).status == 200
        client.send(request(target="/wait"))
        assert server.line() == "entered"
        server.popen.send_signal(number)
        eventually(server.takes_no_more)
        assert idle.rest() == b""
        server.let_go()
        answer = client.answer()
        assert (answer.status, answer.body) == (200, b"done")
        assert client.rest() == b""
        client.close()
        assert server.line() == "ended"
        assert server.popen.wait(PATIENCE) == 0
        assert server.popen.stderr is not None
        assert server.popen.stderr.read() == ""


def test_a_second_signal_does_not_wait() -> None:
    with process(stop_seconds=600) as server, Client(server.address) as client:
        client.send(request(target="/wait"))
        assert server.line() == "entered"
        server.popen.send_signal(signal.SIGTERM)
        eventually(server.takes_no_more)
        server.popen.send_signal(signal.SIGTERM)
        assert server.popen.wait(PATIENCE) == 0
        assert server.line() == "ended"


def test_a_handler_that_does_not_return_is_given_up_after_a_while() -> None:
    with process(stop_seconds=0.3) as server, Client(server.address) as client:
        client.send(request(target="/wait"))
        assert server.line() == "entered"
        server.popen.send_signal(signal.SIGTERM)
        assert server.popen.wait(PATIENCE) == 0
        assert server.line() == "ended"
        assert server.popen.stderr is not None
        assert "Stopped with 1 requests and 1 connections cut off." in server.popen.stderr.read()


def test_more_clients_than_the_system_lets_us_open_files_are_refused_in_order() -> None:
    with process(files=400) as server:
        clients = [Client(server.address) for _ in range(300)]
        answers = [client.ask(request()).status for client in clients]
        for client in clients:
            client.close()
        assert set(answers) == {200, 503}
        assert answers.index(503) >= 100
        eventually(lambda: server.status() == 200)


def test_a_stop_closes_connections_as_soon_as_nothing_is_due(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shipmend.server.front.STOP_READING_SECONDS", 60)
    gate = Gate()
    with served(gate) as server, server.connect() as idle, server.connect() as busy:
        gate.opened.set()
        assert idle.ask(request()).status == 200
        gate.await_entry()
        gate.opened.clear()
        busy.send(request())
        gate.await_entry()
        server.stop()
        assert idle.rest() == b""
        gate.opened.set()
        assert busy.answer().status == 200
        assert busy.rest() == b""


def test_a_stop_gives_a_request_under_way_more_time_than_one_that_is_still_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("shipmend.server.front.STOP_READING_SECONDS", 0)
    gate = Gate()
    with served(gate) as server, server.connect() as client:
        client.send(request())
        gate.await_entry()
        server.stop()
        eventually(lambda: refuses(server.address))
        time.sleep(0.6)  # two sweeps
        gate.opened.set()
        assert client.answer().status == 200


def test_a_stop_does_not_wait_for_a_request_that_never_comes_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shipmend.server.front.STOP_READING_SECONDS", 0.1)
    with served(echo, body_seconds=60, head_seconds=60) as server:
        clients = [server.connect() for _ in range(2)]
        clients[0].send(b"GET / HTTP/1.1\r\n")
        clients[1].send(request("POST", headers=[("Content-Length", "5")]))
        assert server.ask(request()).status == 200, "what was sent before is read by now"
        server.stop()
        assert [client.answer().status for client in clients] == [408, 408]
        for client in clients:
            client.close()


def test_a_request_that_comes_whole_during_the_stop_is_answered() -> None:
    with served(echo) as server, server.connect() as client:
        client.send(b"GET /late HTTP/1.1\r\n")
        assert server.ask(request()).status == 200, "what was sent before is read by now"
        server.stop()
        eventually(lambda: refuses(server.address))
        answer = client.ask(b"Host: test\r\n\r\n")
        assert (answer.status, answer.values("Connection")) == (200, ["close"])
        assert client.rest() == b""


def test_a_taken_port_is_refused_in_a_sentence() -> None:
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(CannotListen) as refused:
            serve(echo, ServerOptions("127.0.0.1", port), on_ready=print)
    assert refused.value.detail == (
        f"Can't listen on 127.0.0.1:{port}: another program listens there: stop it, or choose another port."
    )


def test_a_port_can_be_listened_on_again_at_once() -> None:
    with served(echo) as server, server.connect() as client:
        client.ask(request(headers=[("Connection", "close")]))
        assert client.rest() == b""
    with listen(*server.address) as listener:
        assert listener.getsockname() == server.address


def test_an_address_of_another_machine_is_refused_in_a_sentence() -> None:
    with pytest.raises(CannotListen, match=r"Can't listen on 192\.0\.2\.1:80.*not this machine's"):
        serve(echo, ServerOptions("192.0.2.1", 8000), on_ready=print)


@pytest.mark.parametrize(
    ("host", "port", "says"),
    [
        ("no such host", 80, "Can't listen on no such host:80: write an address of this machine and a port."),
        ("127.0.0.1", 65536, "Can't listen on port 65536: choose one from 1 to 65535, or 0 for any free one."),
        ("127.0.0.1", -1, "Can't listen on port -1: choose one from 1 to 65535, or 0 for any free one."),
    ],
)
def test_what_is_no_address_is_refused_in_a_sentence(host: str, port: int, says: str) -> None:
    with pytest.raises(CannotListen) as refused:
        serve(echo, ServerOptions(host, port), on_ready=print)
    assert refused.value.detail == says


def test_the_url_of_an_ipv6_socket_has_brackets() -> None:
    with listen("::1", 0) as listener:
        assert url(listener) == f"http://[::1]:{listener.getsockname()[1]}"


def test_a_failing_on_ready_ends_the_server() -> None:
    def fails(_: str) -> None:
        raise LookupError("no browser to open")

    with pytest.raises(LookupError, match="no browser"):
        serve(echo, ServerOptions("127.0.0.1", 0), on_ready=fails)

"""What reaches the application, and in what order answers come."""

from __future__ import annotations

import asyncio
import hashlib
import json
import resource
import subprocess
from collections.abc import Iterator
from pathlib import Path
from wsgiref.validate import validator

import pytest
from tests.server.wire import Gate, Served, echo, request, served


@pytest.fixture(scope="module")
def server() -> Iterator[Served]:
    with served(echo, wait_seconds=60) as running:
        yield running


def chunked(*parts: bytes, trailer: bytes = b"") -> bytes:
    return b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts) + b"0\r\n" + trailer + b"\r\n"


def digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def test_one_connection_serves_many_requests(server: Served) -> None:
    with server.connect() as client:
        for number in range(5):
            body = b"x" * number
            assert client.ask(request("POST", f"/echo?{number}", body)).json()["body_sha256"] == digest(body)


def test_a_client_that_asks_for_close_gets_it(server: Served) -> None:
    with server.connect() as client:
        answer = client.ask(request(headers=[("Connection", "close")]))
        assert answer.values("Connection") == ["close"]
        assert client.rest() == b""


def test_http_1_0_needs_no_host_and_is_closed(server: Served) -> None:
    with server.connect() as client:
        assert client.ask(b"GET /old HTTP/1.0\r\n\r\n").json()["PATH_INFO"] == "/old"
        assert client.rest() == b""


def test_pipelined_requests_are_answered_in_order(server: Served) -> None:
    with server.connect() as client:
        client.send(b"".join(request("POST", f"/{number}", b"b" * number) for number in range(50)))
        answers = [client.answer().json() for _ in range(50)]
    assert [answer["PATH_INFO"] for answer in answers] == [f"/{number}" for number in range(50)]
    assert [answer["body_sha256"] for answer in answers] == [digest(b"b" * number) for number in range(50)]


def test_requests_sent_while_one_is_worked_on_wait_their_turn() -> None:
    gate = Gate()
    with served(gate) as server, server.connect() as client:
        client.send(request(target="/first"))
        gate.await_entry()
        for number in range(3):
            client.send(request(target=f"/{number}"))
            assert server.ask(b"nonsense\r\n\r\n").status == 400, "what was sent before could be read by now"
        gate.opened.set()
        assert [client.answer().json()["PATH_INFO"] for _ in range(4)] == ["/first", "/0", "/1", "/2"]


def test_a_client_that_does_not_wait_for_answers_is_held_back() -> None:
    gate = Gate()
    with served(gate) as server, server.connect() as client:
        client.send(request())
        gate.await_entry()
        client.socket.settimeout(0.5)
        pipelined = request("POST", body=b"x" * 100_000) * 1000
        with pytest.raises(TimeoutError):
            client.send(pipelined)
        gate.opened.set()


def test_leave_to_continue_does_not_overtake_an_answer() -> None:
    gate = Gate()
    with served(gate) as server, server.connect() as client:
        client.send(request() + request("POST", headers=[("Expect", "100-continue"), ("Content-Length", "3")]))
        gate.await_entry()
        gate.opened.set()
        assert client.socket.recv(12) == b"HTTP/1.1 200"


def test_a_refused_request_does_not_overtake_the_one_before_it() -> None:
    gate = Gate()
    with served(gate) as server, server.connect() as client:
        client.send(request() + b"nonsense\r\n\r\n")
        gate.await_entry()
        gate.opened.set()
        assert client.answer().status == 200
        assert client.answer().status == 400
        assert client.rest() == b""


def test_a_chunked_body_arrives_whole_with_its_length(server: Served) -> None:
    body = chunked(b"a=1", b"&b=" + b"2" * 70_000, trailer=b"X-Trailer: late\r\nHost: other\r\n")
    answer = server.ask(request("POST", headers=[("Transfer-Encoding", "chunked")]) + body).json()
    sent = b"a=1&b=" + b"2" * 70_000
    assert (answer["body_sha256"], answer["CONTENT_LENGTH"]) == (digest(sent), str(len(sent)))
    assert "HTTP_X_TRAILER" not in answer
    assert answer["HTTP_HOST"] == "test"
    assert "HTTP_TRANSFER_ENCODING" not in answer


def test_a_request_sent_byte_by_byte_is_read_like_any_other(server: Served) -> None:
    with server.connect() as client:
        for byte in request("POST", "/echo?a=1", b"name=v1"):
            client.send(bytes([byte]))
        answer = client.answer().json()
    assert (answer["QUERY_STRING"], answer["body_sha256"]) == ("a=1", digest(b"name=v1"))


def test_a_client_that_expects_continue_is_told_to_go_on(server: Served) -> None:
    with server.connect() as client:
        client.send(request("POST", headers=[("Expect", "100-continue"), ("Content-Length", "3")]))
        interim = client.socket.recv(1000)
        assert interim == b"HTTP/1.1 100 Continue\r\n\r\n"
        assert client.ask(b"abc").json()["body_sha256"] == digest(b"abc")


def test_curl_sends_a_large_body_and_reads_the_answer(server: Served, tmp_path: Path) -> None:
    sent = tmp_path / "body"
    sent.write_bytes(b"z" * 1_000_000)
    command = ["curl", "--silent", "--fail", "--max-time", "10", "-H", "Expect: 100-continue", "--data-binary"]
    done = subprocess.run([*command, f"@{sent}", f"{server.url}/curl"], capture_output=True, check=True)
    assert json.loads(done.stdout)["body_sha256"] == digest(sent.read_bytes())


def test_a_client_that_half_closes_still_gets_its_answer() -> None:
    gate = Gate()
    with served(gate) as server, server.connect() as client:
        client.send(request())
        client.socket.shutdown(1)
        gate.await_entry()
        gate.opened.set()
        assert client.answer().status == 200
        assert client.rest() == b""


def test_a_client_that_leaves_does_not_stop_its_request() -> None:
    gate = Gate()
    with served(gate, threads=1) as server:
        with server.connect() as client:
            client.send(request())
            gate.await_entry()
        gate.opened.set()
        assert server.ask(request()).status == 200


def test_an_offer_to_upgrade_is_ignored_and_the_request_answered(server: Served) -> None:
    with server.connect() as client:
        answer = client.ask(request(headers=[("Connection", "Upgrade"), ("Upgrade", "h2c")]))
        assert answer.status == 200
        assert client.rest() == b""


def test_empty_lines_before_a_request_are_forgiven(server: Served) -> None:
    assert server.ask(b"\r\n\r\n" + request()).status == 200


def test_the_front_meets_the_wsgi_standards_own_checker() -> None:
    def plain(environ: dict[str, object], start_response: object) -> list[bytes]:
        start_response("200 OK", [("Content-Type", "text/plain")])  # type: ignore[operator] # validate's own is untyped
        return [str(environ["wsgi.input"].read(3)).encode()]  # type: ignore[attr-defined] # the same

    with served(validator(plain)) as server, server.connect() as client:
        for method, body in (("GET", b""), ("POST", b"abc"), ("HEAD", b"")):
            assert client.ask(request(method, "/a%20b?c=d", body), method).status == 200


def test_a_thousand_quick_clients_at_once_each_get_their_own_answer(server: Served) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, hard), hard))  # both ends of each connection are ours
    try:
        found = asyncio.run(ask_many(server.address, 1000))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert found == [(f"/{number}", digest(b"%d" % number)) for number in range(1000)]


async def ask_many(address: tuple[str, int], count: int) -> list[tuple[str, str]]:
    everyone_connected = asyncio.Barrier(count)
    return await asyncio.gather(*(ask_one(address, number, everyone_connected) for number in range(count)))


async def ask_one(address: tuple[str, int], number: int, everyone_connected: asyncio.Barrier) -> tuple[str, str]:
    reader, writer = await asyncio.open_connection(*address)
    await everyone_connected.wait()
    writer.write(request("POST", f"/{number}", b"%d" % number, [("Connection", "close")]))
    _, _, body = (await reader.read()).partition(b"\r\n\r\n")
    writer.close()
    await writer.wait_closed()
    answer = json.loads(body)
    return answer["PATH_INFO"], answer["body_sha256"]


def test_more_clients_than_threads_are_all_served() -> None:
    gate = Gate()
    with served(gate, threads=2, wait_seconds=60) as server:
        clients = [server.connect() for _ in range(20)]
        for client in clients:
            client.send(request())
        gate.await_entry()
        gate.await_entry()
        assert not gate.entered.acquire(timeout=0.1), "a third request was worked on by two threads"
        gate.opened.set()
        assert [client.answer().status for client in clients] == [200] * 20
        for client in clients:
            client.close()

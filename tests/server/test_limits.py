"""Requests that break a rule or a limit: refused with a sentence, before they cost anything."""

from __future__ import annotations

import select
import threading
import weakref
from collections.abc import Iterator
from contextlib import ExitStack
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest
from tests.server.wire import PATIENCE, Answer, Gate, Served, echo, eventually, request, served

CHUNKED = [("Transfer-Encoding", "chunked")]


@pytest.fixture(scope="module")
def server() -> Iterator[Served]:
    with served(echo, max_body=1000) as running:
        yield running


def refused(server: Served, sent: bytes) -> Answer:
    """The answer to something refused: the connection is closed after it, and a good request fares well after that."""
    with server.connect() as client:
        answer = client.ask(sent)
        assert answer.values("Connection") == ["close"]
        assert client.rest() == b""
    assert server.ask(request()).status == 200
    return answer


def detail(answer: Answer) -> str:
    """The sentence in the API's envelope."""
    assert answer.values("Content-Type") == ["application/json"]
    envelope = answer.json()
    assert set(envelope) == {"action_em", "response_em", "response_detail"}
    assert (envelope["action_em"], envelope["response_em"]) == ("action_unknown", "response_invalid_request")
    return str(envelope["response_detail"])


def test_a_body_of_just_the_limit_is_taken(server: Served) -> None:
    assert server.ask(request("POST", body=b"x" * 1000)).status == 200
    assert server.ask(request("POST", headers=CHUNKED) + b"3e8\r\n" + b"x" * 1000 + b"\r\n0\r\n\r\n").status == 200


def test_an_announced_body_over_the_limit_is_refused_before_it_is_sent(server: Served) -> None:
    answer = refused(server, request("POST", "/api/v1/releases", headers=[("Content-Length", "1001")]))
    assert answer.status == 413
    assert detail(answer) == "The body is larger than 1,000 bytes: send at most that many in one request."


def test_a_client_that_expects_continue_is_spared_the_body(server: Served) -> None:
    sent = request("POST", headers=[("Expect", "100-continue"), ("Content-Length", "999999999999")])
    assert refused(server, sent).status == 413


def test_a_client_that_sends_an_oversize_body_anyway_can_read_why(server: Served) -> None:
    with server.connect() as client:
        client.send(request("POST", "/api/v1/releases", b"x" * 3_000_000))
        assert client.answer().status == 413


def test_a_client_that_goes_on_sending_after_the_refusal_is_not_interrupted(server: Served) -> None:
    with server.connect() as client:
        client.send(request("POST", headers=[("Content-Length", "2000000")]))
        assert select.select([client.socket], [], [], 10)[0], "refused by now"
        for _ in range(20):
            client.send(b"x" * 100_000)
            assert server.ask(request()).status == 200
        assert client.answer().status == 413


def test_a_client_that_sends_more_than_it_may_still_reads_its_answers() -> None:
    gate = Gate()
    with served(gate) as server, server.connect() as client:
        client.send(request())
        gate.await_entry()
        last = request(headers=[("Connection", "close")])
        sending = threading.Thread(target=client.send, args=(last + b"x" * 12_000_000,))
        sending.start()
        assert server.ask(b"nonsense\r\n\r\n").status == 400, "the last request could be read by now"
        gate.opened.set()
        sending.join()
        assert [client.answer().status for _ in range(2)] == [200, 200]


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (request(headers=[("Connection", "close")]), 200),
        (request("POST", headers=[("Content-Length", "1001")]), 413),
    ],
)
def test_a_client_that_does_not_leave_after_the_last_answer_is_left(
    monkeypatch: pytest.MonkeyPatch, sent: bytes, status: int
) -> None:
    monkeypatch.setattr("shipmend.server.connection.LINGER_SECONDS", 0.1)
    with served(echo, max_body=1000) as server, server.connect() as client:
        assert client.ask(sent).status == status
        server.stop()
        server.ended.result(PATIENCE)


@pytest.mark.parametrize("headers", [[], CHUNKED])
def test_a_path_may_take_larger_bodies_than_the_others(headers: list[tuple[str, str]]) -> None:
    def sent(path: str, size: int) -> bytes:
        body = b"x" * size
        framed = b"%x\r\n%b\r\n0\r\n\r\n" % (size, body) if headers else b""
        return request("POST", path, b"" if headers else body, headers) + framed

    with served(echo, max_body=1000, larger_bodies=(("/large", 3000),)) as server:
        asked = [("/large", 3000), ("/large", 3001), ("/large?x=/small", 3000), ("/large/", 1001), ("/small", 1001)]
        answers = [server.ask(sent(path, size)) for path, size in asked]
        assert [answer.status for answer in answers] == [200, 413, 200, 413, 413]
        assert b"3,000 bytes" in answers[1].body
        assert b"1,000 bytes" in answers[4].body


def test_a_chunked_body_is_refused_as_soon_as_it_is_over_the_limit(server: Served) -> None:
    sent = request("POST", "/api/x", headers=CHUNKED) + b"3e8\r\n" + b"x" * 1000 + b"\r\n1\r\nx"
    answer = refused(server, sent)
    assert (answer.status, detail(answer)[:11]) == (413, "The body is")


def flooded(server: Served, start: bytes, piece: bytes) -> Answer:
    """Send the piece again and again until there is an answer."""
    with server.connect() as client:
        client.send(start)
        for _ in range(1000):
            client.send(piece)
            if select.select([client.socket], [], [], 0.001)[0]:
                return client.answer()
    raise AssertionError(f"{1000 * len(piece):,} bytes were taken without an answer")


def test_tiny_chunks_with_long_extensions_are_refused(server: Served) -> None:
    assert flooded(server, request("POST", headers=CHUNKED), b"1;" + b"e" * 5000 + b"\r\nx\r\n").status == 431


def test_a_trailer_without_an_end_is_refused(server: Served) -> None:
    assert flooded(server, request("POST", headers=CHUNKED) + b"0\r\nX-Long: ", b"t" * 5000).status == 431


def test_a_header_without_an_end_is_refused(server: Served) -> None:
    assert flooded(server, b"GET /api/x HTTP/1.1\r\nHost: test\r\nX-Long: ", b"v" * 5000).status == 431


def test_a_client_that_does_not_stop_sending_is_cut_off(server: Served) -> None:
    with server.connect() as client:
        client.send(request("POST", headers=[("Content-Length", "1001")]))
        with pytest.raises(ConnectionError):
            client.send(b"x" * 100_000_000)


def test_a_long_address_is_refused(server: Served) -> None:
    answer = refused(server, request(target="/api/" + "a" * 9000))
    assert answer.status == 414
    assert "send the parameters in the body" in detail(answer)


@pytest.mark.parametrize(
    "headers",
    [[(f"X-{number}", "v") for number in range(101)], [("X-Long", "v" * 70_000)]],
    ids=["many", "long"],
)
def test_too_many_or_too_long_headers_are_refused(server: Served, headers: list[tuple[str, str]]) -> None:
    answer = refused(server, request(target="/api/x", headers=headers))
    assert answer.status == 431
    assert "send fewer or shorter ones" in detail(answer)


START = b"POST /api/x HTTP/1.1\r\nHost: test\r\n"
MALFORMED = {
    "no host": b"GET /api/x HTTP/1.1\r\n\r\n",
    "two hosts": START + b"Host: other\r\n\r\n",
    "two lengths": START + b"Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
    "lengths in one line": START + b"Content-Length: 3, 3\r\n\r\nabc",
    "signed length": START + b"Content-Length: +3\r\n\r\nabc",
    "endless length": START + b"Content-Length: 99999999999999999999999999\r\n\r\n",
    "length and chunked": START + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunked and length": START + b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n",
    "chunked twice": START + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunked not last": START + b"Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n",
    "space before colon": START + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    "folded header": START + b"X-A: a\r\n b\r\n\r\n",
    "nul in header": START + b"X-A: a\0b\r\n\r\n",
    "bare cr in header": START + b"X-A: a\rContent-Length: 3\r\n\r\n",
    "bare lf": START + b"X-A: a\nX-B: b\r\n\r\n",
    "nameless header": START + b": a\r\n\r\n",
    "chunk size with prefix": START + b"Transfer-Encoding: chunked\r\n\r\n0x3\r\nabc\r\n0\r\n\r\n",
    "chunk longer than it says": START + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n",
    "endless chunk": START + b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n",
    "two content types": START + b"Content-Type: a/b\r\nContent-Type: c/d\r\n\r\n",
    "upgrade with a body": START + b"Connection: upgrade\r\nUpgrade: h2c\r\nContent-Length: 3\r\n\r\nabc",
    "fragment": b"GET /api/x#y HTTP/1.1\r\nHost: test\r\n\r\n",
}


@pytest.mark.parametrize("sent", MALFORMED.values(), ids=MALFORMED.keys())
def test_a_malformed_request_is_refused_with_the_reason(server: Served, sent: bytes) -> None:
    answer = refused(server, sent)
    assert answer.status == 400
    assert detail(answer).startswith("This is not a well-formed HTTP/1.1 request (")


@pytest.mark.parametrize(
    "sent",
    [
        b"nonsense\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01",
        b"get / HTTP/1.1\r\n\r\n",
        b"OPTIONS * HTTP/1.1\r\nHost: t\r\n\r\n",
        b"CONNECT test:443 HTTP/1.1\r\nHost: t\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ],
    ids=["words", "tls", "lower case", "star", "connect", "http2"],
)
def test_what_is_no_request_for_a_path_is_refused_in_plain_words(server: Served, sent: bytes) -> None:
    answer = refused(server, sent)
    assert answer.status == 400
    assert answer.values("Content-Type") == ["text/plain; charset=utf-8"]
    assert answer.body.startswith(b"This is not a well-formed HTTP/1.1 request (")


@pytest.mark.parametrize(
    ("sent", "status", "says"),
    [
        (b"GET /api/x HTTP/2.0\r\nHost: test\r\n\r\n", 505, "HTTP/2.0 is not served here: use HTTP/1.1"),
        (b"GET /api/x HTTP/0.9\r\n\r\n", 505, "HTTP/0.9 is not served here: use HTTP/1.1"),
        (START + b"Transfer-Encoding: gzip, chunked\r\n\r\n", 501, '"gzip, chunked" is not served here: use chunked'),
        (START + b"Transfer-Encoding: gzip\r\n\r\n", 501, '"gzip" is not served here: use chunked'),
        (b"POST /api/x HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 501, '"chunked" is not served here'),
        (START + b"Expect: miracles\r\n\r\n", 417, '"miracles" can\'t be met: expect 100-continue'),
    ],
)
def test_what_is_well_formed_but_not_served_is_named(server: Served, sent: bytes, status: int, says: str) -> None:
    answer = refused(server, sent)
    assert answer.status == status
    assert says in detail(answer)


def test_a_refused_head_request_gets_no_body(server: Served) -> None:
    with server.connect() as client:
        answer = client.ask(request("HEAD", headers=[("Expect", "miracles")]), "HEAD")
        assert answer.status == 417
        assert client.rest() == b""


def test_clients_over_the_limit_are_told_to_come_back() -> None:
    with served(echo, max_connections=2) as server:
        kept = [server.connect() for _ in range(2)]
        assert [client.ask(request()).status for client in kept] == [200, 200]
        with server.connect() as third:
            answer = third.answer()
        assert (answer.status, answer.values("Retry-After")) == (503, ["5"])
        for client in kept:
            assert client.ask(request()).status == 200
            client.close()


def test_clients_that_leave_in_the_midst_of_a_body_use_nothing_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shipmend.server.options.BODY_MEMORY", 4000)
    with served(echo, max_body=1000) as server:
        for _ in range(10):
            with server.connect() as client:
                client.send(request("POST", headers=[("Content-Length", "1000")]) + b"x" * 999)
        eventually(lambda: server.ask(request("POST", body=b"x" * 1000)).status == 200)


def test_a_body_is_let_go_when_it_is_answered() -> None:
    bodies: list[weakref.ref[object]] = []

    def keep_an_eye(environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
        bodies.append(weakref.ref(environ["wsgi.input"]))
        return echo(environ, start_response)

    with served(keep_an_eye) as server, server.connect() as client:
        assert client.ask(request("POST", body=b"x" * 1000)).status == 200
        eventually(lambda: bodies[0]() is None)


def test_bodies_together_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shipmend.server.options.BODY_MEMORY", 4000)
    with served(echo, max_body=1000) as server:
        clients = [server.connect() for _ in range(4)]
        for client in clients:
            client.send(request("POST", headers=[("Content-Length", "1000")]) + b"x" * 999)
        answers = [server.ask(request("POST", "/api/x", b"x" * 1000)) for _ in range(2)]
        assert 503 in {answer.status for answer in answers}
        assert answers[-1].json()["response_em"] == "response_unavailable"
        assert "send it again in 5 seconds" in answers[-1].json()["response_detail"]
        for client in clients:
            assert client.ask(b"x").status == 200
            client.close()
        with server.connect() as client:
            assert [client.ask(request("POST", body=b"x" * 1000)).status for _ in range(9)] == [200] * 9


def await_refusals(server: Served) -> None:
    """Until who comes is turned away. Those before that are in line, and leave."""
    with ExitStack() as stack:
        while True:
            client = stack.enter_context(server.connect())
            client.send(request())
            if select.select([client.socket], [], [], 0.2)[0]:
                assert client.answer().status == 503
                return


def test_who_would_wait_too_long_is_told_to_come_back_and_who_waits_is_served() -> None:
    gate = Gate()
    with served(gate, threads=1, wait_seconds=0.05) as server:
        at_work, in_line, late = server.connect(), server.connect(), server.connect()
        at_work.send(request())
        gate.await_entry()
        in_line.send(request())
        await_refusals(server)
        refusal = late.ask(request("POST", "/api/v1/releases", b"x"))
        assert refusal.status == 503
        assert refusal.json()["response_em"] == "response_unavailable"
        assert int(refusal.values("Retry-After")[0]) > 0
        alive = server.connect()
        alive.send(request("GET", "/healthz"))
        gate.opened.set()
        assert [client.answer().status for client in (at_work, in_line, alive)] == [200] * 3
        assert late.ask(request()).status == 200, "on the same connection"
        for client in (at_work, in_line, late, alive):
            client.close()


def test_many_requests_on_one_connection_are_all_turned_away() -> None:
    """However many: each refusal starts the next, and must not do so from within."""
    gate = Gate()
    with served(gate, threads=1, wait_seconds=0.05) as server, server.connect() as client:
        at_work, in_line = server.connect(), server.connect()
        at_work.send(request())
        gate.await_entry()
        in_line.send(request())
        await_refusals(server)
        client.send(request() * 2000)
        assert {client.answer().status for _ in range(2000)} == {503}
        gate.opened.set()
        assert [each.answer().status for each in (at_work, in_line)] == [200, 200]
        at_work.close()
        in_line.close()

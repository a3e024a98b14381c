"""What becomes of the application's answer, and of its failures."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterable, Iterator
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest
from tests.server.wire import Answer, request, served

Handler = Callable[[WSGIEnvironment, StartResponse], Iterable[bytes]]
SECRET = "hunter2 in the traceback"


def asked(handler: Handler, sent: bytes | None = None, method: str = "GET") -> Answer:
    """The answer on a connection that then serves a second request."""
    with served(handler) as server, server.connect() as client:
        answer = client.ask(sent or request(method), method)
        assert client.ask(sent or request(method), method).status == answer.status
        return answer


def test_headers_pass_as_given_and_twice_if_given_twice() -> None:
    def cookies(_: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
        start_response("201 Made", [("Set-Cookie", "a=1"), ("X-Odd", "caf\xe9"), ("Set-Cookie", "b=2")])
        return [b"ok"]

    answer = asked(cookies)
    assert answer.status == 201
    assert answer.values("Set-Cookie") == ["a=1", "b=2"]
    assert answer.values("X-Odd") == ["caf\xe9"]
    assert answer.values("Content-Length") == ["2"]
    assert len(answer.values("Date")) == 1
    assert not answer.values("Server")
    assert not answer.values("Connection")


@pytest.mark.parametrize("given", [[], [("Content-Length", "2")]])
def test_a_head_request_gets_the_length_and_no_body(given: list[tuple[str, str]]) -> None:
    def get(_: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
        start_response("200 OK", given)
        return [b"ok"]

    answer = asked(get, method="HEAD")
    assert (answer.body, answer.values("Content-Length")) == (b"", ["2"])


def test_a_head_request_for_an_answer_in_parts_gets_no_body() -> None:
    def parts(_: WSGIEnvironment, start_response: StartResponse) -> Iterator[bytes]:
        start_response("200 OK", [])
        return (b"x" * 50_000 for _ in range(10))

    answer = asked(parts, method="HEAD")
    assert (answer.body, answer.values("Content-Length")) == (b"", ["500000"])


@pytest.mark.parametrize("status", ["204 No Content", "304 Not Modified"])
def test_an_answer_that_has_no_body_has_no_length(status: str) -> None:
    def bodiless(_: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
        start_response(status, [])
        return [b"must not be sent"]

    answer = asked(bodiless)
    assert (answer.body, answer.values("Content-Length")) == (b"", [])


def lines() -> Iterator[bytes]:
    return (b"%07d\n" % number for number in range(100_000))


def test_a_long_answer_without_a_length_comes_in_chunks() -> None:
    def export(_: WSGIEnvironment, start_response: StartResponse) -> Iterator[bytes]:
        start_response("200 OK", [("Content-Type", "text/csv")])
        return lines()

    answer = asked(export)
    assert answer.values("Transfer-Encoding") == ["chunked"]
    assert answer.body == b"".join(lines())


def test_a_long_answer_with_a_length_comes_plain() -> None:
    def export(_: WSGIEnvironment, start_response: StartResponse) -> Iterator[bytes]:
        start_response("200 OK", [("content-length", "800000")])
        return lines()

    answer = asked(export)
    assert not answer.values("Transfer-Encoding")
    assert answer.body == b"".join(lines())


def test_http_1_0_gets_a_long_answer_without_chunks() -> None:
    def export(_: WSGIEnvironment, start_response: StartResponse) -> Iterator[bytes]:
        start_response("200 OK", [])
        return lines()

    with served(export) as server, server.connect() as client:
        client.send(b"GET / HTTP/1.0\r\n\r\n")
        head, _, body = client.rest().partition(b"\r\n\r\n")
    assert b"chunked" not in head
    assert body == b"".join(lines())


def test_write_of_pep_3333_comes_before_the_iterable() -> None:
    def written(_: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
        write = start_response("200 OK", [])
        write(b"first ")
        return [b"second"]

    assert asked(written).body == b"first second"


def test_the_iterable_is_closed_when_it_was_read() -> None:
    closed = []

    class Body(list[bytes]):
        def close(self) -> None:
            closed.append(True)

    def handler(_: WSGIEnvironment, start_response: StartResponse) -> Body:
        start_response("200 OK", [])
        return Body([b"ok"])

    asked(handler)
    assert closed == [True, True]


def fail() -> None:
    raise LookupError(SECRET)


def raises(_: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
    raise LookupError(SECRET)


def raises_late(_: WSGIEnvironment, start_response: StartResponse) -> Iterator[bytes]:
    start_response("200 OK", [])
    yield b"a few bytes"
    raise LookupError(SECRET)


def exits(_: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
    sys.exit(SECRET)


def says_nothing(_: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
    return [b"ok"]


def starts_twice(_: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
    start_response("200 OK", [])
    start_response("200 OK", [])
    return [b"ok"]


def splits_the_answer(_: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
    start_response("200 OK", [("X-A", "a\r\nSet-Cookie: stolen=1")])
    return [b"ok"]


def splits_the_status(_: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
    start_response("200 OK\r\nSet-Cookie: stolen=1", [])
    return [b"ok"]


def gives_less_than_announced(_: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
    start_response("200 OK", [("Content-Length", "3")])
    return [b"ok"]


FAILING = [
    raises, raises_late, exits, says_nothing, starts_twice, splits_the_answer, splits_the_status,
    gives_less_than_announced,
]  # fmt: skip


@pytest.mark.parametrize("handler", FAILING)
def test_a_failing_application_is_a_500_that_tells_nothing_but_the_log(
    handler: Handler, caplog: pytest.LogCaptureFixture
) -> None:
    answer = asked(handler, request(target="/api/v1/releases"))
    assert answer.status == 500
    assert answer.json()["action_em"] == "action_unknown"
    assert answer.json()["response_em"] == "response_error"
    assert answer.json()["response_detail"].startswith("The server failed on this request")
    assert b"hunter2" not in answer.body
    assert not answer.values("Set-Cookie")
    assert [record for record in caplog.records if record.levelno == logging.ERROR and record.exc_info]
    assert "GET /api/v1/releases failed" in caplog.messages


def test_a_page_that_fails_says_so_in_plain_words() -> None:
    answer = asked(raises)
    assert (answer.status, answer.values("Content-Type")) == (500, ["text/plain; charset=utf-8"])


def test_an_application_may_replace_its_answer_by_its_own_error() -> None:
    def mends_itself(_: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
        start_response("200 OK", [])
        try:
            fail()
        except LookupError:
            start_response("503 Later", [], sys.exc_info())
        return [b"later"]

    answer = asked(mends_itself)
    assert (answer.status, answer.body) == (503, b"later")


def breaks_off(_: WSGIEnvironment, start_response: StartResponse) -> Iterator[bytes]:
    start_response("200 OK", [])
    yield b"x" * 100_000
    raise LookupError(SECRET)


def breaks_off_by_pep_3333(_: WSGIEnvironment, start_response: StartResponse) -> Iterator[bytes]:
    start_response("200 OK", [("Content-Length", "200000")])
    yield b"x" * 100_000
    try:
        fail()
    except LookupError:
        start_response("500 Failed", [], sys.exc_info())


def gives_more_than_announced(_: WSGIEnvironment, start_response: StartResponse) -> Iterator[bytes]:
    start_response("200 OK", [("Content-Length", "200000")])
    return iter([b"x" * 100_000] * 3)


def gives_too_little_in_parts(_: WSGIEnvironment, start_response: StartResponse) -> Iterator[bytes]:
    start_response("200 OK", [("Content-Length", "200000")])
    return iter([b"x" * 100_000])


@pytest.mark.parametrize(
    "handler", [breaks_off, breaks_off_by_pep_3333, gives_more_than_announced, gives_too_little_in_parts]
)
def test_an_answer_that_breaks_off_is_cut_so_that_the_client_notices(handler: Handler) -> None:
    with served(handler) as server, server.connect() as client:
        client.send(request())
        with pytest.raises(ConnectionResetError):
            client.rest()

"""Headers, addresses and proxies: what the application is told."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import HTTPServer
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.server.wire import Client, Served, echo, request, served

from shipmend.core.errors import Invalid
from shipmend.server.environ import base_environ, believe_proxy, networks

AS_SENT = [("Accept", "a/b"), ("X-Two-Words", "  padded \t"), ("X-Empty", ""), ("Content-Type", "text/plain")]
TARGETS = ["/", "/a/b?c=d&e=%26", "/a%20b%2Fc/%C3%A9?q=%C3%A9", "/dots/../up", "/?", "/a?b?c", "/plus+a?x+y"]


class Quiet(WSGIRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def server() -> Iterator[Served]:
    with served(echo) as running:
        yield running


@pytest.fixture(scope="module")
def reference() -> Iterator[HTTPServer]:
    """Python's own reference server for WSGI."""
    with make_server("127.0.0.1", 0, echo, WSGIServer, Quiet) as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield running
        running.shutdown()
        thread.join()


@pytest.mark.parametrize("target", TARGETS)
def test_the_environ_is_that_of_pythons_reference_server(server: Served, reference: HTTPServer, target: str) -> None:
    sent = request("POST", target, b"abc", [*AS_SENT, ("Connection", "close")])
    ours = server.ask(sent).json()
    with Client(("127.0.0.1", reference.server_port)) as client:
        theirs = client.ask(sent).json()
    same = ["REQUEST_METHOD", "SCRIPT_NAME", "PATH_INFO", "QUERY_STRING", "CONTENT_TYPE", "CONTENT_LENGTH"]
    same += ["REMOTE_ADDR", "HTTP_ACCEPT", "HTTP_X_TWO_WORDS", "HTTP_X_EMPTY", "HTTP_HOST", "body_sha256"]
    same += ["wsgi.url_scheme"]
    assert {key: ours.get(key) for key in same} == {key: theirs.get(key) for key in same}


def test_server_and_protocol_are_told(server: Served) -> None:
    answer = server.ask(request()).json()
    assert (answer["SERVER_NAME"], answer["SERVER_PORT"]) == ("127.0.0.1", str(server.address[1]))
    assert answer["SERVER_PROTOCOL"] == "HTTP/1.1"


def test_a_whole_url_as_address_is_taken_for_its_path(server: Served) -> None:
    answer = server.ask(request(target="http://test/a/b?c=d")).json()
    assert (answer["PATH_INFO"], answer["QUERY_STRING"]) == ("/a/b", "c=d")


def test_lines_of_one_header_are_joined(server: Served) -> None:
    twice = [("X-A", "1"), ("Cookie", "a=1"), ("X-A", "2"), ("Cookie", "b=2")]
    answer = server.ask(request(headers=twice)).json()
    assert (answer["HTTP_X_A"], answer["HTTP_COOKIE"]) == ("1,2", "a=1; b=2")


def test_a_header_with_an_underscore_can_not_pass_for_another(server: Served) -> None:
    answer = server.ask(request(headers=[("X_Forwarded_For", "192.0.2.1"), ("Content_Length", "5")])).json()
    assert "HTTP_X_FORWARDED_FOR" not in answer
    assert "CONTENT_LENGTH" not in answer


CLAIMS = [
    ("X-Forwarded-For", "192.0.2.1"),
    ("X-Forwarded-Proto", "https"),
    ("X-Forwarded-Host", "evil.example"),
    ("X-Forwarded-Port", "443"),
    ("Forwarded", "for=192.0.2.1;proto=https"),
    ("X-Real-IP", "192.0.2.1"),
]


def test_a_client_can_not_claim_to_be_another(server: Served) -> None:
    answer = server.ask(request(headers=CLAIMS)).json()
    assert (answer["REMOTE_ADDR"], answer["wsgi.url_scheme"], answer["HTTP_HOST"]) == ("127.0.0.1", "http", "test")
    assert not [value for value in answer.values() if "192.0.2.1" in value or "evil" in value]


def test_a_trusted_proxy_is_believed_and_its_headers_are_spent() -> None:
    with served(echo, trusted_proxies=("127.0.0.0/8",)) as server:
        answer = server.ask(request(headers=CLAIMS)).json()
    assert answer["REMOTE_ADDR"] == "192.0.2.1"
    assert answer["wsgi.url_scheme"] == "https"
    assert answer["HTTP_HOST"] == "evil.example"
    assert not [key for key in answer if "FORWARDED" in key or "REAL_IP" in key]


@pytest.mark.parametrize(
    ("forwarded_for", "client"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("198.51.100.9, 192.0.2.1", "192.0.2.1"),  # the first was written by the client
        ("198.51.100.9, 192.0.2.1, 10.0.0.7", "192.0.2.1"),  # two proxies in a row
        ("10.0.0.8,10.0.0.7", "10.0.0.8"),  # a client among the proxies
        ("192.0.2.1, unknown", "10.0.0.1"),  # not an address: only the peer is sure
        ("unknown, 10.0.0.7", "10.0.0.7"),
        ("192.0.2.1:4711", "192.0.2.1"),
        ("[2001:db8::1]:4711", "2001:db8::1"),
        ("2001:db8::1", "2001:db8::1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("", "10.0.0.1"),
    ],
)
def test_the_client_is_the_last_address_that_is_no_proxy(forwarded_for: str, client: str) -> None:
    environ = {**base_environ(), "REMOTE_ADDR": "10.0.0.1", "HTTP_X_FORWARDED_FOR": forwarded_for}
    believe_proxy(environ, networks(["10.0.0.0/8"]))
    assert environ["REMOTE_ADDR"] == client


@given(st.lists(st.text(st.characters(codec="latin-1", exclude_characters=",")), max_size=4), st.ip_addresses())
def test_nothing_a_client_writes_before_its_own_address_matters(written: list[str], client: object) -> None:
    environ = {**base_environ(), "REMOTE_ADDR": "10.0.0.1"}
    environ["HTTP_X_FORWARDED_FOR"] = ",".join([*written, str(client)])
    alone = {**environ, "HTTP_X_FORWARDED_FOR": str(client)}
    for each in (environ, alone):
        believe_proxy(each, networks(["10.0.0.1"]))
    assert environ == alone


@pytest.mark.parametrize("text", ["proxy.example", "10.0.0.1/8", "10.0.0.0/33", ""])
def test_a_proxy_that_is_no_address_is_refused_by_name(text: str) -> None:
    with pytest.raises(Invalid, match=r'trusted_proxies ".*" is no address or network: write one like 10\.0\.0\.7'):
        networks([text])

"""The reader without sockets: however the bytes are cut, and whatever they are."""

from __future__ import annotations

from contextlib import suppress
from itertools import pairwise
from wsgiref.types import WSGIEnvironment

from hypothesis import given
from hypothesis import strategies as st
from tests.server.wire import request

from shipmend.server.environ import base_environ
from shipmend.server.options import ServerOptions
from shipmend.server.reader import BodyMemory, Phase, Receiver, RequestReader
from shipmend.server.refusals import Refusal

OPTIONS = ServerOptions("127.0.0.1", 0, max_body=200)

names = st.from_regex(r"X-[A-Za-z0-9-]{1,12}", fullmatch=True)
values = st.text(st.characters(min_codepoint=0x21, max_codepoint=0xFF, exclude_characters="\x7f"), max_size=20)
bodies = st.binary(max_size=200)


@st.composite
def requests(draw: st.DrawFn) -> bytes:
    """A good request, its body given by length or in chunks."""
    headers = draw(st.lists(st.tuples(names, values), max_size=4, unique_by=lambda pair: pair[0].lower()))
    body = draw(bodies)
    if draw(st.booleans()):
        return request("POST", "/a%20b?c", body, headers)
    parts = [body[start : start + 7] for start in range(0, len(body), 7)]
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts)
    return request("POST", "/a%20b?c", b"", [*headers, ("Transfer-Encoding", "chunked")]) + chunks + b"0\r\n\r\n"


def read(pieces: list[bytes], memory: BodyMemory | None = None) -> tuple[list[dict[str, object]], Phase]:
    """What is taken from the pieces, and where in a request they end. Raises Refusal."""
    taken: list[dict[str, object]] = []

    def take(environ: WSGIEnvironment, keep: bool) -> None:
        body = environ.pop("wsgi.input").read()
        taken.append({**environ, "body": body, "keep": keep})

    receiver = Receiver(take, lambda: None)
    reader = RequestReader(OPTIONS, base_environ(), (), memory or BodyMemory(10_000), receiver)
    try:
        for piece in pieces:
            reader.feed(piece)
    finally:
        reader.close()
    return taken, reader.phase


@given(st.lists(requests(), min_size=1, max_size=3), st.lists(st.integers(0, 2000), max_size=12))
def test_how_the_bytes_are_cut_makes_no_difference(sent: list[bytes], cuts: list[int]) -> None:
    whole = b"".join(sent)
    edges = sorted({0, len(whole), *(cut for cut in cuts if cut < len(whole))})
    pieces = [whole[start:end] for start, end in pairwise(edges)]
    one_by_one = [read([one])[0][0] for one in sent]
    assert read(pieces) == (one_by_one, Phase.BETWEEN)


@given(st.lists(requests(), max_size=2), st.lists(st.tuples(st.integers(0, 2000), st.binary(max_size=6)), max_size=6))
def test_damaged_bytes_are_refused_or_read_and_never_an_accident(
    sent: list[bytes], damage: list[tuple[int, bytes]]
) -> None:
    data = b"".join(sent)
    for place, wrong in damage:
        data = data[:place] + wrong + data[place + len(wrong) :]
    memory = BodyMemory(10_000)
    with suppress(Refusal):
        read([data], memory)
    assert memory.held == 0


def test_an_answer_lets_go_of_its_own_body_and_not_of_the_next() -> None:
    memory = BodyMemory(10_000)
    reader = RequestReader(OPTIONS, base_environ(), (), memory, Receiver(lambda environ, keep: None, lambda: None))
    reader.feed(request("POST", body=b"x" * 100) + request("POST", body=b"y" * 30)[:-10])
    assert memory.held == 120
    reader.release()
    assert memory.held == 20
    reader.close()
    assert memory.held == 0

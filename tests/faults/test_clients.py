"""Clients that send too much, nonsense, or nothing for ever, to a real server on a real socket."""

from __future__ import annotations

import asyncio
import http.client
import json
import random
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
from bench.load import Outcome, Target, run

from tests.faults.figures import note
from tests.faults.instance import Instance, instance
from tests.faults.scale import rounds

NONSENSE = rounds(100_000, least=300)
STALLED = rounds(200, least=40)
CALLS = rounds(2000, least=40)
CROWD = rounds(600, least=150)
PRESSED = float(rounds(20, least=1))
"""Seconds."""
ENVELOPE = {"action_em", "response_em", "response_detail"}
FORM, JSON = "application/x-www-form-urlencoded", "application/json"
MIB = 1 << 20


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    with instance(tmp_path_factory.mktemp("faults")) as made:
        made.start("serve")
        made.wait_until_ready()
        yield made


def memory(here: Instance) -> float:
    """MiB that the server holds."""
    text = Path(f"/proc/{here.processes['serve'].running.pid}/status").read_text()
    return int(text.partition("VmRSS:")[2].split()[0]) / 1024


def send(here: Instance, head: str, body: bytes = b"") -> tuple[int, bytes]:
    """One raw request on a connection of its own, and status and body of its answer; what it can't take is left."""
    text = f"{head}\r\nHost: x\r\nAuthorization: Bearer {here.token}\r\n\r\n".encode()
    with socket.create_connection(("127.0.0.1", here.port), timeout=30) as client:
        with suppress(ConnectionError):
            client.sendall(text)
            client.sendall(body)
        answer = http.client.HTTPResponse(client)
        answer.begin()
        return answer.status, answer.read()


def test_what_is_too_large_is_refused_and_held_nowhere(here: Instance) -> None:
    post = "POST /api/v1/releases HTTP/1.1\r\nContent-Type:"
    fields = b"&".join(b"f%d=1" % n for n in range(20_000))
    deep = b'{"a":' * 100_000
    endless = b"8000\r\n" + b"x" * 32768 + b"\r\n"
    cases = {
        "1 MiB and a byte": (f"{post} {FORM}\r\nContent-Length: {MIB + 1}", b"x" * (MIB + 1), 413),
        "10 GB announced": (f"{post} {FORM}\r\nContent-Length: 10000000000", b"", 413),
        "chunks without end": (f"{post} {JSON}\r\nTransfer-Encoding: chunked", endless * 64, 413),
        "20,000 fields": (f"{post} {FORM}\r\nContent-Length: {len(fields)}", fields, 400),
        "JSON 100,000 deep": (f"{post} {JSON}\r\nContent-Length: {len(deep)}", deep, 400),
        "a header of 1 MiB": (f"{post} {FORM}\r\nX-Large: {'x' * MIB}", b"", 431),
        "an address of 1 MiB": (f"GET /api/v1/live?q={'x' * MIB} HTTP/1.1", b"", 414),
    }
    before = memory(here)
    for name, (head, body, status) in cases.items():
        for _ in range(rounds(50, least=2)):
            got, answer = send(here, head, body)
            assert got == status, name
            assert set(json.loads(answer)) == ENVELOPE, name
    assert here.get("api_tokens")[0] == 200
    grown = memory(here) - before
    note("oversize requests", f"{len(cases)} kinds, {rounds(50, least=2)} each", f"all refused; {grown:.0f} MiB grown")
    assert grown < 64


def test_nonsense_never_breaks_it_and_is_always_told_in_the_envelope(here: Instance) -> None:
    chance = random.Random(17)
    connection = http.client.HTTPConnection("127.0.0.1", here.port, timeout=60)
    statuses: dict[int, int] = {}
    for _ in range(NONSENSE):
        path, kind, body = _nonsense(chance)
        headers = {"Authorization": f"Bearer {here.token}", "Content-Type": kind}
        connection.request("POST", f"/api/v1/{path}", body, headers)
        response = connection.getresponse()
        answer = json.loads(response.read())
        statuses[response.status] = statuses.get(response.status, 0) + 1
        assert response.status < 500, (path, kind, body)
        assert set(answer) >= ENVELOPE, answer
    connection.close()
    told = ", ".join(f"{count} × {status}" for status, count in sorted(statuses.items()))
    note("malformed bodies", f"{NONSENSE:,} calls", f"0 × 5xx, every answer an envelope ({told})")


def _nonsense(chance: random.Random) -> tuple[str, str, bytes]:
    good = {"resource_path": "e/acme/r0", "release_sha": "ab" * 20, "released_at": "2024-01-01", "defect_key": "K"}
    wrong: list[object] = [
        "\ud800",
        "\0",
        "é" * 300,
        "9" * 400,
        None,
        True,
        [],
        {},
        1e308,
        -(2**70),
        "null",
        "\u202e",
        "' OR 1=1",
    ]
    given = {**good, chance.choice(list(good)): chance.choice(wrong), "detected_now": chance.choice(wrong)}
    kinds = [
        JSON,
        FORM,
        "multipart/form-data; boundary=x",
        "multipart/form-data",
        "text/xml",
        f"{JSON}; charset=utf-16",
    ]
    body = bytearray(json.dumps(given).encode(errors="surrogatepass"))
    for _ in range(chance.choice((0, 0, 1, 5, 50))):
        place = chance.randrange(len(body) + 1)
        cut = body[place : place + chance.randrange(9)]
        body[place : place + chance.randrange(4)] = chance.choice(
            (b"\xff", b"\0", b'"', b"NaN", b"{" * 40, b"&a=1", cut)
        )
    path = chance.choice(("releases", "critical_defects", "imports", "batch"))
    return path, chance.choice(kinds), bytes(body)


def test_stalled_clients_keep_nobody_waiting(here: Instance) -> None:
    """Half of them stop in the head, half in the body; now and then each sends one more byte."""
    half_head = b"POST /api/v1/releases HTTP/1.1\r\nHost: x\r\nX-Slow: "
    half_body = b"POST /api/v1/releases HTTP/1.1\r\nHost: x\r\nContent-Length: 900000\r\n\r\n"
    free, before = sorted(_times(here)), memory(here)
    with ExitStack() as stack:
        stalled = [stack.enter_context(socket.create_connection(("127.0.0.1", here.port))) for _ in range(STALLED)]
        for n, client in enumerate(stalled):
            client.sendall(half_head if n % 2 else half_body)
        stopping = threading.Event()
        dripping = threading.Thread(target=_drip, args=(stalled, stopping))
        dripping.start()
        beside, grown = sorted(_times(here)), memory(here) - before
        stopping.set()
        dripping.join()
    p99 = [f"{times[int(len(times) * 0.99)] * 1000:.0f} ms" for times in (free, beside)]
    came_to = f"p99 of a call {p99[1]} beside them, {p99[0]} without; {grown:.0f} MiB grown"
    note("stalled clients", f"{STALLED}, {CALLS} calls beside them", came_to)
    assert len(beside) == CALLS, "each of the others was answered"


def test_more_than_can_be_served_is_turned_away_and_the_rest_goes_on(here: Instance) -> None:
    """As many clients as press, each at once with its next call; first as many as are served with ease."""
    calm, rush = _press(here, 16), _press(here, CROWD)
    after = _press(here, 16)
    came_to = (
        f"{rush.per_second:.0f} writes/s of {calm.per_second:.0f} without; p99 of those served {rush.p99:.0f} ms"
        f" ({calm.p99:.0f} without); {rush.failed} turned away; afterwards {after.failed}"
    )
    note("overload", f"{CROWD} clients for {PRESSED:g} s", came_to)
    assert calm.failed == after.failed == 0
    assert rush.per_second > 0
    assert here.get("api_tokens")[0] == 200


def _press(here: Instance, clients: int) -> Outcome:
    paths = tuple(f"e/acme/r{n}" for n in range(4))
    seed = random.getrandbits(32)
    return asyncio.run(run(Target("127.0.0.1", here.port, "release", here.token, paths, clients, PRESSED, seed)))


def _times(here: Instance) -> list[float]:
    found = []
    for _ in range(CALLS):
        began = time.monotonic()
        assert here.get("api_tokens")[0] == 200
        found.append(time.monotonic() - began)
    return found


def _drip(clients: list[socket.socket], stopping: threading.Event) -> None:
    while not stopping.wait(1):
        for client in clients:
            with suppress(OSError):
                client.sendall(b"x")

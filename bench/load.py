"""A load generator for loopback: keep-alive clients that each send one call after the other, for a bounded time."""

from __future__ import annotations

import asyncio
import itertools
import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from urllib.parse import urlencode

WARM_UP_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one run of the load came to: good answers a second, and percentiles of their times in milliseconds."""

    per_second: float
    p50: float
    p99: float
    failed: int
    answers: int = 0
    """Good ones, those of the warm-up included."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where and what to call. `kind` names one of the calls below; `paths` are the repos to write to."""

    host: str
    port: int
    kind: str
    token: str
    paths: tuple[str, ...]
    clients: int
    seconds: float
    seed: int
    stalled: int = 0
    """Clients beside these that send their request a byte a second: half of them its head, half its body."""


def calls(target: Target, client: int) -> Iterator[bytes]:
    """The requests of one client, no two alike."""
    make = CALLS.get(target.kind, _token)
    for n in itertools.count():
        yield make(target, client, n)


def _release(target: Target, client: int, n: int) -> bytes:
    path = target.paths[(client * 7919 + n) % len(target.paths)]
    sha = f"{target.seed:08x}{client:08x}{n:024x}"
    at = 1_600_000_000 + (n * 97 + client) % 10_000_000
    form = {"resource_path": path, "release_sha": sha, "released_at": at, "name": f"v{n}"}
    return _post(target, "/api/v1/releases", form)


def _defect(target: Target, client: int, n: int) -> bytes:
    path = target.paths[(client * 7919 + n) % len(target.paths)]
    at = 1_600_000_000 + (n * 97 + client) % 10_000_000
    form = {
        "resource_path": path,
        "defect_key": f"B-{target.seed}-{client}-{n}",
        "detected_at": at,
        "fix_released_at": at + 3600,
        "description": "Site outage for 15 minutes",
        "severity": 2,
    }
    return _post(target, "/api/v1/critical_defects", form)


def _empty(target: Target, client: int, n: int) -> bytes:
    return _post(target, "/empty", {"client": client, "n": n})


def _orm(target: Target, client: int, n: int) -> bytes:
    return _release(target, client, n).replace(b"POST /api/v1/releases", b"POST /orm/releases", 1)


def _token(target: Target, client: int, n: int) -> bytes:
    return _get(target, "/api/v1/api_tokens")


def _batch(target: Target, client: int, n: int) -> bytes:
    lines = [_line(target, client, n * BATCH_LINES + k) for k in range(BATCH_LINES)]
    return _post_text(target, "/api/v1/batch", "application/x-ndjson", "\n".join(lines).encode())


def _line(target: Target, client: int, n: int) -> str:
    path = target.paths[(client * 7919 + n) % len(target.paths)]
    at = 1_600_000_000 + (n * 97 + client) % 10_000_000
    line = {"resource_path": path, "release_sha": f"{target.seed:08x}{client:08x}{n:024x}", "released_at": at}
    return json.dumps({**line, "name": f"v{n}"})


BATCH_LINES = 200
READ = "read"
CALLS: dict[str, Callable[[Target, int, int], bytes]] = {
    "release": _release,
    "defect": _defect,
    "empty": _empty,
    "orm": _orm,
    "token": _token,
    "batch": _batch,
}


def _get(target: Target, path: str) -> bytes:
    return (
        f"GET {path} HTTP/1.1\r\nHost: {target.host}:{target.port}\r\nAuthorization: Bearer {target.token}\r\n\r\n"
    ).encode()


def _post(target: Target, path: str, form: dict[str, object]) -> bytes:
    return _post_text(target, path, "application/x-www-form-urlencoded", urlencode(form).encode())


def _post_text(target: Target, path: str, kind: str, body: bytes) -> bytes:
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {target.host}:{target.port}\r\nAuthorization: Bearer {target.token}\r\n"
        f"Content-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


@dataclass(slots=True)
class _Told:
    """What the clients saw."""

    times: list[float]
    failures: list[int]
    answers: int = 0


async def _client(target: Target, number: int, stop_at: float, told: _Told) -> None:
    reader, writer = await asyncio.open_connection(target.host, target.port)
    requests = calls(target, number)
    if target.kind == READ:
        requests = itertools.repeat(await _reading(target, number, reader, writer))
    measured_from = stop_at - target.seconds
    for request in requests:
        began = time.monotonic()
        if began >= stop_at:
            break
        status, _ = await _asked(reader, writer, request)
        if status != 200:
            told.failures.append(status)
            continue
        told.answers += 1
        if began >= measured_from:
            told.times.append(time.monotonic() - began)
    writer.close()


async def _asked(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> tuple[int, bytes]:
    writer.write(request)
    head = await reader.readuntil(b"\r\n\r\n")
    lower = head.lower()
    if b"transfer-encoding: chunked" in lower:
        return int(head[9:12]), await _chunks(reader)
    length = int(lower.partition(b"content-length:")[2].partition(b"\r\n")[0])
    return int(head[9:12]), await reader.readexactly(length)


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    body = b""
    while size := int(await reader.readuntil(b"\r\n"), 16):
        body += (await reader.readexactly(size + 2))[:-2]
    await reader.readexactly(2)
    return body


async def _reading(target: Target, number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
    """A request for a release that this client has recorded first."""
    _, body = await _asked(reader, writer, _release(target, number, 0))
    return _get(target, f"/api/v1/releases/{json.loads(body)['release']['id']}")


async def _stall(target: Target, number: int, stop_at: float) -> None:
    """Connect again whenever the server has had enough."""
    head, _, body = _release(target, number, 0).partition(b"\r\n\r\n")
    sent, rest = (b"", head) if number % 2 else (head + b"\r\n\r\n", body)
    while time.monotonic() < stop_at:
        with suppress(OSError):
            _, writer = await asyncio.open_connection(target.host, target.port)
            writer.write(sent)
            for byte in rest:
                if writer.is_closing() or time.monotonic() >= stop_at:
                    break
                writer.write(bytes([byte]))
                await asyncio.sleep(1)
            writer.close()


async def run(target: Target) -> Outcome:
    """Load the target with its clients, after a warm-up."""
    told = _Told([], [])
    stop_at = time.monotonic() + WARM_UP_SECONDS + target.seconds
    stalled = [asyncio.create_task(_stall(target, n, stop_at)) for n in range(target.stalled)]
    await asyncio.gather(*(_client(target, n, stop_at, told) for n in range(target.clients)))
    for task in stalled:
        task.cancel()
    times = sorted(told.times)
    if not times:
        return Outcome(0, 0, 0, len(told.failures), told.answers)
    p50, p99 = (times[min(len(times) - 1, int(len(times) * share))] * 1000 for share in (0.5, 0.99))
    return Outcome(len(times) / target.seconds, p50, p99, len(told.failures), told.answers)


if __name__ == "__main__":
    given = json.loads(sys.stdin.read())
    outcome = asyncio.run(run(Target(**{**given, "paths": tuple(given["paths"])})))
    print(json.dumps(asdict(outcome)))

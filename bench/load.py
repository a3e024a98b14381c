"""A load generator for loopback: keep-alive clients that each send one call after the other, for a bounded time."""

from __future__ import annotations

import asyncio
import itertools
import json
import sys
import time
from collections.abc import Callable, Iterator
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


def calls(target: Target, client: int) -> Iterator[bytes]:
    """The requests of one client, no two alike."""
    make = CALLS[target.kind]
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


CALLS: dict[str, Callable[[Target, int, int], bytes]] = {"release": _release, "defect": _defect, "empty": _empty}


def _post(target: Target, path: str, form: dict[str, object]) -> bytes:
    body = urlencode(form).encode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {target.host}:{target.port}\r\nAuthorization: Bearer {target.token}\r\n"
        f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def _client(target: Target, number: int, stop_at: float, times: list[float], failures: list[int]) -> None:
    reader, writer = await asyncio.open_connection(target.host, target.port)
    measured_from = stop_at - target.seconds
    for request in calls(target, number):
        began = time.monotonic()
        if began >= stop_at:
            break
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        lower = head.lower()
        length = int(lower.partition(b"content-length:")[2].partition(b"\r\n")[0])
        await reader.readexactly(length)
        if head[9:12] != b"200":
            failures.append(int(head[9:12]))
        elif began >= measured_from:
            times.append(time.monotonic() - began)
    writer.close()


async def run(target: Target) -> Outcome:
    """Load the target with its clients, after a warm-up."""
    times: list[float] = []
    failures: list[int] = []
    stop_at = time.monotonic() + WARM_UP_SECONDS + target.seconds
    await asyncio.gather(*(_client(target, n, stop_at, times, failures) for n in range(target.clients)))
    times.sort()
    if not times:
        return Outcome(0, 0, 0, len(failures))
    p50, p99 = (times[min(len(times) - 1, int(len(times) * share))] * 1000 for share in (0.5, 0.99))
    return Outcome(len(times) / target.seconds, p50, p99, len(failures))


if __name__ == "__main__":
    given = json.loads(sys.stdin.read())
    outcome = asyncio.run(run(Target(**{**given, "paths": tuple(given["paths"])})))
    print(json.dumps(asdict(outcome)))

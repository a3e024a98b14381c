"""Real servers for tests: `shipmend serve` in a process of its own."""

from __future__ import annotations

import os
import re
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ADDRESS = re.compile(r"http://[0-9.]+:\d+")
SECONDS_TO_STOP = 20
SOURCE = Path(__file__).parents[1] / "src"


def free_port() -> int:
    """A port that nobody listened on a moment ago."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


@contextmanager
def serve(data: Path, *, python: str, environ: dict[str, str] | None = None) -> Iterator[str]:
    """Serve the instance in `data` on a free port, until the block ends: its address. Jobs wait; see `work`."""
    command = ["serve", "--host", "127.0.0.1", "--port", "0", "--no-worker", "--data", str(data)]
    with _running(python, command, environ or {}) as process:
        yield _address(process)


@contextmanager
def work(data: Path, *, python: str) -> Iterator[None]:
    """A worker on the instance in `data`, until the block ends."""
    with _running(python, ["worker", "--data", str(data)], {}):
        yield


@contextmanager
def _running(python: str, command: list[str], environ: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    settings = {**os.environ, "PYTHONPATH": str(SOURCE), "PYTHONUNBUFFERED": "1", **environ}
    process = subprocess.Popen([python, "-m", "shipmend", *command], stdout=subprocess.PIPE, text=True, env=settings)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(SECONDS_TO_STOP)
        if process.stdout:
            process.stdout.close()


def _address(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    for line in process.stdout:
        found = ADDRESS.search(line)
        if found:
            return found.group()
    raise AssertionError(f"the server ended with {process.wait()} before it said where it listens")

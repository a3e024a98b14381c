"""The service as the benchmarks run it: a fresh instance with a thousand repos, a server pinned to one core, load."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlsplit

from bench.load import Outcome, Target

REPOS = 1000
ENTITY = "bench"

_POPULATE = f"""
import json
from shipmend.bootstrap import open_instance
open_instance()
from shipmend.accounts.tokens import issue
from shipmend.audit.trail import COMMAND_LINE
from shipmend.catalog.actions import create_entity, ensure_repo
from shipmend.catalog.queries import find_place, tenant_of
from shipmend.core.values import ResourcePath
from shipmend.db.writes import write
tenant = tenant_of(create_entity(slug={ENTITY!r}, actor=COMMAND_LINE))
paths = [ResourcePath({ENTITY!r}, "acme", f"repo-{{n}}") for n in range({REPOS})]
write(lambda: [ensure_repo(path=path, remote=None, actor=COMMAND_LINE) for path in paths])
place = find_place(tenant, ResourcePath({ENTITY!r}))
token = issue(place=place, name="bench", actor=COMMAND_LINE).text
print(json.dumps([token, [str(path) for path in paths]]))
"""


@dataclass(frozen=True, slots=True)
class Instance:
    """A data folder and the environment of every process on it."""

    data: Path
    more: Mapping[str, str]
    token: str = ""
    paths: tuple[str, ...] = ()

    @property
    def environ(self) -> dict[str, str]:
        """The environment of a process."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("SHIPMEND_", "DATABASE_"))}
        return {**kept, "SHIPMEND_DATA": str(self.data), "SHIPMEND_TOKEN_FAILURES": "0", **self.more}

    def run(self, *words: str, core: int = 0) -> str:
        """Run Python on the instance; its standard output."""
        command = [*on_core(core), sys.executable, *words]
        return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=self.environ).stdout


@dataclass(frozen=True, slots=True)
class Running:
    """A server: where it listens, and its process."""

    address: str
    pid: int

    def processor_seconds(self) -> float:
        """What it has used so far."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def resident_bytes(self) -> int:
        """Its memory now."""
        return int(Path(f"/proc/{self.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class Measured:
    """One load, and what of the server's processor it took."""

    outcome: Outcome
    per_processor_second: float


def populate(data: Path, **more: str) -> Instance:
    """A fresh instance with a thousand repos, known by name alone, and a token."""
    empty = Instance(data, more)
    token, paths = json.loads(empty.run("-c", _POPULATE))
    return Instance(data, more, token, tuple(paths))


@contextmanager
def served(instance: Instance, **more: str) -> Iterator[Running]:
    """The instance served on core 0, with the views of bench.urls beside its own."""
    command = [*on_core(0), sys.executable, "-m", "bench.server"]
    with (instance.data / "server.log").open("a") as log:
        environ = {**instance.environ, **more}
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True, env=environ)
        assert process.stdout is not None
        try:
            server = Running(process.stdout.readline().strip(), process.pid)
            loaded(instance, server, "release", clients=4, seconds=1, seed=process.pid)  # imports come with the first
            yield server
        finally:
            process.terminate()
            process.wait(60)


def loaded(
    instance: Instance, server: Running, kind: str, *, clients: int, seconds: float, seed: int, stalled: int = 0
) -> Measured:
    """Load from core 1, for so many seconds after a warm-up."""
    where = urlsplit(server.address)
    host, port = str(where.hostname), int(where.port or 0)
    target = Target(host, port, kind, instance.token, instance.paths, clients, seconds, seed, stalled)
    before = server.processor_seconds()
    output = subprocess.run(
        [*on_core(1), sys.executable, "-m", "bench.load"],
        input=json.dumps(asdict(target)),
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    ).stdout
    outcome = Outcome(**json.loads(output))
    used = server.processor_seconds() - before
    return Measured(outcome, outcome.answers / used if used else 0.0)


def started(instance: Instance) -> tuple[float, int]:
    """Seconds from the start of `shipmend serve`, worker included, to its first answer; bytes it takes when idle."""
    command = [*on_core(0), sys.executable, "-m", "shipmend", "serve", "--port", "0"]
    began = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=instance.environ)
    assert process.stdout is not None
    try:
        address = process.stdout.readline().split()[-1]
        asked = ["curl", "-sf", "-o", "/dev/null", "-H", f"Authorization: Bearer {instance.token}"]
        subprocess.run([*asked, f"{address}/api/v1/api_tokens"], check=True)
        took = time.monotonic() - began
        time.sleep(3)
        return took, Running(address, process.pid).resident_bytes()
    finally:
        process.terminate()
        process.wait(60)


def on_core(number: int) -> list[str]:
    """Words that pin a command to one core, where there are two and the machine can."""
    cores = sorted(os.sched_getaffinity(0))
    return ["taskset", "-c", str(cores[number])] if len(cores) > 1 else []

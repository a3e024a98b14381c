"""An instance to be broken: a data folder and a database of its own, and the processes that serve it."""

from __future__ import annotations

import http.client
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

from tests.faults.figures import DATABASE
from tests.serving import SOURCE, free_port

ROOT = Path(__file__).parents[2]
PATIENCE = 180.0
"""Seconds for what takes a moment."""

_BEGIN = """
import json, os, sys
from shipmend.bootstrap import open_instance
open_instance(migrate={migrate})
"""
_FURNISH = """
from shipmend.accounts.tokens import issue
from shipmend.audit.trail import COMMAND_LINE
from shipmend.catalog.actions import create_entity, ensure_repo
from shipmend.catalog.queries import find_place, tenant_of
from shipmend.core.values import ResourcePath
from shipmend.git.remotes import parse_remote
tenant = tenant_of(create_entity(slug="e", actor=COMMAND_LINE))
for n in range(4):
    ensure_repo(path=ResourcePath("e", "acme", f"r{n}"), remote=None, actor=COMMAND_LINE)
for n, git in enumerate(sys.argv[1:]):
    remote = parse_remote(git, allow_local=True)
    ensure_repo(path=ResourcePath("e", "acme", f"git{n}"), remote=remote, actor=COMMAND_LINE)
print(json.dumps(issue(place=find_place(tenant, ResourcePath("e")), name="faults", actor=COMMAND_LINE).text))
"""
_STORED = """
from collections import defaultdict
from shipmend.audit.models import AuditEvent
from shipmend.delivery.models import CriticalDefect, DefectFix, Release
stored = defaultdict(list)
for key, text in CriticalDefect.objects.filter(deleted_at=None).values_list("defect_key", "description"):
    stored[f"defect {key}"].append(text)
for key, at in DefectFix.objects.values_list("defect__defect_key", "released_at"):
    stored[f"fix {key} {at}"].append("there")
for sha, name in Release.objects.filter(deleted_at=None).values_list("release_sha", "name"):
    stored[f"release {sha}"].append(name)
made = AuditEvent.objects.filter(action__in=["release_created", "defect_created"])
subjects = list(made.values_list("subject_id", flat=True))
rows = Release.objects.count() + CriticalDefect.objects.count()
print(json.dumps({"stored": stored, "told": len(subjects), "subjects": len(set(subjects)), "rows": rows}))
"""


@dataclass
class Process:
    """One `shipmend serve` or `shipmend worker`."""

    running: subprocess.Popen[bytes]
    log: Path

    def kill(self) -> None:
        """As the machine's own killer does, and wait until it is gone."""
        self.running.kill()
        self.running.wait(PATIENCE)

    def stop(self) -> int:
        """Ask it to end, and its exit code."""
        self.running.terminate()
        return self.running.wait(PATIENCE)

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self.running.send_signal(number)


@dataclass
class Instance:
    """Made by `instance()`."""

    folder: Path
    environ: Mapping[str, str]
    port: int
    token: str = ""
    processes: dict[str, Process] = field(default_factory=dict)

    def furnish(self, *upstreams: Path) -> None:
        """Tables, an entity `e` with the repos r0 to r3, and git0… mirroring `upstreams`; a token for all of it."""
        self.token = self.ask(_FURNISH, *map(str, upstreams), migrate=True)

    def ask(self, code: str, *arguments: str, migrate: bool = False) -> Any:
        """What `code`, run in a process with Django set up, prints as JSON."""
        command = [sys.executable, "-c", _BEGIN.format(migrate=migrate) + code, *arguments]
        done = subprocess.run(command, env=dict(self.environ), capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[-1])

    def stored(self) -> dict[str, list[str]]:
        """What is stored of each cell, read past the service. What was made is told by the audit trail, once each."""
        answer = self.ask(_STORED)
        assert answer["told"] == answer["subjects"] == answer["rows"], answer
        found: dict[str, list[str]] = answer["stored"]
        return found

    def check_integrity(self) -> None:
        """The database's own check of its files."""
        if DATABASE != "sqlite":
            return
        with sqlite3.connect(self.folder / "shipmend.sqlite3") as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        connection.close()

    def start(self, name: str, *, environ: Mapping[str, str] | None = None, prefix: tuple[str, ...] = ()) -> Process:
        """`web` without a worker, `worker`, or `serve` with both in one; `prefix` are words before the command."""
        where = ["--host", "127.0.0.1", "--port", str(self.port)]
        words = {"web": ["serve", "--no-worker", *where], "serve": ["serve", *where], "worker": ["worker"]}[name]
        log = self.folder.parent / f"{name}.log"
        with log.open("ab") as output:
            running = subprocess.Popen(
                [*prefix, sys.executable, "-m", "shipmend", *words],
                env={**self.environ, **(environ or {})},
                stdout=output,
                stderr=output,
            )
        self.processes[name] = Process(running, log)
        return self.processes[name]

    def wait_until_ready(self) -> float:
        """Until it answers a call; how many seconds that took."""
        began = time.monotonic()
        while time.monotonic() - began < PATIENCE:
            try:
                if self.get("api_tokens")[0] == 200:
                    return time.monotonic() - began
            except (OSError, http.client.HTTPException):
                time.sleep(0.02)
        raise AssertionError("it does not answer: " + "".join(each.log.read_text() for each in self.processes.values()))

    def get(self, path: str) -> tuple[int, dict[str, Any]]:
        """One call on a connection of its own: status and answer."""
        return self._call("GET", path, "")

    def post(self, path: str, **form: object) -> tuple[int, dict[str, Any]]:
        """The same with a form."""
        return self._call("POST", path, urlencode(form))

    def _call(self, method: str, path: str, body: str) -> tuple[int, dict[str, Any]]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/x-www-form-urlencoded"}
        try:
            connection.request(method, f"/api/v1/{path}", body or None, headers)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()

    def end(self) -> None:
        """Kill what still runs."""
        for each in self.processes.values():
            if each.running.poll() is None:
                each.send(signal.SIGCONT)
                each.kill()


@contextmanager
def instance(folder: Path, *upstreams: Path, environ: Mapping[str, str] | None = None) -> Iterator[Instance]:
    """A furnished instance in `folder`; its processes end with the block."""
    data = folder / "data"
    url = ""
    if DATABASE == "postgresql":
        from tests.postgres import database_url

        url = database_url(f"faults_{uuid4().hex[:12]}")
    settings = {
        **os.environ,
        "PYTHONPATH": f"{SOURCE}:{ROOT}",
        "SHIPMEND_DATA": str(data),
        "DATABASE_URL": url,
        "SHIPMEND_FETCH_INTERVAL": "0",
        **(environ or {}),
    }
    made = Instance(data, settings, free_port())
    try:
        made.furnish(*upstreams)
        yield made
    finally:
        made.end()


def eventually(what: Callable[[], bool]) -> None:
    """Wait until it is so."""
    until = time.monotonic() + PATIENCE
    while not what():
        assert time.monotonic() < until, "it did not happen"
        time.sleep(0.05)

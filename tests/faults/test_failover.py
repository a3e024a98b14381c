"""A synchronous replica of PostgreSQL, promoted after the primary is killed under load, lacks no acknowledged write."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pytest

from tests.conftest import KIND
from tests.faults.figures import note
from tests.faults.servers import Server, servers
from tests.serving import SOURCE, serve

pytestmark = [
    pytest.mark.database,
    pytest.mark.skipif(KIND != "postgresql", reason="SQLite is on one machine"),
    pytest.mark.skipif(not float(os.environ.get("SHIPMEND_FAULTS", "0")), reason="a minute long: make faults"),
]

CLIENTS = 8
PATIENCE = 60.0


@contextmanager
def pair() -> Iterator[tuple[Server, Server]]:
    """A primary that answers only when its replica has the write on disk, and that replica."""
    with servers("primary", "replica") as (primary, replica):
        primary.create()
        primary.start("wal_level=replica", "max_wal_senders=4", "synchronous_standby_names=*")
        where = f"host=127.0.0.1 port={primary.port} user=postgres application_name=replica"
        primary.run("pg_basebackup", "-D", str(replica.data), "-d", where, "-R", "-X", "stream", "--no-sync")
        replica.start("synchronous_standby_names=")
        until(lambda: primary.ask("SELECT sync_state FROM pg_stat_replication") == [("sync",)])
        yield primary, replica


@dataclass
class Load:
    """Clients that post releases, and send each again until it is acknowledged."""

    addresses: list[str]
    token: str
    acknowledged: list[str] = field(default_factory=list)
    statuses: dict[int, int] = field(default_factory=dict)
    stopping: threading.Event = field(default_factory=threading.Event)

    def go(self, number: int) -> None:
        where = urlsplit(self.addresses[number % len(self.addresses)])
        n = 0
        while not self.stopping.is_set():
            sha = f"{number:08x}{n:032x}"
            form = {"resource_path": "acme/web/shop", "release_sha": sha, "released_at": str(1_600_000_000 + n)}
            status = self._post(str(where.hostname), int(where.port or 0), urlencode(form))
            self.statuses[status] = self.statuses.get(status, 0) + 1
            if status == 200:
                self.acknowledged.append(sha)
                n += 1
            else:
                time.sleep(0.1)

    def _post(self, host: str, port: int, body: str) -> int:
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/x-www-form-urlencoded"}
        connection = http.client.HTTPConnection(host, port, timeout=PATIENCE)
        try:
            connection.request("POST", "/api/v1/releases", body, headers)
            response = connection.getresponse()
            response.read()
        except OSError:
            return 0
        else:
            return response.status
        finally:
            connection.close()


def test_a_promoted_replica_has_all_that_was_acknowledged(tmp_path: Path) -> None:
    with pair() as (primary, replica):
        hosts = f"host=127.0.0.1,127.0.0.1&port={primary.port},{replica.port}&target_session_attrs=read-write"
        environ = {"DATABASE_URL": f"postgresql://postgres@/postgres?{hosts}", "SHIPMEND_TOKEN_FAILURES": "0"}
        data = tmp_path / "data"
        shipmend(environ, data, "repo", "add", "acme/web/shop")
        token = shipmend(environ, data, "token", "create", "acme").strip()
        with (
            serve(data, python=sys.executable, environ=environ) as one,
            serve(data, python=sys.executable, environ=environ) as two,
        ):
            load = Load([one, two], token)
            clients = [threading.Thread(target=load.go, args=(n,)) for n in range(CLIENTS)]
            for client in clients:
                client.start()
            until(lambda: len(load.acknowledged) > 200)
            primary.kill()
            before = len(load.acknowledged)
            began = time.monotonic()
            replica.run("pg_ctl", "-D", str(replica.data), "-w", "promote")
            until(lambda: len(load.acknowledged) > before + CLIENTS)
            took = time.monotonic() - began
            until(lambda: len(load.acknowledged) > before + 200)
            load.stopping.set()
            for client in clients:
                client.join()
        stored = [sha for (sha,) in replica.ask("SELECT release_sha FROM delivery_release")]
    lost = set(load.acknowledged) - set(stored)
    doubled = len(stored) - len(set(stored))
    note(
        "primary killed, synchronous replica promoted",
        f"{len(load.acknowledged)} acknowledged writes, {before} of them before",
        f"{len(lost)} lost, {doubled} doubled; answers: {json.dumps(load.statuses)}; written again after {took:.1f} s",
    )
    assert not lost
    assert not doubled
    assert set(load.statuses) <= {200, 503}, "no other answer than done, or not now"


def shipmend(environ: dict[str, str], data: Path, *words: str) -> str:
    command = [sys.executable, "-m", "shipmend", *words, "--data", str(data)]
    settings = {**os.environ, "PYTHONPATH": str(SOURCE), **environ}
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=settings).stdout


def until(is_so: object) -> None:
    assert callable(is_so)
    by = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < by, "it never came to that"
        time.sleep(0.05)

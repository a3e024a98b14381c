"""A database that is locked, full, restarted or unable to serialize: refused with when to come back, never lost."""

from __future__ import annotations

import os
import resource
import shutil
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from tests.faults.figures import note
from tests.faults.history import History, judge
from tests.faults.instance import Instance, eventually, instance
from tests.faults.load import Load, load
from tests.faults.scale import rounds
from tests.faults.servers import servers

pytestmark = pytest.mark.database
sqlite_only = pytest.mark.sqlite
postgres_only = pytest.mark.skipif(
    os.environ.get("SHIPMEND_TEST_DATABASE") != "postgresql", reason="is about what only PostgreSQL does"
)
CLIENTS = 8
LOCKED_SECONDS = (1.0, 7.0, 30.0) if rounds(1, least=0) else (1.0, 7.0)
BUSY = 5
"""Seconds that SQLite waits for a lock, by our settings."""


@pytest.fixture(scope="module")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Instance, History]]:
    with instance(tmp_path_factory.mktemp("faults")) as made:
        yield made, History()


@pytest.fixture
def here(furnished: tuple[Instance, History]) -> Instance:
    return furnished[0]


@pytest.fixture
def history(furnished: tuple[Instance, History]) -> History:
    """Of all that was done to the instance so far."""
    return furnished[1]


@contextmanager
def judged(here: Instance, history: History, fault: str, how_much: str) -> Iterator[Load]:
    """Served, worker included, under load during the block; then all must be well again, and the history clean."""
    here.start("serve")
    here.wait_until_ready()
    with load(here, history, clients=CLIENTS, seed=3) as clients:
        _go_on(history)
        yield clients
        before = history.acknowledged
        began = time.monotonic()
        eventually(lambda: history.acknowledged > before + 2 * CLIENTS)
        again = time.monotonic() - began
    assert here.processes["serve"].stop() == 0
    here.check_integrity()
    verdict = judge(history.events, here.stored())
    told = ", ".join(f"{count} × {status}" for status, count in clients.statuses.items())
    note(fault, how_much, f"{verdict}; answers: {told}; all well again after {again:.1f} s")
    assert verdict.is_clean, verdict.lost + verdict.doubled + verdict.kept + verdict.stale
    assert clients.count(500) == 0


def _go_on(history: History) -> None:
    """Until more has been acknowledged."""
    begun = history.acknowledged
    eventually(lambda: history.acknowledged > begun + CLIENTS)


@sqlite_only
def test_a_locked_database_is_waited_for_and_then_refused_with_a_time(here: Instance, history: History) -> None:
    with judged(here, history, "database locked", f"for {LOCKED_SECONDS} s") as clients:
        for seconds in LOCKED_SECONDS:
            refused = clients.count(503)
            with sqlite3.connect(here.folder / "shipmend.sqlite3", isolation_level=None) as other:
                other.execute("BEGIN IMMEDIATE")
                time.sleep(seconds)
                assert here.get("releases?resource_path=e")[0] == 200, "reading goes on"
                other.execute("ROLLBACK")
            other.close()
            assert (clients.count(503) > refused) == (seconds > BUSY + 1), seconds


@sqlite_only
def test_a_full_disk_refuses_writes_and_heals_by_itself(here: Instance, history: History) -> None:
    """By a limit on the size of files, which needs no root: nothing may grow any more."""

    def fill() -> None:
        files = [here.folder / f"shipmend.sqlite3{end}" for end in ("", "-wal")]
        _limit_files(here, max(file.stat().st_size for file in files if file.exists()))

    with judged(here, history, "disk full (limit of file size)", f"{rounds(20, least=1)} times") as clients:
        for _ in range(rounds(20, least=1)):
            _fill_and_free(here, clients, fill, lambda: _limit_files(here, resource.RLIM_INFINITY))


@sqlite_only
def test_a_full_disk_of_its_own_refuses_writes_and_heals_by_itself(tmp_path: Path) -> None:
    """On a small file system in memory, where this can be made."""
    with _small_disk(tmp_path / "data"), instance(tmp_path) as here:
        ballast = here.folder / "ballast"

        def fill() -> None:
            with ballast.open("wb", buffering=0) as file:
                while _writes(file, b"x" * 65536) or _writes(file, b"x" * 512):
                    pass

        with judged(here, History(), "disk full (8 MiB tmpfs)", f"{rounds(20, least=1)} times") as clients:
            for _ in range(rounds(20, least=1)):
                _fill_and_free(here, clients, fill, ballast.unlink)


def _fill_and_free(here: Instance, clients: Load, fill: Callable[[], None], free: Callable[[], None]) -> None:
    refused = clients.count(503)
    fill()
    eventually(lambda: clients.count(503) > refused + CLIENTS)
    status, answer = here.post("critical_defects", resource_path="e", defect_key="NO", detected_now="true")
    assert (status, answer["response_em"]) == (503, "response_unavailable")
    assert here.get("releases?resource_path=e")[0] == 200, "reading goes on"
    free()


def _limit_files(here: Instance, size: int) -> None:
    pid = here.processes["serve"].running.pid
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


def _writes(file: object, data: bytes) -> bool:
    try:
        return bool(file.write(data))  # type: ignore[attr-defined]  # an open file
    except OSError:
        return False


@contextmanager
def _small_disk(place: Path) -> Iterator[None]:
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(place)]
    if os.geteuid() != 0 or shutil.which("mount") is None or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("needs leave to mount a file system: run as root; the limit of file sizes stands in for it")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


@postgres_only
def test_connections_that_are_cut_lose_nothing(here: Instance, history: History) -> None:
    """As when PostgreSQL restarts or a pooler drops them: all of them, over and over, in the midst of the work."""
    cuts = rounds(200, least=12)
    with (
        judged(here, history, "PostgreSQL connections cut", f"{cuts} times, all of them"),
        psycopg.connect(here.environ["DATABASE_URL"], autocommit=True) as operator,
    ):
        for _ in range(cuts):
            operator.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            time.sleep(0.15)


@postgres_only
def test_a_server_that_is_restarted_is_waited_for(tmp_path: Path) -> None:
    restarts = rounds(20, least=2)
    with servers("server") as (server,):
        server.create()
        server.start()
        with (
            instance(tmp_path, environ={"DATABASE_URL": server.url}) as here,
            judged(here, history := History(), "PostgreSQL restarted", f"{restarts} times"),
        ):
            for _ in range(restarts):
                server.restart()
                _go_on(history)


@postgres_only
def test_writes_that_can_not_be_serialized_are_done_again(here: Instance, history: History) -> None:
    """One row in ten is refused as PostgreSQL does when transactions get in each other's way."""
    with psycopg.connect(here.environ["DATABASE_URL"], autocommit=True) as operator:
        operator.execute(
            "CREATE FUNCTION storm() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
            " IF random() < 0.1 THEN RAISE EXCEPTION 'a storm' USING ERRCODE = '40001'; END IF; RETURN NEW; END $$"
        )
        for table in ("delivery_release", "delivery_criticaldefect", "delivery_defectfix"):
            operator.execute(f"CREATE TRIGGER storm BEFORE INSERT OR UPDATE ON {table} EXECUTE FUNCTION storm()")
    wanted = rounds(5000, least=100)
    with judged(here, history, "40001 in one row of ten", f"{wanted} acknowledged writes") as clients:
        begun = history.acknowledged
        eventually(lambda: history.acknowledged > begun + wanted)
    assert clients.count(503) == 0

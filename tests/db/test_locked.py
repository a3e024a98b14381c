"""Tables and rows that somebody else keeps locked, and a PostgreSQL that takes no writes."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode
from uuid import uuid4

import psycopg
import pytest

from shipmend.bootstrap import MIGRATION_LOCK
from tests.cli.conftest import Instance, copied
from tests.conftest import KIND
from tests.serving import serve

PATIENCE = 60

pytestmark = [
    pytest.mark.database,
    pytest.mark.skipif(KIND != "postgresql", reason="SQLite has no locks of rows and tables"),
]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Instance:
    """An instance with its tables, to be copied."""
    from tests.postgres import database_url

    made = Instance(tmp_path_factory.mktemp("locked") / "data", {"DATABASE_URL": database_url(f"locked_{uuid4().hex}")})
    made.does("repo", "add", "acme/web/shop")
    return made


@pytest.fixture
def own(made: Instance, tmp_path: Path) -> Instance:
    return copied(made, tmp_path / "data")


@contextmanager
def locked(instance: Instance, table: str, mode: str) -> Iterator[None]:
    with psycopg.connect(instance.more["DATABASE_URL"]) as connection:
        connection.execute(f"LOCK TABLE {table} IN {mode} MODE")
        yield


def status(address: str, token: str = "", **form: str) -> tuple[int, str]:
    """Of a GET, or of a POST with this form, and when to come again."""
    request = urllib.request.Request(address, urlencode(form).encode() if form else None)  # noqa: S310 -- loopback
    request.add_header("Authorization", f"Bearer {token}")
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 -- loopback
            return answer.status, ""
    except urllib.error.HTTPError as refused:
        return refused.code, refused.headers.get("Retry-After", "")


def test_it_is_alive_while_everybody_waits_for_a_lock_and_they_do_not_wait_for_ever(own: Instance) -> None:
    token = own.does("token", "create", "acme").split()[-1]
    environ = {**own.more, "SHIPMEND_THREADS": "2"}
    with serve(own.data, python=sys.executable, environ=environ) as server:
        assert status(f"{server}/api/v1/api_tokens", token)[0] == 200
        with locked(own, "catalog_entity", "ACCESS EXCLUSIVE"):
            answers: list[tuple[int, str]] = []
            call = f"{server}/api/v1/api_tokens"
            waiting = [threading.Thread(target=lambda: answers.append(status(call, token))) for _ in range(2)]
            for each in waiting:
                each.start()
            with psycopg.connect(own.more["DATABASE_URL"], autocommit=True) as there:
                _await_waiting(there, "catalog_entity", 2)
            assert status(f"{server}/healthz")[0] == 200
            assert all(each.is_alive() for each in waiting)
            for each in waiting:
                each.join()
            assert [(code, bool(again)) for code, again in answers] == [(503, True)] * 2
        assert status(call, token)[0] == 200


def test_a_lock_left_in_a_session_of_a_pooler_keeps_no_start_waiting(own: Instance) -> None:
    """A start needs the lock only if migrations are missing."""
    with psycopg.connect(own.more["DATABASE_URL"], autocommit=True) as left:
        left.execute("SELECT pg_advisory_lock(%s)", [MIGRATION_LOCK])
        assert own.does("migrate") == "The tables are up to date.\n"


def test_migrations_leave_no_lock_behind(own: Instance) -> None:
    with psycopg.connect(own.more["DATABASE_URL"], autocommit=True) as there:
        there.execute("DELETE FROM django_migrations WHERE app = 'sessions'")
        there.execute("DROP TABLE django_session")
        own.does("migrate")
        held = there.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'").fetchone()
        assert held == (0,)
        assert there.execute("SELECT count(*) FROM django_session").fetchone() == (0,)


_BACK = """
from shipmend.bootstrap import open_instance
open_instance(migrate=False)
from django.core.management import call_command
call_command("migrate", "delivery", "0007", verbosity=0)
"""


def test_a_migration_waits_for_a_reader_and_nobody_waits_behind_it_for_long(own: Instance) -> None:
    environ = {**own.environ, "SHIPMEND_DATA": str(own.data)}
    subprocess.run([sys.executable, "-c", _BACK], env=environ, check=True)
    with (
        psycopg.connect(own.more["DATABASE_URL"], autocommit=True) as there,
        subprocess.Popen(own.command("migrate"), env=own.environ, stderr=subprocess.PIPE, text=True) as migrating,
    ):
        with locked(own, "delivery_criticaldefect", "ACCESS SHARE"):
            there.execute(f"SET statement_timeout = '{PATIENCE}s'")
            for _ in range(2):
                _await_waiting(there, "delivery_criticaldefect", 1)
                there.execute("SELECT count(*) FROM delivery_criticaldefect")
            assert migrating.poll() is None
        assert migrating.wait(PATIENCE) == 0
        assert there.execute("SELECT count(cause_standing) FROM delivery_criticaldefect").fetchone() == (0,)


def _await_waiting(there: psycopg.Connection, table: str, some: int) -> None:
    """Until so many wait for a lock on a table."""
    until = time.monotonic() + PATIENCE
    query = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = %s::regclass"
    while there.execute(query, [table]).fetchone() != (some,):
        assert time.monotonic() < until, "nobody waits"
        time.sleep(0.02)


def test_one_that_only_reads_is_not_ready_and_refuses_writes_until_it_takes_them_again(own: Instance) -> None:
    token = own.does("token", "create", "acme").split()[-1]
    form = {"resource_path": "acme", "defect_key": "K-1", "detected_at": "2024-01-01T00:00:00Z"}
    name = own.more["DATABASE_URL"].partition("?")[0].rpartition("/")[2]
    with (
        serve(own.data, python=sys.executable, environ=own.more) as server,
        psycopg.connect(own.more["DATABASE_URL"], autocommit=True) as there,
    ):
        address = f"{server}/api/v1/critical_defects"
        there.execute(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
        there.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"
                      " AND pid <> pg_backend_pid()", [name])  # fmt: skip
        for _ in range(3):
            assert status(address, token, **form) in [(503, "5"), (503, "1")]
        assert status(f"{server}/readyz")[0] == 503
        assert "takes no writes" in own.run("doctor").out
        there.execute("SET default_transaction_read_only = off")
        there.execute(f'ALTER DATABASE "{name}" RESET default_transaction_read_only')
        for _ in range(2):
            status(address, token, **form)
        assert status(address, token, **form)[0] == 200
        assert status(f"{server}/readyz")[0] == 200

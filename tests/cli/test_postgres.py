"""A PostgreSQL database that is set up otherwise than Shipmend needs it."""

from __future__ import annotations

import os
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from tests.cli.conftest import Instance

pytestmark = [
    pytest.mark.database,
    pytest.mark.skipif(os.environ.get("SHIPMEND_TEST_DATABASE") != "postgresql", reason="is about PostgreSQL alone"),
]


BEGUN = "CREATE TABLE django_migrations (id bigserial, app text, name text, applied timestamptz)"


def _instance(data: Path, options: str = "") -> Instance:
    from tests.postgres import database_url

    data.mkdir(mode=0o700)
    return Instance(data, {"DATABASE_URL": database_url(f"odd_{uuid4().hex}", options)})


def _faults(instance: Instance) -> dict[str, str]:
    """What the doctor finds, with its mends."""
    lines = instance.run("doctor").out.splitlines()
    found = [(line, lines[at + 1]) for at, line in enumerate(lines) if line.startswith("fault")]
    return {what.removeprefix("fault  "): mend.removeprefix("       mend: ") for what, mend in found}


@pytest.mark.parametrize("encoding", ["LATIN1", "SQL_ASCII"])
def test_a_database_that_has_not_every_character_is_refused_before_the_first_table(
    tmp_path: Path, encoding: str
) -> None:
    latin = _instance(tmp_path / "data", f"ENCODING '{encoding}' LOCALE 'C' TEMPLATE template0")
    assert f"is encoded in {encoding}" in latin.run("migrate").refusal
    with psycopg.connect(latin.more["DATABASE_URL"]) as connection:
        assert not connection.execute("SELECT 1 FROM pg_tables WHERE schemaname = 'public'").fetchall()
    told = f"the database is encoded in {encoding}, which has not every character"
    assert "CREATE DATABASE shipmend ENCODING 'UTF8'" in _faults(latin)[told]


def test_a_database_that_has_its_tables_goes_on_with_the_characters_it_has(tmp_path: Path) -> None:
    """An upgrade must not stop an instance that has run so for long."""
    latin = _instance(tmp_path / "data", "ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
    with psycopg.connect(latin.more["DATABASE_URL"]) as connection:
        connection.execute(BEGUN)
    latin.does("migrate")


def test_a_database_that_writes_days_in_another_way_is_worked_with(tmp_path: Path) -> None:
    odd = _instance(tmp_path / "data")
    with psycopg.connect(odd.more["DATABASE_URL"], autocommit=True) as connection:
        name = connection.info.dbname
        connection.execute(f"ALTER DATABASE \"{name}\" SET datestyle = 'SQL, DMY'")
        connection.execute(f"ALTER DATABASE \"{name}\" SET intervalstyle = 'sql_standard'")
    odd.does("migrate")
    odd.does("user", "create", "ada@example.org", "--link", "--owner-of", "acme")
    assert odd.does("doctor").endswith("All is well.\n")

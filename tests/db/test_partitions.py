"""Every table of a tenant can be spread over partitions or machines by its entity, with the schema as it is.

PostgreSQL itself is the judge: on a table partitioned by a column it takes no unique index that lacks that column.
"""

from __future__ import annotations

import psycopg
import pytest
from django.db import connection

from tests.conftest import KIND
from tests.gitworld import GitRepo
from tests.security.statements import TENANT_TABLES
from tests.world import World

pytestmark = [
    pytest.mark.database,
    pytest.mark.skipif(KIND != "postgresql", reason="SQLite has no partitions"),
]

PARTS = 4
# Alone the id is a key for Django's sake; beside the entity it is one for the database's.
_PRIMARY_KEY = """
SELECT array_agg(a.attname ORDER BY a.attnum) FROM pg_constraint c
JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = ANY (c.conkey)
WHERE c.conrelid = %s::regclass AND c.contype = 'p'
"""
_OTHER_INDEXES = """
SELECT pg_get_indexdef(i.indexrelid) FROM pg_index i
WHERE i.indrelid = %s::regclass AND NOT i.indisprimary ORDER BY i.indexrelid::regclass::text
"""


def run(sql: str, *parameters: str) -> list[tuple[object, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return list(cursor.fetchall()) if cursor.description else []


def count(table: str) -> object:
    return run(f"SELECT count(*) FROM {table}")[0][0]  # noqa: S608 -- as above


def build(table: str, schema: str) -> None:
    """The table once more in another schema, in partitions: columns, checks, keys and indexes as they really are."""
    run(
        f"CREATE TABLE {schema}.{table} (LIKE public.{table} INCLUDING DEFAULTS INCLUDING CONSTRAINTS)"
        " PARTITION BY HASH (entity_id)"
    )
    for n in range(PARTS):
        part = f"{schema}.{table}_{n} PARTITION OF {schema}.{table}"
        run(f"CREATE TABLE {part} FOR VALUES WITH (MODULUS {PARTS}, REMAINDER {n})")
    ((columns,),) = run(_PRIMARY_KEY, f"public.{table}")
    assert isinstance(columns, list)
    key = ["entity_id", *(name for name in columns if name != "entity_id")]
    run(f"ALTER TABLE {schema}.{table} ADD PRIMARY KEY ({', '.join(key)})")
    for (definition,) in run(_OTHER_INDEXES, f"public.{table}"):
        run(str(definition).replace(f" ON public.{table} ", f" ON {schema}.{table} "))


@pytest.fixture
def schema(world: World) -> str:
    """An empty one, gone afterwards with the database."""
    name = f"spread_{world.tenant.slug}"
    run(f"CREATE SCHEMA {name}")
    return name


def test_every_table_of_a_tenant_is_built_in_partitions_and_holds_its_rows(
    world: World, stranger: World, schema: str, git_repo: GitRepo
) -> None:
    sha = git_repo.commit("SHOP-1: Start")
    for each in (world, stranger):
        path = each.repo(git=git_repo).path
        assert each.api().post("releases", resource_path=path, release_sha=sha).status == 200
        each.api().post("critical_defects", resource_path=path, defect_key="K", detected_now="true")
    assert len(TENANT_TABLES) > 25
    for table in sorted(TENANT_TABLES):
        build(table, schema)
        run(f"INSERT INTO {schema}.{table} SELECT * FROM public.{table}")  # noqa: S608 -- the names are ours
        assert count(f"{schema}.{table}") == count(f"public.{table}"), table


def test_a_key_that_lacks_the_entity_would_be_found(schema: str) -> None:
    run(f"CREATE TABLE public.lacking_{schema} (entity_id uuid NOT NULL, id uuid PRIMARY KEY, name text UNIQUE)")
    try:
        with pytest.raises(Exception, match="partition") as refused:
            build(f"lacking_{schema}", schema)
        assert isinstance(refused.value.__cause__, psycopg.errors.FeatureNotSupported)
    finally:
        run(f"DROP TABLE public.lacking_{schema}")

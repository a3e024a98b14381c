"""How the rows of history lie in the database."""

from __future__ import annotations

import pytest
from django.db import connection

from shipmend.db.sql import is_sqlite
from shipmend.history.models import Author, Commit, CommitSha, History, OctopusParent, Stretch, Tip
from tests.gitworld import GitRepo
from tests.world import World

pytestmark = pytest.mark.database

TABLES = [model._meta.db_table for model in (Author, Commit, CommitSha, History, OctopusParent, Stretch, Tip)]
COMMITS = 2000
BYTES = 220
"""A commit on SQLite, with its share of everything, at the most."""


@pytest.mark.parametrize("table", TABLES)
def test_the_key_begins_with_the_entity(table: str) -> None:
    with connection.cursor() as cursor:
        key = connection.introspection.get_primary_key_columns(cursor, table)
    assert key is not None
    assert key[:2] == ["entity_id", "repo_number"]


@pytest.mark.parametrize("table", TABLES)
def test_on_sqlite_the_rows_live_in_the_key_itself(table: str) -> None:
    if not is_sqlite():
        pytest.skip("PostgreSQL has no such choice")
    with connection.cursor() as cursor:
        cursor.execute("SELECT sql FROM sqlite_master WHERE name = %s", [table])
        (definition,) = cursor.fetchone()
    assert definition.endswith("WITHOUT ROWID")


def test_on_sqlite_a_commit_costs_few_bytes(world: World, git_repo: GitRepo) -> None:
    if not is_sqlite():
        pytest.skip("PostgreSQL's rows are wider")
    for n in range(COMMITS):
        git_repo.commit(f"Make the {n % 97} widgets of part {n} agree on units")
    before = pages()
    world.repo(git=git_repo)
    assert (pages() - before) / COMMITS <= BYTES


def pages() -> int:
    """Bytes of the pages in use."""
    with connection.cursor() as cursor:
        values = []
        for pragma in ("page_count", "freelist_count", "page_size"):
            cursor.execute(f"PRAGMA {pragma}")
            values.append(int(cursor.fetchone()[0]))
    count, free, size = values
    return (count - free) * size

"""Statements: how often they are compiled, and in what order they reach the server."""

from __future__ import annotations

import os
import threading

import pytest
from django.db import connection

from shipmend.core.errors import NotFound
from shipmend.db.sql import Statement
from shipmend.db.writes import write
from tests.world import World

pytestmark = pytest.mark.database
postgres_only = pytest.mark.skipif(
    os.environ.get("SHIPMEND_TEST_DATABASE") != "postgresql", reason="is about what only PostgreSQL does"
)

OTHERS = 300
"""More than the migrations and the pages have."""


@pytest.mark.sqlite
def test_statements_that_come_late_are_compiled_once_all_the_same(instance: object) -> None:
    connection.close()
    for n in range(OTHERS):
        for _ in range(3):
            Statement(f"SELECT {n} + ?").row(1)
    late = [Statement(f"SELECT count(*) + {n} FROM catalog_repo WHERE slug = ?") for n in range(10)]  # noqa: S608 -- a number
    compiled: list[object] = []

    def heard(*told: object) -> int:
        compiled.append(told)
        return 0

    raw = connection.connection
    raw.set_authorizer(heard)
    try:
        for _ in range(5):
            for statement in late:
                statement.row("x")
        at_first = len(compiled)
        compiled.clear()
        for statement in late:
            statement.row("x")
    finally:
        raw.set_authorizer(None)
        connection.close()
    assert at_first > 0, "the first time each is compiled, which is heard"
    assert compiled == []


LOCK = Statement("SELECT id FROM catalog_repo WHERE entity_id = ? AND id = ? {lock}")
IS_FREE = Statement(
    "SELECT count(*) FROM catalog_repo WHERE entity_id = ? AND id IN (SELECT id FROM catalog_repo"
    " WHERE entity_id = ? AND id = ? {lock_free})"
)
SLUGS = Statement("SELECT slug FROM catalog_repo WHERE entity_id = ?")


@postgres_only
def test_a_lock_sent_ahead_is_held_from_the_next_statement_on(world: World) -> None:
    repo = world.repo("held")
    asked: list[list[tuple[object, ...]]] = []

    def work() -> None:
        LOCK.ahead(world.tenant.id, repo.id)
        assert _free(world, repo.id), "nothing was sent yet"
        asked.append(SLUGS.rows(world.tenant.id))
        assert not _free(world, repo.id)

    write(work)
    assert asked == [[("held",)]]
    assert _free(world, repo.id)


@postgres_only
def test_a_lock_that_no_statement_followed_is_not_sent_later(world: World) -> None:
    repo = world.repo("free")

    def refused() -> None:
        LOCK.ahead(world.tenant.id, repo.id)
        raise NotFound("nothing")

    with pytest.raises(NotFound):
        write(refused)

    def other() -> None:
        SLUGS.rows(world.tenant.id)
        assert _free(world, repo.id)

    write(other)


def _free(world: World, repo_id: object) -> bool:
    """Whether another connection could lock the repo now."""
    found: list[bool] = []

    def look() -> None:
        try:
            row = IS_FREE.row(world.tenant.id, world.tenant.id, repo_id)
            found.append(row is not None and row[0] == 1)
        finally:
            connection.close()

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    return found[0]

"""Statements stay compiled, however many others a connection has seen before them."""

from __future__ import annotations

import pytest
from django.db import connection

from shipmend.db.sql import Statement

pytestmark = [pytest.mark.database, pytest.mark.sqlite]

OTHERS = 300
"""More than the migrations and the pages have."""


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

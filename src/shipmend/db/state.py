"""Whether the database can serve: its tables current, and writes taken."""

from __future__ import annotations

from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from shipmend.db.sql import Statement

_READ_ONLY = {
    "sqlite": Statement("PRAGMA query_only"),
    "postgresql": Statement("SELECT pg_is_in_recovery() OR current_setting('transaction_read_only') = 'on'"),
}


def missing_migrations() -> int:
    """How many migrations have not been applied yet."""
    executor = MigrationExecutor(connection)
    return len(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def is_read_only() -> bool:
    """Whether it takes no writes, as a standby of PostgreSQL does."""
    row = _READ_ONLY[connection.vendor].row()
    return bool(row and row[0])

"""What a database holds of one entity, for asserting that a call changed nothing."""

from __future__ import annotations

from uuid import UUID

from django.apps import apps
from django.db import connection

BESIDE_THE_DATA = frozenset({"accounts_apicall"})
"""The log of what was asked; not what is stored because of it."""


def stored_rows(entity_id: UUID, *, without: frozenset[str] = BESIDE_THE_DATA) -> dict[str, list[str]]:
    """Every row of the entity in every table, but for the time when a token was last used."""
    found: dict[str, list[str]] = {}
    for model in apps.get_models():
        columns = [field.column for field in model._meta.concrete_fields if field.column]
        key = "id" if model._meta.db_table == "catalog_entity" else "entity_id"
        if key in columns and model._meta.db_table not in without:
            shown = [column for column in columns if column != "last_used_at"]
            found[model._meta.db_table] = _rows(model._meta.db_table, shown, key, entity_id)
    return found


def _rows(table: str, columns: list[str], key: str, entity_id: UUID) -> list[str]:
    names = ", ".join(f'"{column}"' for column in columns)
    with connection.cursor() as cursor:
        statement = f'SELECT {names} FROM "{table}" WHERE "{key}" = %s'  # noqa: S608 -- names come from the models
        cursor.execute(statement, [entity_id])
        rows = [tuple(bytes(v) if isinstance(v, memoryview) else v for v in row) for row in cursor.fetchall()]
    return sorted(map(repr, rows))

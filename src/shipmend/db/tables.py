"""How tables are laid out."""

from __future__ import annotations

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import ProjectState


class CreateKeyedTable(migrations.CreateModel):
    """As CreateModel; on SQLite the rows live in the primary key itself (WITHOUT ROWID).

    For tables of millions of narrow rows: a key beside the rows would hold the entity's 16 bytes once more for each.
    A later operation that makes Django copy the table (AlterField does) would lose this; adding a nullable column
    does not.
    """

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        """Create the table."""
        if schema_editor.connection.vendor == "sqlite":
            schema_editor.sql_create_table = f"{schema_editor.sql_create_table} WITHOUT ROWID"
        try:
            super().database_forwards(app_label, schema_editor, from_state, to_state)
        finally:
            vars(schema_editor).pop("sql_create_table", None)

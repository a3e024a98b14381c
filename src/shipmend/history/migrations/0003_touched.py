from django.db import migrations, models

import shipmend.db.fields
from shipmend.db.tables import CreateKeyedTable


class Migration(migrations.Migration):
    dependencies = [
        ("history", "0002_tip_at"),
    ]

    operations = [
        CreateKeyedTable(
            name="Sieve",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "entity_id", "repo_id", "version", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("entity_id", shipmend.db.fields.IdField()),
                ("repo_id", shipmend.db.fields.IdField()),
                ("version", models.IntegerField()),
                ("globs", models.TextField()),
                ("upto", models.IntegerField(default=0)),
                ("commits", models.IntegerField(default=0)),
                ("is_current", models.BooleanField(default=False)),
            ],
            options={
                "db_table": "history_sieve",
            },
        ),
        CreateKeyedTable(
            name="TouchedRun",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "entity_id",
                        "repo_id",
                        "version",
                        "first",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("entity_id", shipmend.db.fields.IdField()),
                ("repo_id", shipmend.db.fields.IdField()),
                ("version", models.IntegerField()),
                ("first", models.IntegerField()),
                ("last", models.IntegerField()),
            ],
            options={
                "db_table": "history_touched",
            },
        ),
    ]

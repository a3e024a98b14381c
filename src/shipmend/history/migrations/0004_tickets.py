from django.db import migrations, models

import shipmend.db.fields
from shipmend.db.tables import CreateKeyedTable


class Migration(migrations.Migration):
    dependencies = [
        ("history", "0003_touched"),
    ]

    operations = [
        migrations.AddField(
            model_name="history",
            name="tickets_by",
            field=models.TextField(null=True),
        ),
        migrations.AddField(
            model_name="commit",
            name="tickets",
            field=models.TextField(null=True),
        ),
        CreateKeyedTable(
            name="TicketCommit",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "entity_id",
                        "ticket",
                        "repo_number",
                        "commit_number",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("entity_id", shipmend.db.fields.IdField()),
                ("ticket", models.TextField()),
                ("repo_number", models.IntegerField()),
                ("commit_number", models.IntegerField()),
            ],
            options={
                "db_table": "history_ticket",
            },
        ),
    ]

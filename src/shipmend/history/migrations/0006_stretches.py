from collections.abc import Iterator
from itertools import groupby, islice
from operator import itemgetter
from typing import Any

from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

import shipmend.db.fields
from shipmend.db.tables import CreateKeyedTable
from shipmend.history.stretches import STEPS, pack, unpack

ROWS = 5_000


def pack_steps(apps: Apps, _: BaseDatabaseSchemaEditor) -> None:
    """Many steps to a row."""
    stretch, trunk = _models(apps)
    rows = trunk.objects.order_by("entity_id", "repo_number", "floor", "position")
    steps = rows.values_list("entity_id", "repo_number", "floor", "position", "commit_number").iterator()

    def stretches() -> Iterator[Any]:
        for (entity_id, repo_number), chain in groupby(steps, key=itemgetter(0, 1)):
            while some := list(islice(chain, STEPS)):
                _, _, floors, positions, commits = zip(*some, strict=True)
                where = {"entity_id": entity_id, "repo_number": repo_number}
                yield stretch(**where, floor=floors[0], position=positions[0], steps=pack(floors, commits))

    _save(stretch, stretches())


def unpack_steps(apps: Apps, _: BaseDatabaseSchemaEditor) -> None:
    """A row for each step."""
    stretch, trunk = _models(apps)
    rows = (
        trunk(
            entity_id=each.entity_id,
            repo_number=each.repo_number,
            floor=floor,
            position=position,
            commit_number=commit,
        )
        for each in stretch.objects.order_by("entity_id", "repo_number", "floor", "position").iterator()
        for position, (floor, commit) in enumerate(zip(*unpack(each.steps), strict=True), each.position)
    )
    _save(trunk, rows)


def _models(apps: Apps) -> list[Any]:
    """As they were then."""
    return [apps.get_model("history", name) for name in ("Stretch", "Trunk")]


def _save(model: Any, rows: Iterator[Any]) -> None:
    while some := list(islice(rows, ROWS)):
        model.objects.bulk_create(some)


class Migration(migrations.Migration):
    dependencies = [
        ("history", "0005_faults"),
    ]

    operations = [
        CreateKeyedTable(
            name="Stretch",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "entity_id",
                        "repo_number",
                        "floor",
                        "position",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("entity_id", shipmend.db.fields.IdField()),
                ("repo_number", models.IntegerField()),
                ("floor", models.BigIntegerField()),
                ("position", models.IntegerField()),
                ("steps", models.BinaryField()),
            ],
            options={
                "db_table": "history_stretch",
            },
        ),
        migrations.RunPython(pack_steps, unpack_steps),
        migrations.DeleteModel("Trunk"),
    ]

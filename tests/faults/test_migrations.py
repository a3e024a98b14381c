"""Every migration, taken back and applied again over data: what was there before is there afterwards."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.faults.figures import note
from tests.faults.history import History
from tests.faults.instance import eventually, instance
from tests.faults.load import load
from tests.faults.scale import SCALE, rounds
from tests.gitworld import GitRepo

pytestmark = [
    pytest.mark.database,
    pytest.mark.skipif(SCALE == 0, reason="takes half a minute of computing: run by make faults"),
]

WRITES = rounds(5000, least=60)

_DOWN_AND_UP = """
from django.apps import apps
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

def shape():
    with connection.cursor() as cursor:
        tables = [name for name in connection.introspection.table_names(cursor) if name.split("_")[0] in labels]
        describe = connection.introspection.get_table_description
        return {table: {column.name for column in describe(cursor, table)} for table in tables}

def rows(tables):
    found = {}
    with connection.cursor() as cursor:
        for table, names in tables.items():
            cursor.execute("SELECT %s FROM %s" % (", ".join(f'"{name}"' for name in sorted(names)), table))
            found[table] = sorted(repr([bytes(v) if isinstance(v, memoryview) else v for v in r]) for r in cursor)
    return found

def step(target, name):
    before, held = shape(), rows(shape())
    here = MigrationExecutor(connection)
    here.migrate([target])
    after = shape()
    common = {table: before[table] & after[table] for table in before.keys() & after.keys()}
    # What a migration rewrites on purpose is told beside its name below.
    for table, names in common.items():
        if names == before[table] == after[table]:
            same = held[table] == rows({table: names})[table]
        else:
            same = len(held[table]) == len(rows({table: names})[table])
        if not same and (name, table) not in rewritten:
            problems.append(f"{name}: {table}")

rewritten = set(map(tuple, json.loads(sys.argv[1])))
executor = MigrationExecutor(connection)
graph = executor.loader.graph
labels = {app.label for app in apps.get_app_configs() if app.name.startswith("shipmend.")}
plan = [(m.app_label, m.name) for m, _ in executor.migration_plan(graph.leaf_nodes(), clean_start=True)]
later = []
for key in plan:
    parents = [parent for parent in executor.loader.get_migration(*key).dependencies if parent[0] == key[0]]
    if key[0] in labels and parents:
        later.append((key, parents[0]))
problems = []
for key, parent in reversed(later):
    step(parent, " ".join(key) + " down")
for key, _ in later:
    step(key, " ".join(key) + " up")
print(json.dumps({"tried": len(later), "problems": problems, "rows": sum(map(len, rows(shape()).values()))}))
"""
REWRITTEN = (("history 0002_tip_at up", "history_tip"),)
"""Migration and table, where a migration changes rows on purpose. That one has tags read anew by the next index."""


def test_each_migration_goes_down_and_up_over_data(tmp_path: Path) -> None:
    git = GitRepo(tmp_path / "upstream.git")
    for n in range(5):
        git.commit(f"Commit SHOP-{n}")
    git.tag("v1")
    history = History()
    with instance(tmp_path, git.path) as here:
        here.start("serve")
        here.wait_until_ready()
        here.post("imports", resource_path="e/acme/git0")
        with load(here, history, clients=4, seed=5):
            eventually(lambda: history.acknowledged > WRITES)
        eventually(lambda: here.get("imports?resource_path=e/acme/git0")[1]["imports"][0]["state"] == "ready")
        here.post("releases", resource_path="e/acme/git0", release_sha=git.sha("main"))
        here.processes["serve"].stop()
        before = here.stored()
        answer = here.ask(_DOWN_AND_UP, json.dumps(REWRITTEN))
        assert answer["problems"] == []
        assert here.stored() == before
        here.check_integrity()
    note("migrations down and up", f"{answer['tried']} over {answer['rows']} rows", "0 rows lost or changed")
    assert answer["tried"] >= 10

"""The same call a hundred times at once, with and without an Idempotency-Key, in one row and one answer."""

from __future__ import annotations

from uuid import uuid4

import pytest

from shipmend.audit.models import AuditEvent
from tests.faults.figures import note
from tests.faults.scale import rounds
from tests.snapshot import BESIDE_THE_DATA, stored_rows
from tests.threads import at_once
from tests.world import Api, Reply, World

pytestmark = pytest.mark.database

CALLS = 100
ROUNDS = rounds(20, least=1)
SHA = "541a8b28d08405aa961f9de1d7c8fcd5c3da3218"
FORMS = {
    "a release": ("releases", {"release_sha": SHA, "released_at": "2024-01-01"}),
    "a release now": ("releases", {"release_sha": SHA, "release_now": "true"}),
    "a defect": ("critical_defects", {"detected_at": "2024-01-01", "description": "out"}),
    "a fix": ("critical_defects", {"detected_at": "2024-01-01", "fix_released_at": "2024-01-02"}),
}


@pytest.mark.parametrize("with_key", [True, False], ids=["with a key", "without"])
@pytest.mark.parametrize("name", FORMS)
def test_the_same_call_a_hundred_times_at_once_is_done_once(world: World, name: str, with_key: bool) -> None:
    path, form = FORMS[name]
    api = world.api()
    for n in range(ROUNDS):
        where = str(world.repo(f"r{n}").path)
        given = {**form, "resource_path": where, **({"defect_key": f"K-{n}"} if path != "releases" else {})}
        before = stored_rows(world.tenant.id)
        replies = _at_once(api, path, given, uuid4().hex if with_key else "")
        assert {reply.status for reply in replies} == {200}
        made = [reply for reply in replies if reply.json["action_em"].endswith("_created")]
        if with_key:
            assert len({str(reply.json) for reply in replies}) == 1, "the first answer, to all"
        else:
            assert len(made) == _events(replies)
        grown = _grown(before, stored_rows(world.tenant.id))
        most = _events(replies)
        assert grown.get("accounts_idempotencykey", 0) == int(with_key)
        assert grown["delivery_release" if path == "releases" else "delivery_criticaldefect"] == most
        assert grown.get("delivery_defectfix", 0) == int(name == "a fix")
        assert grown["audit_auditevent"] == most
    note(f"{CALLS} equal calls at once: {name}", f"{ROUNDS} rounds, {'with' if with_key else 'without'} a key", "1 row")


def test_a_key_that_comes_with_another_call_is_refused_whatever_comes_first(world: World) -> None:
    """Two calls race under one key: one is done, the other refused, and nothing in between."""
    where = str(world.repo().path)
    api, key = world.api(), uuid4().hex
    calls = [{"resource_path": where, "defect_key": f"K-{n % 2}", "detected_at": "2024-01-01"} for n in range(20)]
    replies = at_once(lambda call: api.post("critical_defects", call, key=key), calls)
    by_call = [{reply.status for reply in replies[n::2]} for n in range(2)]
    assert sorted(map(sorted, by_call)) == [[200], [422]]
    made = AuditEvent.objects.filter(entity_id=world.tenant.id, action="defect_created")
    assert made.count() == 1


def _events(replies: list[Reply]) -> int:
    """How many events the calls tell of: "now" is another one with each second."""
    return len({reply.json["release"]["released_at"] for reply in replies if "release" in reply.json} or {""})


def _at_once(api: Api, path: str, form: dict[str, str], key: str) -> list[Reply]:
    return at_once(lambda _: api.post(path, form, key=key), range(CALLS), threads=32)


def _grown(before: dict[str, list[str]], after: dict[str, list[str]]) -> dict[str, int]:
    """How many rows were added, by table; of what is stored because of the calls."""
    grown = {table: len(rows) - len(before[table]) for table, rows in after.items() if table not in BESIDE_THE_DATA}
    return {table: count for table, count in grown.items() if count}

"""The causes of defects as they follow from what is recorded."""

from __future__ import annotations

from uuid import UUID

import pytest

from shipmend.core.causes import Cause, CauseKind, Standing, Verdict
from shipmend.core.moments import iso
from shipmend.core.values import ResourcePath
from shipmend.delivery.causes import causes_of
from shipmend.delivery.models import CriticalDefect
from shipmend.delivery.verdicts import read_notes, write_notes, write_verdict
from tests.questions import asked
from tests.world import FIRST_DAY, World

pytestmark = pytest.mark.database

HOUR = 3600
NOON = FIRST_DAY + 100 * 24 * HOUR


def release(world: World, path: ResourcePath, at: int, **more: object) -> UUID:
    sha = f"{at:040x}"
    call = {"resource_path": path, "release_sha": sha, "released_at": iso(at), **more}
    reply = world.api().post("releases", call)
    assert reply.status == 200, reply.json
    return UUID(reply.json["release"]["id"])


def defect(world: World, path: ResourcePath, at: int, key: str = "K-1", **more: object) -> UUID:
    call = {"resource_path": path, "defect_key": key, "detected_at": iso(at), **more}
    assert world.api().post("critical_defects", call).status == 200
    return CriticalDefect.objects.values_list("id", flat=True).get(entity_id=world.tenant.id, defect_key=key)


def cause(world: World, key: str = "K-1") -> Cause:
    (found,) = causes_of(
        world.tenant, CriticalDefect.objects.filter(entity_id=world.tenant.id, defect_key=key)
    ).values()
    return found


def test_only_what_counts_in_production_is_suspected(world: World, stranger: World) -> None:
    path = world.repo().path
    made = release(world, path, NOON)
    release(world, path, NOON + 1, release_sha=f"{NOON:040x}")  # a redeploy
    release(world, path, NOON + 2, status="failed")
    release(world, path, NOON + 3, environment="staging")
    gone = release(world, path, NOON + 4)
    world.api().delete(f"releases/{gone}")
    release(world, world.repo("till").path, NOON + 5)
    release(stranger, stranger.repo().path, NOON + 6)
    release(world, path, NOON + HOUR + 1)
    defect(world, path, NOON + HOUR)
    assert cause(world)[:2] == (CauseKind.GUESS, made)


def test_an_entity_s_defect_is_of_no_release_until_a_fix_tells_the_repo(world: World) -> None:
    path = world.repo().path
    made = release(world, path, NOON)
    defect(world, world.path, NOON + HOUR)
    assert cause(world) == Cause(CauseKind.UNATTRIBUTED, None, "No repo is concerned yet.")
    defect(world, path, NOON + HOUR, fix_released_at=iso(NOON + 2 * HOUR))
    assert cause(world)[:2] == (CauseKind.GUESS, made)


def test_what_was_said_stands_until_the_release_is_deleted(world: World) -> None:
    path = world.repo().path
    early, late = release(world, path, NOON), release(world, path, NOON + HOUR)
    defect_id = defect(world, path, NOON + 2 * HOUR)
    write_verdict(world.tenant, defect_id, Verdict(Standing.NAMED, early))
    assert cause(world)[:2] == (CauseKind.NAMED, early)
    world.api().delete(f"releases/{early}")
    assert cause(world)[:2] == (CauseKind.GUESS, late)
    assert "has been deleted" in cause(world).reason


def test_a_defect_recorded_anew_knows_nothing_of_what_was_said_before(world: World) -> None:
    path = world.repo().path
    made = release(world, path, NOON)
    defect_id = defect(world, path, NOON + HOUR)
    write_verdict(world.tenant, defect_id, Verdict(Standing.ACCEPTED, made))
    write_notes(world.tenant, defect_id, "a post-mortem")
    world.api().delete("critical_defects/K-1")
    assert defect(world, path, NOON + HOUR) == defect_id
    assert cause(world).kind is CauseKind.GUESS
    assert read_notes(world.tenant, defect_id) == ""


def test_the_causes_of_many_cost_as_many_questions_as_those_of_one(world: World) -> None:
    path = world.repo().path
    counts = []
    for n in (1, 20):
        for each in range(n):
            made = release(world, path, NOON + each)
            defect_id = defect(world, path, NOON + each + 1, f"K-{each}")
            write_verdict(world.tenant, defect_id, Verdict(Standing.NAMED, made) if each % 2 else Verdict())
        with asked() as questions:
            found = causes_of(world.tenant, CriticalDefect.objects.filter(entity_id=world.tenant.id))
        assert len(found) == n
        counts.append(questions.count)
    assert counts[0] == counts[1] <= 4

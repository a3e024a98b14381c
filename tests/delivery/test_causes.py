"""The causes of defects as they follow from what is recorded."""

from __future__ import annotations

import pytest

from shipmend.core.causes import Cause, CauseKind, Standing, Verdict
from shipmend.core.moments import iso
from shipmend.delivery.causes import causes_of
from shipmend.delivery.models import CriticalDefect
from shipmend.delivery.verdicts import read_notes, write_notes, write_verdict
from tests.delivery.blame import HOUR, NOON, Scene
from tests.questions import asked
from tests.world import World

pytestmark = pytest.mark.database


@pytest.fixture
def scene(world: World) -> Scene:
    return Scene(world)


def test_only_what_counts_in_production_is_suspected(world: World, scene: Scene, stranger: World) -> None:
    path = world.repo().path
    made = scene.release(path, NOON)
    scene.release(path, NOON + 1, release_sha=f"{NOON:040x}")  # a redeploy
    scene.release(path, NOON + 2, status="failed")
    scene.release(path, NOON + 3, environment="staging")
    gone = scene.release(path, NOON + 4)
    world.api().delete(f"releases/{gone}")
    scene.release(world.repo("till").path, NOON + 5)
    Scene(stranger).release(stranger.repo().path, NOON + 6)
    scene.release(path, NOON + HOUR + 1)
    scene.defect(path, NOON + HOUR)
    assert scene.cause()[:2] == (CauseKind.GUESS, made)


def test_an_entity_s_defect_is_of_no_release_until_a_fix_tells_the_repo(world: World, scene: Scene) -> None:
    path = world.repo().path
    made = scene.release(path, NOON)
    scene.defect(world.path, NOON + HOUR)
    assert scene.cause() == Cause(CauseKind.UNATTRIBUTED, None, "No repo is concerned yet.")
    scene.defect(path, NOON + HOUR, fix_released_at=iso(NOON + 2 * HOUR))
    assert scene.cause()[:2] == (CauseKind.GUESS, made)


def test_what_was_said_stands_until_the_release_is_deleted(world: World, scene: Scene) -> None:
    path = world.repo().path
    early, late = scene.release(path, NOON), scene.release(path, NOON + HOUR)
    defect_id = scene.defect(path, NOON + 2 * HOUR)
    write_verdict(world.tenant, defect_id, Verdict(Standing.NAMED, early))
    assert scene.cause()[:2] == (CauseKind.NAMED, early)
    world.api().delete(f"releases/{early}")
    assert scene.cause()[:2] == (CauseKind.GUESS, late)
    assert "has been deleted" in scene.cause().reason


def test_a_defect_recorded_anew_knows_nothing_of_what_was_said_before(world: World, scene: Scene) -> None:
    path = world.repo().path
    made = scene.release(path, NOON)
    defect_id = scene.defect(path, NOON + HOUR)
    write_verdict(world.tenant, defect_id, Verdict(Standing.ACCEPTED, made))
    write_notes(world.tenant, defect_id, "a post-mortem")
    world.api().delete("critical_defects/K-1")
    assert scene.defect(path, NOON + HOUR) == defect_id
    assert scene.cause().kind is CauseKind.GUESS
    assert read_notes(world.tenant, defect_id) == ""


def test_the_causes_of_many_cost_as_many_questions_as_those_of_one(world: World, scene: Scene) -> None:
    path = world.repo().path
    counts = []
    for n in (1, 20):
        for each in range(n):
            made = scene.release(path, NOON + each)
            defect_id = scene.defect(path, NOON + each + 1, f"K-{each}")
            write_verdict(world.tenant, defect_id, Verdict(Standing.NAMED, made) if each % 2 else Verdict())
        with asked() as questions:
            found = causes_of(world.tenant, CriticalDefect.objects.filter(entity_id=world.tenant.id))
        assert len(found) == n
        counts.append(questions.count)
    assert counts[0] == counts[1] <= 5

"""What a release is blamed for: on its page and in the API, with how it is known."""

from __future__ import annotations

import re
from uuid import UUID

import pytest

from shipmend.core.values import Role
from shipmend.delivery.blamed import blamed_for
from tests.delivery.blame import HOUR, NOON, Scene
from tests.questions import asked
from tests.web.cast import Person
from tests.world import World

pytestmark = pytest.mark.database

DAY = 24 * HOUR


@pytest.fixture
def scene(world: World) -> Scene:
    return Scene(world)


def blamed(scene: Scene, release_id: UUID) -> list[tuple[str, str]]:
    changes = scene.api.get(f"releases/{release_id}/changes").json["changes"]
    return [(defect["defect_key"], defect["cause"]) for defect in changes["defects_blamed"]]


def test_each_defect_is_told_where_its_cause_is_with_its_standing(scene: Scene) -> None:
    path = scene.world.repo().path
    early, late = scene.release(path, NOON), scene.release(path, NOON + 2 * HOUR)
    for n, key in enumerate(("GUESSED", "ACCEPTED", "DENIED", "MOVED")):
        scene.defect(path, NOON + n + 1, key)
    scene.defect(path, NOON + 30 * DAY, "MUCH-LATER")
    scene.defect(path, NOON + 3 * HOUR, "AFTER")
    say = "critical_defect_causes"
    scene.api.post(f"{say}/ACCEPTED", accept="true")
    scene.api.post(f"{say}/DENIED", none="true")
    scene.api.post(f"{say}/MUCH-LATER", release=early)
    scene.api.post(f"{say}/AFTER", release=early)
    assert blamed(scene, early) == [
        ("GUESSED", "guess"),
        ("ACCEPTED", "accepted"),
        ("MOVED", "guess"),
        ("AFTER", "named"),
        ("MUCH-LATER", "named"),
    ]
    assert blamed(scene, late) == []
    scene.api.delete("critical_defects/MOVED")
    moved = scene.release(path, NOON + 1)
    assert blamed(scene, early) == [("ACCEPTED", "accepted"), ("AFTER", "named"), ("MUCH-LATER", "named")]
    assert blamed(scene, moved) == [("GUESSED", "guess")]


def test_the_page_of_a_release_shows_it_though_its_commits_are_not_known(scene: Scene) -> None:
    path = scene.world.repo().path
    made = scene.release(path, NOON)
    scene.defect(path, NOON + HOUR, "TILL-1", description="no change is given")
    seen = Person.of(scene.world, Role.VIEWER).get(f"/entities/{path}/releases/{made}")
    told = re.search(r'aria-labelledby="blamed-title".*?</section>', seen.html, re.DOTALL)
    assert told
    assert re.sub(r"\s+", " ", re.sub("<[^>]*>", " ", told.group())).endswith("TILL-1 no change is given guess ")


def test_another_entity_s_defects_are_not_asked(scene: Scene, stranger: World) -> None:
    made = scene.release(scene.world.repo().path, NOON)
    Scene(stranger).defect(stranger.repo().path, NOON + HOUR)
    assert blamed_for(stranger.tenant, made, NOON) == ()


def test_many_defects_cost_as_many_questions_as_one(scene: Scene) -> None:
    path = scene.world.repo().path
    made = scene.release(path, NOON)
    counts = []
    for n in (1, 20):
        for each in range(n):
            scene.defect(path, NOON + each, f"D-{each}")
        with asked() as questions:
            assert len(blamed_for(scene.world.tenant, made, NOON)) == n
        counts.append(questions.count)
    assert counts[0] == counts[1]

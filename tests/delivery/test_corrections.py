"""Defects set right: fixes corrected and removed, notes, and what is cancelled with a reason."""

from __future__ import annotations

from functools import partial
from uuid import UUID, uuid4

import pytest

from shipmend.audit.trail import Actor
from shipmend.catalog.queries import find_place
from shipmend.core.defects import FixReport
from shipmend.core.errors import Invalid, NotFound
from shipmend.core.moments import iso
from shipmend.core.releases import Action, Instant
from shipmend.core.values import ResourcePath, Sha
from shipmend.db.writes import write
from shipmend.delivery import actions, corrections, store
from shipmend.delivery.actions import RecordedDefect
from tests.delivery.blame import HOUR, NOON, Scene
from tests.gitworld import GitRepo
from tests.world import World

pytestmark = pytest.mark.database

ANN = Actor.user("ann@example.org")


@pytest.fixture
def scene(world: World) -> Scene:
    return Scene(world)


def fixes(scene: Scene) -> dict[int, UUID]:
    """The ids of the fixes by their time."""
    stored = store.defect_by_key(scene.world.tenant, "K-1")
    assert stored
    return {fix.released.epoch: fix.id for fix in stored.defect.fixes if fix.released}


def correct(scene: Scene, fix_id: UUID, path: ResourcePath, *, at: int | None = None, sha: str = "") -> RecordedDefect:
    zone = scene.world.tenant.zone
    said = FixReport(Sha(sha) if sha else None, Instant.at(at, zone).moment() if at else None, released_now=False)
    work = corrections.correct_fix_work(
        place=find_place(scene.world.tenant, path),
        key="K-1",
        fix_id=fix_id,
        said=said,
        reach=scene.world.path,
        actor=ANN,
        now=NOON + 9 * HOUR,
    )
    return write(work)


def remove(scene: Scene, fix_id: UUID) -> RecordedDefect:
    return write(partial(corrections.remove_fix, fix_id=fix_id, **scene.where, actor=ANN))


def resolved_at(scene: Scene) -> str | None:
    found: str | None = scene.api.get("critical_defects/K-1").json["defect"]["resolved_at"]
    return found


def test_removing_a_fix_derives_when_the_defect_was_resolved(scene: Scene) -> None:
    path = scene.world.repo().path
    for hours in (1, 3):
        scene.defect(path, NOON, fix_released_at=iso(NOON + hours * HOUR))
    remove(scene, fixes(scene)[NOON + 3 * HOUR])
    assert resolved_at(scene) == iso(NOON + HOUR)
    line = scene.last()
    assert (line.actor, line.action) == ("user ann@example.org", "fix removed")
    assert [(each.field, each.before, each.after) for each in line.changes] == [
        ("fix", f"{path} {iso(NOON + 3 * HOUR)}", ""),
        ("resolved at", iso(NOON + 3 * HOUR), iso(NOON + HOUR)),
    ]
    remove(scene, fixes(scene)[NOON + HOUR])
    assert resolved_at(scene) is None
    with pytest.raises(NotFound, match="no such fix"):
        remove(scene, uuid4())


def test_a_fix_is_corrected_in_time_commit_and_repo(scene: Scene) -> None:
    shop, till = scene.world.repo().path, scene.world.repo("till").path
    scene.defect(scene.world.path, NOON)
    scene.defect(shop, NOON, fix_released_at=iso(NOON + HOUR))
    fix_id = fixes(scene)[NOON + HOUR]
    assert correct(scene, fix_id, shop, at=NOON + HOUR).action is Action.UNCHANGED
    assert correct(scene, fix_id, till, at=NOON + 2 * HOUR, sha="ab" * 20).action is Action.UPDATED
    (fix,) = scene.api.get("critical_defects/K-1").json["defect"]["fixes"]
    assert fix == {
        "resource_path": str(till),
        "released_at": iso(NOON + 2 * HOUR),
        "release_sha": "ab" * 20,
        "commit_state": "unverified",
    }
    assert fixes(scene) == {NOON + 2 * HOUR: fix_id}
    assert resolved_at(scene) == iso(NOON + 2 * HOUR)
    assert scene.last().changes[0].after == f"{till} {iso(NOON + 2 * HOUR)} {'ab' * 6}"


def test_a_correction_to_what_can_not_be_is_refused_at_its_field(scene: Scene) -> None:
    path = scene.world.repo().path
    for hours in (1, 3):
        scene.defect(path, NOON, fix_released_at=iso(NOON + hours * HOUR))
    first = fixes(scene)[NOON + HOUR]
    with pytest.raises(Invalid, match="lies before the detection") as early:
        correct(scene, first, path, at=NOON - 1)
    assert early.value.parameter == "fix_released_at"
    with pytest.raises(Invalid, match="is that of another fix") as twin:
        correct(scene, first, path, at=NOON + 3 * HOUR)
    assert twin.value.parameter == "fix_released_at"
    with pytest.raises(NotFound):
        correct(scene, uuid4(), path, at=NOON + 2 * HOUR)
    assert set(fixes(scene)) == {NOON + HOUR, NOON + 3 * HOUR}


def test_two_fixes_of_one_commit_are_one(scene: Scene) -> None:
    path = scene.world.repo().path
    scene.defect(path, NOON, fix_released_at=iso(NOON + HOUR), fix_released_sha="ab" * 20)
    scene.defect(path, NOON, fix_released_at=iso(NOON + 2 * HOUR), fix_released_sha="cd" * 20)
    with pytest.raises(Invalid) as twin:
        correct(scene, fixes(scene)[NOON + HOUR], path, at=NOON + HOUR, sha="cd" * 20)
    assert twin.value.parameter == "fix_released_sha"


def test_a_corrected_fix_takes_the_time_of_its_commit(scene: Scene, git_repo: GitRepo) -> None:
    sha = git_repo.commit("mend", at=NOON + HOUR)
    path = scene.world.repo(git=git_repo).path
    scene.defect(path, NOON, fix_released_at=iso(NOON + 5 * HOUR))
    correct(scene, fixes(scene)[NOON + 5 * HOUR], path, sha=sha[:10])
    (fix,) = scene.api.get("critical_defects/K-1").json["defect"]["fixes"]
    assert (fix["release_sha"], fix["released_at"], fix["commit_state"]) == (sha, iso(NOON + HOUR), "known")


def test_notes_are_kept_with_what_they_were_before(scene: Scene) -> None:
    scene.defect(scene.world.path, NOON)
    for notes, action in (("# Why", Action.UPDATED), ("# Why", Action.UNCHANGED), ("", Action.UPDATED)):
        assert write(partial(corrections.set_notes, notes=notes, **scene.where, actor=ANN)).action is action
    assert [(each.before, each.after) for each in scene.last().changes] == [("# Why", "")]
    with pytest.raises(Invalid, match="50001 characters"):
        write(partial(corrections.set_notes, notes="x" * 50_001, **scene.where, actor=ANN))


def test_what_is_cancelled_leaves_its_reason_in_the_trail(scene: Scene) -> None:
    defect_id = scene.defect(scene.world.path, NOON)
    write(partial(actions.delete_defect, now=NOON, reason="a false alarm", **scene.where, actor=ANN))
    assert scene.api.get("critical_defects/K-1").status == 404
    assert defect_id == scene.id("K-1")
    assert [(each.field, each.after) for each in scene.last().changes] == [("reason", "a false alarm")]

"""What people say of a defect's cause: taken, refused, and told in the audit trail."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from uuid import UUID, uuid4

import pytest

from shipmend.audit.trail import Actor
from shipmend.catalog.actions import remove_repo
from shipmend.core.causes import CauseKind
from shipmend.core.errors import Forbidden, Invalid, NotFound
from shipmend.core.moments import iso
from shipmend.core.releases import Action
from shipmend.db.writes import write
from shipmend.delivery import blaming
from shipmend.delivery.actions import RecordedDefect
from tests.delivery.blame import HOUR, NOON, Scene
from tests.world import World

pytestmark = pytest.mark.database

ANN = Actor.user("ann@example.org")


@pytest.fixture
def scene(world: World) -> Scene:
    return Scene(world)


def say(scene: Scene, verb: Callable[..., RecordedDefect], **said: object) -> RecordedDefect:
    return write(partial(verb, **{**scene.where, "actor": ANN, **said}))


def test_a_release_is_named_denied_and_cleared_and_the_trail_tells_before_and_after(scene: Scene) -> None:
    path = scene.world.repo().path
    early = scene.release(path, NOON, name="v1")
    late = scene.release(path, NOON + HOUR, name="v2")
    scene.defect(path, NOON + 2 * HOUR)
    assert say(scene, blaming.name_cause, release_id=early).action is Action.UPDATED
    assert scene.cause()[:2] == (CauseKind.NAMED, early)
    assert say(scene, blaming.name_cause, release_id=early).action is Action.UNCHANGED
    say(scene, blaming.deny_cause)
    assert scene.cause()[:2] == (CauseKind.UNATTRIBUTED, None)
    line = scene.last()
    assert (line.actor, line.action) == ("user ann@example.org", "cause denied")
    assert [(each.before, each.after) for each in line.changes] == [(f"named {path} v1 ({early})", "no release")]
    say(scene, blaming.clear_cause)
    assert scene.cause()[:2] == (CauseKind.GUESS, late)
    assert [(each.before, each.after) for each in scene.last().changes] == [("no release", "")]


def test_a_guess_is_accepted_and_stays_when_a_later_release_comes(scene: Scene) -> None:
    path = scene.world.repo().path
    made = scene.release(path, NOON)
    scene.defect(path, NOON + 2 * HOUR)
    say(scene, blaming.accept_cause, seen=made)
    scene.release(path, NOON + HOUR)
    assert scene.cause()[:2] == (CauseKind.ACCEPTED, made)


def test_a_guess_that_moved_since_it_was_seen_is_not_accepted(scene: Scene) -> None:
    path = scene.world.repo().path
    seen = scene.release(path, NOON)
    scene.defect(path, NOON + 2 * HOUR)
    late = scene.release(path, NOON + HOUR)
    with pytest.raises(Invalid, match="is not the guess any more"):
        say(scene, blaming.accept_cause, seen=seen)
    assert scene.cause()[:2] == (CauseKind.GUESS, late)


def test_where_nothing_is_guessed_nothing_is_accepted(scene: Scene) -> None:
    scene.defect(scene.world.path, NOON)
    with pytest.raises(Invalid, match=r"finds no guess: name a release instead \(No repo is concerned yet\)"):
        say(scene, blaming.accept_cause, seen=None)


def test_only_a_release_that_was_there_at_the_detection_is_named(scene: Scene, stranger: World) -> None:
    path = scene.world.repo().path
    scene.defect(path, NOON)
    theirs = Scene(stranger).release(stranger.repo().path, NOON - HOUR)
    for release_id in (uuid4(), theirs):
        with pytest.raises(Invalid, match="names no release that can be reached"):
            say(scene, blaming.name_cause, release_id=release_id)
    with pytest.raises(Invalid, match=f"was not live yet when the defect was detected, at {iso(NOON)}"):
        say(scene, blaming.name_cause, release_id=scene.release(path, NOON + 1))


@pytest.mark.parametrize("verb", [blaming.deny_cause, blaming.clear_cause, partial(blaming.accept_cause, seen=None)])
def test_whoever_reaches_a_fix_only_says_nothing_of_the_cause(
    scene: Scene, verb: Callable[..., RecordedDefect]
) -> None:
    path = scene.world.repo().path
    scene.defect(scene.world.path, NOON)
    with pytest.raises(NotFound):
        say(scene, verb, reach=path)
    scene.defect(path, NOON, fix_released_at=iso(NOON + HOUR))
    with pytest.raises(Forbidden):
        say(scene, verb, reach=path)


def test_the_name_of_a_release_of_a_removed_repo_is_not_asked_for(scene: Scene) -> None:
    repo = scene.world.repo("gone")
    made = scene.release(repo.path, NOON)
    scene.defect(scene.world.path, NOON + HOUR)
    say(scene, blaming.name_cause, release_id=made)
    remove_repo(tenant=scene.world.tenant, repo_id=repo.id, actor=ANN)
    say(scene, blaming.deny_cause)
    assert scene.last().changes[0].before == f"named a release of a repo that was removed ({made})"


def test_an_unknown_defect_has_no_cause(scene: Scene) -> None:
    with pytest.raises(NotFound):
        say(scene, blaming.name_cause, key="K-2", release_id=UUID(int=1))

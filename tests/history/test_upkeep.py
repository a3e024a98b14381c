"""The upkeep of mirrors, which the worker does by itself after an index."""

from __future__ import annotations

import pytest

from shipmend.history import handlers
from shipmend.history.actions import TEND
from shipmend.history.mirrors import mirror_of
from shipmend.jobs.foreground import do_now
from shipmend.jobs.models import Job
from shipmend.jobs.registry import Registry
from tests.gitworld import GitRepo
from tests.jobs.helpers import make_due
from tests.world import World

pytestmark = pytest.mark.database


def tend(world: World) -> int:
    """Do the upkeep that is asked for; how many jobs that was."""
    registry = Registry()
    registry.add(TEND, handlers.run_tend)
    asked = list(Job.objects.filter(entity_id=world.tenant.id, kind=TEND, done_at=None))
    for job in asked:
        make_due(job.id)
        do_now(registry, job_id=job.id, entity_id=world.tenant.id, kind=TEND, key=job.key, on_wait=lambda: None)
    return len(asked)


def test_after_an_index_the_commit_graph_has_all_commits_and_their_paths(world: World, git_repo: GitRepo) -> None:
    git_repo.commit(files={"a": "1"})
    repo = world.repo(git=git_repo)
    graphs = mirror_of(repo.id).git_dir / "objects/info/commit-graphs"
    for commits in (1, 2, 3):
        assert tend(world) == 1
        layers = [layer.read_bytes() for layer in graphs.glob("*.graph")]
        assert all(b"BIDX" in layer[:256] for layer in layers)
        assert sum(map(commits_in, layers)) == commits
        git_repo.commit(files={"b": str(commits)})
        world.index(repo)


def commits_in(layer: bytes) -> int:
    """By the last entry of the fan-out table, 1 KiB long, at the offset that the table of chunks names; see git's
    commit-graph-format."""
    at = layer.index(b"OIDF")
    start = int.from_bytes(layer[at + 4 : at + 12], "big")
    return int.from_bytes(layer[start + 1020 : start + 1024], "big")


def test_nothing_new_asks_for_no_upkeep(world: World, git_repo: GitRepo) -> None:
    git_repo.commit()
    repo = world.repo(git=git_repo)
    tend(world)
    world.index(repo)
    assert tend(world) == 0


def test_packs_of_many_pushes_are_joined(world: World, git_repo: GitRepo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handlers, "MOST_PACKS", 3)
    repo = world.repo(git=git_repo)
    for number in range(5):
        git_repo.commit(files={"a": str(number)})
        world.index(repo)
    assert mirror_of(repo.id).packs == 5
    tend(world)
    assert mirror_of(repo.id).packs < 3


def test_a_mirror_that_is_not_here_or_is_damaged_stops_nobody(world: World, git_repo: GitRepo) -> None:
    git_repo.commit()
    repo = world.repo(git=git_repo)
    for pack in (mirror_of(repo.id).git_dir / "objects/pack").glob("*.pack"):
        pack.unlink()
    assert tend(world) == 1
    git_repo.commit()
    mirror_of(repo.id).delete()
    world.index(repo)
    mirror_of(repo.id).delete()
    assert tend(world) == 1

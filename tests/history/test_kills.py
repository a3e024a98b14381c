"""An index that is killed, or stopped until others have given it up, at every one of its writes."""

from __future__ import annotations

import os
import random
import signal
import time
from functools import partial
from pathlib import Path

import pytest

from shipmend.catalog.models import IndexState, Repo
from shipmend.db.writes import write
from shipmend.jobs.models import Job
from tests.gitworld import GitRepo
from tests.history.histories import grow
from tests.history.rows import rows_of
from tests.processes import process
from tests.world import World

pytestmark = pytest.mark.database

WRITES = 24
"""More than any index here makes."""
FEWEST = 8
"""Fewer than any makes."""

# A child for each repo: it indexes in small steps until its n-th write.
_CHILDREN = """
from shipmend.catalog.models import Repo
from shipmend.history import indexing, store
from shipmend.history.handlers import index_now
from shipmend.jobs import foreground, registry

indexing.COMMITS_AT_ONCE = 9
store.WIPED = 7
lease, deadly, when, *ids = sys.argv[1:]
foreground.LEASE = float(lease)
plain = registry.JobContext.write

def die():
    os.kill(os.getpid(), getattr(signal, deadly))

def until(last):
    count = 0
    def write(self, work):
        nonlocal count
        count += 1
        if count != last:
            return plain(self, work)
        if when == "before":
            die()
            return plain(self, work)
        if when == "inside":
            return plain(self, lambda: (work(), die()))
        plain(self, work)
        die()
    return write

children = []
for n, repo_id in enumerate(ids, 1):
    child = os.fork()
    if not child:
        registry.JobContext.write = until(n)
        try:
            index_now(Repo.objects.get(id=repo_id), on_progress=lambda _: None)
        except BaseException as error:
            print(type(error).__name__, flush=True)
        else:
            print("finished", flush=True)
        os._exit(0)
    children.append(child)
    if deadly == "SIGKILL":
        os.waitpid(child, 0)
print(*children, flush=True)
for child in children if deadly == "SIGSTOP" else []:
    os.waitpid(child, 0)
"""


def repos(world: World, git: GitRepo, *, count: int, indexed_before: bool) -> list[Repo]:
    """Many of one upstream, which has grown since they were indexed, if they were."""
    chance = random.Random(count)
    grow(git, chance, steps=15, skew=2000)
    made = [world.repo(f"r{n}", git=git if indexed_before else None) for n in range(count)]
    grow(git, chance, steps=25, skew=2000)
    for repo in made:
        repo.remote_url, repo.is_local = str(git.path), True
        repo.save()
    return made


@pytest.mark.parametrize(
    ("when", "indexed_before"), [("before", False), ("inside", False), ("inside", True), ("after", True)]
)
def test_an_index_killed_at_any_write_ends_as_if_it_had_not_been(
    world: World, git_repo: GitRepo, when: str, indexed_before: bool
) -> None:
    whole, *killed = repos(world, git_repo, count=WRITES, indexed_before=indexed_before)
    world.index(whole)
    with process(_CHILDREN, 0.3, "SIGKILL", when, *[repo.id for repo in killed]) as running:
        said, _ = running.communicate(timeout=120)
    assert FEWEST < len(killed) - said.count("finished") < len(killed)
    for repo in killed:
        world.index(repo)
        assert rows_of(repo) == rows_of(whole)
        repo.refresh_from_db()
        assert (repo.index_state, repo.index_error) == (IndexState.READY, "")


def test_an_index_given_up_for_dead_can_write_nothing_when_it_wakes(world: World, git_repo: GitRepo) -> None:
    """It stops just before one of its writes, for as long as it takes somebody else to do its work."""
    whole, *stopped = repos(world, git_repo, count=FEWEST + 1, indexed_before=False)
    world.index(whole)
    with process(_CHILDREN, 3600, "SIGSTOP", "before", *[repo.id for repo in stopped]) as running:
        assert running.stdout is not None
        children = [int(child) for child in running.stdout.readline().split()]
        for repo, child in zip(stopped, children, strict=True):
            _wait_until_stopped(child)
            write(partial(Job.objects.filter(key=str(repo.id)).update, lease_until=1))
            world.index(repo)
        for child in children:
            os.kill(child, signal.SIGCONT)
        said, _ = running.communicate(timeout=120)
    assert "".join(said.split()) == "LeaseLost" * FEWEST  # each prints its line, and its end, when it comes to it
    for repo in stopped:
        assert rows_of(repo) == rows_of(whole)


def _wait_until_stopped(child: int) -> None:
    """Until the process stands still; see proc(5) for the letter."""
    for _ in range(3000):
        if Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()[0] == "T":
            return
        time.sleep(0.02)
    raise AssertionError("it did not stop")

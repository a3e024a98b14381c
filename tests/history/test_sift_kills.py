"""A look at the commits of parts that is killed at every one of its writes."""

from __future__ import annotations

import random
from functools import partial

import pytest

from shipmend.audit.trail import COMMAND_LINE
from shipmend.catalog.actions import ensure_part
from shipmend.catalog.models import IndexState, Repo
from shipmend.db.writes import write
from shipmend.history.actions import SIFT, request_sift
from shipmend.history.models import Sieve, TouchedRun
from shipmend.jobs.models import Job
from tests.gitworld import GitRepo
from tests.history.guards import do_waiting_job
from tests.history.monorepos import A, B, expected, grow, touched
from tests.processes import process
from tests.world import World

pytestmark = pytest.mark.database

WRITES = 26
"""More than any look here makes."""
FEWEST = 14
"""Fewer than any makes."""

# A child for each source, which looks in small steps until its n-th write.
_CHILDREN = """
from shipmend.catalog.models import Repo
from shipmend.history import sifting
from shipmend.history.actions import SIFT, request_sift
from shipmend.history.handlers import run_sift
from shipmend.jobs import foreground, registry

sifting.COMMITS_AT_ONCE = 3
sifting.WIPED = 2
foreground.LEASE = 3600
plain = registry.JobContext.write
when, *ids = sys.argv[1:]

def die():
    os.kill(os.getpid(), signal.SIGKILL)

def until(last):
    count = 0
    def write(self, work):
        nonlocal count
        count += 1
        if count != last:
            return plain(self, work)
        if when == "before":
            die()
        if when == "inside":
            return plain(self, lambda: (work(), die()))
        plain(self, work)
        die()
    return write

def look(repo):
    jobs = registry.Registry()
    jobs.add(SIFT, run_sift)
    job = request_sift(repo)
    foreground.do_now(jobs, job_id=job, entity_id=repo.entity_id, kind=SIFT, key=str(repo.id), on_wait=lambda: None)

for n, repo_id in enumerate(ids, 1):
    child = os.fork()
    if not child:
        registry.JobContext.write = until(n)
        look(Repo.objects.get(id=repo_id))
        print("finished", flush=True)
        os._exit(0)
    os.waitpid(child, 0)
"""


def rows_of(part: Repo) -> tuple[list[object], list[object]]:
    """All that is stored of what a part counts."""
    sieves = Sieve.objects.filter(entity_id=part.entity_id, repo_id=part.id).order_by("version")
    runs = TouchedRun.objects.filter(entity_id=part.entity_id, repo_id=part.id).order_by("version", "first")
    return (
        list(sieves.values_list("version", "globs", "upto", "commits", "is_current")),
        list(runs.values_list("version", "first", "last")),
    )


@pytest.mark.parametrize("when", ["before", "inside", "after"])
def test_a_look_killed_at_any_write_ends_as_if_it_had_not_been(world: World, git_repo: GitRepo, when: str) -> None:
    """The paths of each part have just been changed, so that the most is to be done."""
    grow(git_repo, random.Random(2), steps=30)
    sources = [world.repo(f"mono{n}", git=git_repo) for n in range(WRITES)]
    parts = [world.part(f"part{n}", source, *A) for n, source in enumerate(sources)]
    for part, source in zip(parts, sources, strict=True):
        ensure_part(path=part.path, source=source.path, globs=B, actor=COMMAND_LINE)
    look(sources[0])
    assert touched(parts[0]) == expected(git_repo, B, git_repo.git("rev-list", "--all").split())
    with process(_CHILDREN, when, *[source.id for source in sources[1:]]) as running:
        said, _ = running.communicate(timeout=120)
    assert FEWEST < WRITES - 1 - said.count("finished") < WRITES - 1
    for part, source in zip(parts[1:], sources[1:], strict=True):
        look(source)
        assert rows_of(part) == rows_of(parts[0])
        part.refresh_from_db()
        assert (part.index_state, part.commit_count) == (IndexState.READY, len(touched(part)))


def look(source: Repo) -> None:
    """As a worker would once the lease of a killed one has ended."""
    request_sift(source)
    waiting = Job.objects.filter(entity_id=source.entity_id, kind=SIFT, key=str(source.id), done_at=None)
    write(partial(waiting.exclude(lease_until=None).update, lease_until=1))
    while waiting.exists():
        assert do_waiting_job(source.entity_id, SIFT, str(source.id)) is None

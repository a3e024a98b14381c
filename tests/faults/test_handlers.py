"""A worker killed at each write of each job that follows an index: the end is as if it had not been.

An index, and the look at what counts for parts, are killed in `tests/history`.
"""

from __future__ import annotations

import threading
from uuid import UUID

import pytest

from shipmend.audit.models import AuditEvent
from shipmend.audit.trail import COMMAND_LINE
from shipmend.catalog.actions import remove_repo
from shipmend.catalog.models import Repo
from shipmend.core.tracking import RuleKind, read_rule
from shipmend.db.ids import new_id
from shipmend.db.writes import write
from shipmend.delivery import handlers as delivery
from shipmend.delivery.models import Release, ReleaseDiff
from shipmend.delivery.ownership import MEASURE
from shipmend.delivery.tracking import add_rule
from shipmend.history import handlers as history
from shipmend.history.actions import FORGET, SETTLE
from shipmend.history.mirrors import mirror_of
from shipmend.history.models import Commit
from shipmend.jobs.models import OPEN, Job
from shipmend.jobs.queue import Claimer, enqueue
from shipmend.jobs.registry import Registry
from shipmend.jobs.running import Running
from tests.faults.figures import note
from tests.faults.scale import SCALE
from tests.gitworld import GitRepo
from tests.processes import process
from tests.world import World

pytestmark = pytest.mark.database

TWINS = 8
"""One that is left in peace, and one for each write at which another is killed."""
WHEN = ("before", "inside", "after") if SCALE else ("inside",)

_CHILDREN = """
import threading
from uuid import UUID
from shipmend.db import writes
from shipmend.delivery import handlers as delivery
from shipmend.history import handlers as history
from shipmend.jobs.queue import Claimer
from shipmend.jobs.registry import Registry
from shipmend.jobs.running import Running

when, kind, entity, *keys = sys.argv[1:]

def die():
    os.kill(os.getpid(), signal.SIGKILL)

class Deadly:
    def __init__(self, plain, last):
        self.plain, self.left = plain, last
    def run(self, work):
        self.left -= 1
        if self.left:
            return self.plain(work)
        if when == "before":
            die()
        if when == "inside":
            return self.plain(lambda: (work(), die()))
        self.plain(work)
        die()

for n, key in enumerate(keys, 1):
    child = os.fork()
    if not child:
        registry = Registry()
        history.register(registry)
        delivery.register(registry)
        running = Running(registry, lease=3600, stopping=threading.Event())
        claim = Claimer([kind], owner="killed", lease=3600).of(UUID(entity), kind, key)
        assert claim is not None
        context = running.hold(claim)
        writes._write_alone = Deadly(writes._write_alone, n).run
        writes._write_together = Deadly(writes._write_together, n).run
        running.run(claim, context)
        print("finished", flush=True)
        os._exit(0)
    os.waitpid(child, 0)
"""


@pytest.mark.parametrize("when", WHEN)
def test_a_job_killed_at_any_write_ends_as_if_it_had_not_been(world: World, git_repo: GitRepo, when: str) -> None:
    twins = _twins(world, git_repo)
    whole: dict[str, list[str]] = {}
    for kind in (SETTLE, MEASURE):
        for repo in twins:
            write(lambda: enqueue(entity_id=world.tenant.id, kind=kind, key=str(repo.id)))  # noqa: B023 -- done at once
        finished = _kill(world, kind, when, [repo.id for repo in twins[1:]])
        for repo in twins:
            _do(world, kind, repo.id)
        whole, *killed = [_facts(repo) for repo in twins]
        assert all(facts == whole for facts in killed), kind
        assert finished < TWINS - 1, "nobody was killed"
        note(f"worker killed in {kind}", f"{TWINS - 1 - finished} times, {when} a write", "as if it had not been")
    assert whole["releases"], "nothing was done"
    assert whole["diffs"]
    for repo in twins:
        remove_repo(tenant=world.tenant, repo_id=repo.id, actor=COMMAND_LINE)
    finished = _kill(world, FORGET, when, [repo.id for repo in twins[1:]])
    for repo in twins:
        _do(world, FORGET, repo.id)
        assert not mirror_of(repo.id).exists
    assert not Commit.objects.filter(entity_id=world.tenant.id).exists()
    note(f"worker killed in {FORGET}", f"{TWINS - 1 - finished} times, {when} a write", "as if it had not been")


def _twins(world: World, git: GitRepo) -> list[Repo]:
    """Repos of one history, each with releases that wait for their commits, and rules that will make others."""
    shas = [git.commit(f"Commit SHOP-{n}", files={f"f{n}": "1\n"}) for n in range(4)]
    git.tag("v1", shas[1])
    git.tag("v2", shas[3])
    twins = [world.repo("r0", git)]
    for n in range(1, TWINS):
        twin = world.repo(f"r{n}", git)
        twins.append(twin)
    api = world.api()
    for repo in twins:
        for n in (0, 2):
            call = {"resource_path": str(repo.path), "release_sha": shas[n], "released_at": f"2024-02-0{n + 1}"}
            assert api.post("releases", call).status == 200
    waiting = Release.objects.filter(entity_id=world.tenant.id)
    write(lambda: waiting.update(commit_state="pending", commit_number=None, kind=None))
    rule = read_rule(new_id(), RuleKind.ANY_TAG, "", "production")
    add_rule(tenant=world.tenant, rule=rule, repo=None, actor=COMMAND_LINE)
    write(lambda: Job.objects.filter(entity_id=world.tenant.id).delete())
    return twins


def _kill(world: World, kind: str, when: str, keys: list[UUID]) -> int:
    """One worker for each key, killed at its first, second, … write. How many finished before that."""
    with process(_CHILDREN, when, kind, world.tenant.id, *keys) as running:
        said, _ = running.communicate(timeout=300)
    return said.count("finished")


def _do(world: World, kind: str, key: UUID) -> None:
    """What another worker does once the leases have ended."""
    jobs = Job.objects.filter(OPEN, entity_id=world.tenant.id, kind=kind, key=str(key))
    write(lambda: jobs.filter(lease_until__isnull=False).update(lease_until=1))
    registry = Registry()
    history.register(registry)
    delivery.register(registry)
    running = Running(registry, lease=60, stopping=threading.Event())
    while claim := Claimer([kind], owner="test", lease=60).of(world.tenant.id, kind, str(key)):
        assert running.run(claim, running.hold(claim)) is None


def _facts(repo: Repo) -> dict[str, list[str]]:
    """All that its releases came to, without ids."""
    releases = Release.objects.filter(entity_id=repo.entity_id, repo=repo)
    names = dict(releases.values_list("id", "release_sha"))
    columns = ("release_sha", "name", "kind", "commit_state", "commit_number", "released_at", "status", "deleted_at")
    diffs = ReleaseDiff.objects.filter(entity_id=repo.entity_id, release_id__in=names).values_list(
        "release_id", "files", "insertions", "deletions"
    )
    told = AuditEvent.objects.filter(entity_id=repo.entity_id, subject_id__in=names).values_list("subject_id", "action")
    return {
        "releases": sorted(map(repr, releases.values_list(*columns))),
        "diffs": sorted(repr((names[release], *rest)) for release, *rest in diffs),
        "told": sorted(repr((names[subject], action)) for subject, action in told if subject),
    }

"""Workers whose clocks are wrong: leases go by the database's clock, so nothing is run twice or left lying."""

from __future__ import annotations

from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from uuid import uuid4

import pytest

from shipmend.jobs.models import Job
from tests.faults.figures import note
from tests.faults.instance import eventually
from tests.faults.scale import rounds
from tests.jobs.helpers import ask
from tests.processes import process
from tests.world import World

pytestmark = pytest.mark.database

JOBS = rounds(400, least=40)
LEASE = 0.6
SHIFTS = {
    "an hour ahead": "real() + 3600",
    "an hour behind": "real() - 3600",
    "a day ahead": "real() + 86400",
    "a day behind": "real() - 86400",
    "stopped": "1_700_000_000.0",
    "leaping": "real() + random.choice((-86400, -3600, 0, 3600, 86400))",
}
_WORKER = """
import random, time
real = time.time
time.time = lambda: {clock}
time.time_ns = lambda: int(time.time() * 1e9)
from shipmend.jobs.registry import Registry
from shipmend.jobs.worker import Worker
kind, file, lease = sys.argv[1:]
def run(context):
    with open(file, "a") as log:
        log.write(f"{{context.key}} {{context.attempt}}\\n")
    time.sleep(random.uniform(0, 0.05))
registry = Registry()
registry.add(kind, run)
worker = Worker(registry, threads=2, lease=float(lease))
worker.start()
print("up", flush=True)
sys.stdin.readline()
worker.stop(patience=20)
"""


@pytest.mark.parametrize("names", [tuple(SHIFTS)] if JOBS > 100 else [("a day ahead", "an hour behind", "leaping")])
def test_a_worker_with_a_wrong_clock_takes_no_job_from_another_and_keeps_none(
    world: World, tmp_path: Path, names: tuple[str, ...]
) -> None:
    kind, log = f"test-{uuid4().hex[:12]}", tmp_path / "log"
    log.touch()
    for n in range(JOBS):
        ask(world, kind, str(n))
    with ExitStack() as stack:
        workers = [stack.enter_context(process(_WORKER.format(clock=SHIFTS[name]), kind, log, LEASE)) for name in names]
        for each in workers:
            assert each.stdout is not None
            assert each.stdout.readline() == "up\n"
        eventually(lambda: not Job.objects.filter(kind=kind, done_at=None).exists())
        for each in workers:
            each.communicate("stop\n", timeout=60)
    runs = Counter(log.read_text().splitlines())
    twice = sum(count > 1 for count in runs.values())
    note("worker's clock wrong", f"{len(names)} workers, {JOBS} jobs", f"{twice} run twice under one fence, 0 left")
    assert {run.partition(" ")[0] for run in runs} == {str(n) for n in range(JOBS)}
    assert twice == 0

"""How fast writes are, beside what bounds them: `python -m bench.writes`.

POST release and POST defect (with a fix) at 1, 16 and 64 clients, beside an empty view on the same server and
beside a loop without HTTP that commits each release alone. All in one run, interleaved, each figure the median of
its rounds; the server on one core, the load on another. Read the ratios: absolute figures are the machine's.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlsplit

from bench.load import Outcome, Target

CLIENTS = (1, 16, 64)
KINDS = ("empty", "release", "defect")
REPOS = 1000


@dataclass(frozen=True, slots=True)
class Plan:
    """How long and how often."""

    seconds: float
    rounds: int


def main() -> None:
    """Run the table and print it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=3, help="of each measurement")
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    plan = Plan(given.seconds, given.rounds)
    with tempfile.TemporaryDirectory(prefix="shipmend-bench-", dir=Path.cwd()) as folder:
        token, paths = _populate(Path(folder))
        with _server(Path(folder)) as address:
            outcomes = _measure(plan, address, token, paths)
        alone = _alone(Path(folder), plan)
    _print(outcomes, alone)


def _populate(folder: Path) -> tuple[str, tuple[str, ...]]:
    """A fresh instance with a thousand repos: a token of it and their paths."""
    script = f"""
import json
from pathlib import Path
from shipmend.bootstrap import open_instance
open_instance(Path({str(folder)!r}))
from shipmend.accounts.tokens import issue
from shipmend.audit.trail import COMMAND_LINE
from shipmend.catalog.actions import create_entity, ensure_repo
from shipmend.catalog.queries import find_place, tenant_of
from shipmend.core.values import ResourcePath
from shipmend.db.writes import write
tenant = tenant_of(create_entity(slug="bench", actor=COMMAND_LINE))
paths = [ResourcePath("bench", "acme", f"repo-{{n}}") for n in range({REPOS})]
write(lambda: [ensure_repo(path=path, remote=None, actor=COMMAND_LINE) for path in paths])
place = find_place(tenant, ResourcePath("bench"))
token = issue(place=place, name="bench", actor=COMMAND_LINE).text
print(json.dumps([token, [str(path) for path in paths]]))
"""
    output = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True).stdout
    token, paths = json.loads(output)
    return token, tuple(paths)


@contextmanager
def _server(folder: Path) -> Iterator[str]:
    command = [*_on_core(0), sys.executable, "-m", "bench.server", str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield process.stdout.readline().strip()
    finally:
        process.terminate()
        process.wait(30)


def _measure(plan: Plan, address: str, token: str, paths: tuple[str, ...]) -> dict[tuple[str, int], list[Outcome]]:
    where = urlsplit(address)
    outcomes: dict[tuple[str, int], list[Outcome]] = {}
    seed = int(time.time()) & 0xFFFFFFF
    for _ in range(plan.rounds):
        for clients in CLIENTS:
            for kind in KINDS:
                seed += 1
                target = Target(
                    str(where.hostname), int(where.port or 0), kind, token, paths, clients, plan.seconds, seed
                )
                outcomes.setdefault((kind, clients), []).append(_load(target))
    return outcomes


def _load(target: Target) -> Outcome:
    command = [*_on_core(1), sys.executable, "-m", "bench.load"]
    text = json.dumps(asdict(target))
    output = subprocess.run(command, input=text, check=True, capture_output=True, text=True).stdout
    return Outcome(**json.loads(output))


def _alone(folder: Path, plan: Plan) -> float:
    """Releases a second of a loop without HTTP that commits each alone."""
    script = f"""
import itertools, time
from pathlib import Path
from shipmend.bootstrap import open_instance
open_instance(Path({str(folder)!r}))
from shipmend.audit.trail import COMMAND_LINE
from shipmend.catalog.queries import find_place, find_tenant
from shipmend.core.moments import read_moment
from shipmend.core.releases import ReleaseReport
from shipmend.core.values import ResourcePath, Sha
from shipmend.db.writes import write
from shipmend.delivery.actions import release_work
from shipmend.delivery.commits import CommitFinder
tenant, now = find_tenant("bench"), int(time.time())
began = time.monotonic()
for n in itertools.count():
    if time.monotonic() - began > {plan.seconds * plan.rounds}:
        break
    path = ResourcePath("bench", "acme", f"repo-{{n % {REPOS}}}")
    at = read_moment(str(1_500_000_000 + n), zone=tenant.zone, date_order=tenant.date_order, now=now)
    report = ReleaseReport(path, Sha(f"{{n:040x}}"), at, False, "alone")
    place = find_place(tenant, path)
    write(release_work(place=place, report=report, finder=CommitFinder(), actor=COMMAND_LINE, now=now))
print(n / (time.monotonic() - began))
"""
    command = [*_on_core(0), sys.executable, "-c", script]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def _on_core(number: int) -> list[str]:
    """Words that pin a command to one core, where there are two and the machine can."""
    cores = sorted(os.sched_getaffinity(0))
    return ["taskset", "-c", str(cores[number])] if len(cores) > 1 else []


def _print(outcomes: dict[tuple[str, int], list[Outcome]], alone: float) -> None:
    print("| call | clients | per second | of an empty view | of a loop that commits each | p50 ms | p99 ms | failed |")
    print("|---|---|---|---|---|---|---|---|")
    for clients in CLIENTS:
        empty = _median(outcomes["empty", clients], "per_second")
        for kind in KINDS:
            runs = outcomes[kind, clients]
            rate = _median(runs, "per_second")
            p50, p99 = _median(runs, "p50"), _median(runs, "p99")
            failed = sum(run.failed for run in runs)
            ratios = f"{rate / empty:.2f} | {rate / alone:.2f}"
            print(f"| {kind} | {clients} | {rate:,.0f} | {ratios} | {p50:.1f} | {p99:.1f} | {failed} |")
    print(f"| loop without HTTP, each release committed alone | | {alone:,.0f} | | 1.00 | | | |")


def _median(runs: list[Outcome], name: str) -> float:
    return statistics.median(float(getattr(run, name)) for run in runs)


if __name__ == "__main__":
    main()

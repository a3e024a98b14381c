"""How fast an instance writes and reads, beside what bounds it: `make bench`.

All in one run and interleaved, each figure the median of its rounds; the server on one core, the load on another. Read
the ratios: absolute figures are the machine's, and of what else runs on it. "Of a core" is what the server's own
processor time would allow, were the core its alone: other load on the machine changes that little.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench import postgres, slowdisk
from bench.load import BATCH_LINES
from bench.service import Instance, Measured, loaded, on_core, populate, served, started

CLIENTS = 32
IMPORTED = 20_000
MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Plan:
    """How long and how often."""

    seconds: float
    rounds: int


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table."""

    what: str
    measured: str
    ratio: str = ""
    goal: str = ""


@dataclass(frozen=True, slots=True)
class Rate:
    """A median of several rounds."""

    per_second: float
    of_a_core: float
    p50: float
    p99: float
    failed: int

    @classmethod
    def of(cls, runs: list[Measured]) -> Rate:
        """The median of each figure."""
        outcomes = [run.outcome for run in runs]
        return cls(
            statistics.median(each.per_second for each in outcomes),
            statistics.median(run.per_processor_second for run in runs),
            statistics.median(each.p50 for each in outcomes),
            statistics.median(each.p99 for each in outcomes),
            sum(each.failed for each in outcomes),
        )

    def __str__(self) -> str:
        failed = f", {self.failed} FAILED" if self.failed else ""
        times = f"p50 {self.p50:.0f} ms, p99 {self.p99:.0f} ms"
        return f"{self.per_second:,.0f}/s, {self.of_a_core:,.0f}/s of a core, {times}{failed}"


def main() -> None:
    """Run everything and print it as it comes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=3, help="of each measurement")
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    load = ", ".join(f"{each:.1f}" for each in os.getloadavg())
    cores, python = os.cpu_count(), platform.python_version()
    print(f"{platform.machine()}, {cores} cores, Python {python}; load of the machine at the start {load}\n")
    print("| what | measured | ratio | goal |\n|---|---|---|---|")
    with tempfile.TemporaryDirectory(prefix="shipmend-bench-", dir=Path.cwd()) as folder:
        for row in rows(Plan(given.seconds, given.rounds), Path(folder)):
            print(f"| {row.what} | {row.measured} | {row.ratio} | {row.goal} |", flush=True)


def rows(plan: Plan, folder: Path) -> Iterator[Row]:
    """Every line."""
    yield Row("ten million additions in Python", f"{_additions():.0f} ms of the processor")
    instance = populate(folder / "sqlite")
    yield from _sqlite(plan, instance)
    yield from _slow_disk(plan, folder)
    yield from _stalled(plan, instance)
    yield from _bulk(plan, instance)
    yield from _postgres(plan, folder)
    yield from _start(instance)


def _additions() -> float:
    """How fast this machine is just now, for comparing one run with another."""
    began = time.process_time()
    sum(range(10_000_000))
    return (time.process_time() - began) * 1000


def _sqlite(plan: Plan, instance: Instance) -> Iterator[Row]:
    kinds = ("empty", "release", "defect", "orm", "read", "token")
    runs = _rounds(plan, instance, kinds)
    empty, orm = runs["empty"], runs["orm"]
    alone, grouped = (_loop(plan, instance, kind) for kind in ("alone", "grouped"))
    yield Row(f"empty view, {CLIENTS} clients", str(empty), "1")
    yield Row("loop without HTTP, each release committed alone", _pair(*alone))
    yield Row(
        "loop without HTTP, 32 threads sharing commits", _pair(*grouped), f"{grouped[0] / alone[0]:.1f} times alone"
    )
    yield Row("the same endpoint through the ORM", str(orm), _of(orm, empty, "an empty view"))
    for kind in ("release", "defect"):
        ratios = f"{_of(runs[kind], empty, 'an empty view')}; {_of(runs[kind], orm, 'the ORM')}"
        yield Row(f"POST {kind}, {CLIENTS} clients", str(runs[kind]), ratios, "2,500/s; 0.5; 3; p99 50 ms")
    yield Row("GET one release", str(runs["read"]), _of(runs["read"], empty, "an empty view"), "3,000/s")
    yield Row("GET the token check", str(runs["token"]), _of(runs["token"], empty, "an empty view"))


def _slow_disk(plan: Plan, folder: Path) -> Iterator[Row]:
    what = f"POST release, every sync {slowdisk.MILLISECONDS} ms longer"
    library = slowdisk.library(folder)
    if library is None:
        yield Row(what, "not measured: no C compiler")
        return
    runs = _rounds(plan, populate(folder / "slow"), ("release",), LD_PRELOAD=str(library))
    yield Row(what, str(runs["release"]), goal="2,000/s")


def _stalled(plan: Plan, instance: Instance) -> Iterator[Row]:
    with served(instance) as server:
        free, stalled = (
            loaded(instance, server, "token", clients=16, seconds=plan.seconds, seed=_seed(), stalled=number)
            for number in (0, 200)
        )
    yield Row(
        "200 stalled clients beside 16: p99 of these",
        f"{stalled.outcome.p99:.0f} ms",
        f"{free.outcome.p99:.0f} ms without them",
        "250 ms",
    )


def _bulk(plan: Plan, instance: Instance) -> Iterator[Row]:
    with served(instance) as server:
        batch = loaded(instance, server, "batch", clients=1, seconds=max(plan.seconds, 5), seed=_seed())
    lines, of_a_core = (each * BATCH_LINES for each in (batch.outcome.per_second, batch.per_processor_second))
    yield Row(f"POST batch, {BATCH_LINES:,} lines a call, one client", _pair(lines, of_a_core), goal="10,000/s")
    file = instance.data / "rows.ndjson"
    file.write_text("".join(f"{line}\n" for line in _lines(instance)))
    for what in (f"shipmend import, {IMPORTED:,} rows", "the same file again"):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        began = time.monotonic()
        command = [*on_core(0), sys.executable, "-m", "shipmend", "import", str(file)]
        subprocess.run(command, check=True, env=instance.environ, capture_output=True)
        took = time.monotonic() - began
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        yield Row(what, f"{_pair(IMPORTED / took, IMPORTED / used)}, its start included", goal="10,000/s")


def _lines(instance: Instance) -> Iterator[str]:
    for n in range(IMPORTED):
        path = instance.paths[n % len(instance.paths)]
        line = {
            "resource_path": path,
            "release_sha": f"{n:040x}",
            "released_at": 1_550_000_000 + n * 7,
            "name": f"v{n}",
        }
        yield json.dumps(line)


def _postgres(plan: Plan, folder: Path) -> Iterator[Row]:
    with postgres.server(folder / "server") as url:
        instance = populate(folder / "postgresql", DATABASE_URL=url)
        bound = postgres.pgbench(instance, url, clients=CLIENTS, seconds=plan.seconds * plan.rounds)
        runs = _rounds(plan, instance, ("release", "defect"))
    yield Row("PostgreSQL: pgbench, the statements of one release", f"{bound:,.0f}/s", "1")
    for kind, rate in runs.items():
        ratio = f"{rate.per_second / bound:.2f} times pgbench"
        yield Row(f"PostgreSQL: POST {kind}, {CLIENTS} clients", str(rate), ratio, "1,500/s; p99 50 ms")


def _start(instance: Instance) -> Iterator[Row]:
    took, memory = zip(*(started(instance) for _ in range(3)), strict=True)
    yield Row("start of `shipmend serve` with worker to its first answer", f"{min(took):.1f} s", goal="1.5 s")
    yield Row("its memory when idle", f"{max(memory) / MIB:.0f} MiB", goal="120 MiB")


def _rounds(plan: Plan, instance: Instance, kinds: tuple[str, ...], **more: str) -> dict[str, Rate]:
    """Every kind in turn, as often as planned, on one server."""
    runs: dict[str, list[Measured]] = {kind: [] for kind in kinds}
    with served(instance, **more) as server:
        for _ in range(plan.rounds):
            for kind in kinds:
                run = loaded(instance, server, kind, clients=CLIENTS, seconds=plan.seconds, seed=_seed())
                runs[kind].append(run)
    return {kind: Rate.of(each) for kind, each in runs.items()}


def _loop(plan: Plan, instance: Instance, kind: str) -> tuple[float, float]:
    per_second, of_a_core = json.loads(instance.run("-m", "bench.loops", kind, str(plan.seconds)))
    return per_second, of_a_core


def _seed() -> int:
    return time.monotonic_ns() >> 20 & 0xFFFFFFF


def _of(rate: Rate, other: Rate, name: str) -> str:
    clock, core = rate.per_second / other.per_second, rate.of_a_core / other.of_a_core
    return f"{clock:.2f} times {name} ({core:.2f} of a core)"


def _pair(per_second: float, of_a_core: float) -> str:
    return f"{per_second:,.0f}/s, {of_a_core:,.0f}/s of a core"


if __name__ == "__main__":
    main()

"""How fast history is read, beside git itself: `make bench-git REPO=…`.

Prints one table of ratios, all measured in this one run: a whole first index and attribution beside
`git log > /dev/null`, beside one git process a release, and beside PyDriller; then what comes after a push, and
what a commit costs on disk. REPO is a git directory or a clone, and is only read. `--million` makes a synthetic history
of a million commits first, where memory and scale show. Read the ratios: absolute figures are the machine's.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from bisect import bisect_left
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.attribution import git_dir_of
from bench.git_tasks import First, More

PYDRILLER_COMMITS = 3000
SUBPROCESS_RELEASES = 200
PUSHED = 100
MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table."""

    what: str
    measured: str
    goal: str = ""


@dataclass(frozen=True, slots=True)
class Pace:
    """When the commits of a synthetic history are made."""

    start: int = 1_200_000_000
    step: float = 300

    def at(self, number: int) -> int:
        """Epoch seconds."""
        return self.start + int(number * self.step)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("repo", type=Path, metavar="REPO", nargs="?")
    parser.add_argument("--million", action="store_true", help="a synthetic repository of a million commits")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="shipmend-bench-", dir=Path.cwd()) as folder:
        if given.million:
            upstream = synthetic(Path(folder) / "million.git", MILLION)
        elif given.repo:
            upstream = git_dir_of(given.repo)
        else:
            parser.error("say which repository, or --million")
        print(f"| {upstream} | measured | goal |\n|---|---|---|")
        for row in measure(upstream, Path(folder)):
            print(f"| {row.what} | {row.measured} | {row.goal} |", flush=True)


def measure(upstream: Path, folder: Path) -> list[Row]:
    """Every row, for one repository."""
    scratch = _stand_in(upstream, folder / "upstream.git")
    held_back = _hold_back(scratch)
    first = First(**_child("first", folder / "data", scratch))
    _put_back(scratch, held_back)
    more = More.read(_child("more", folder / "data", scratch))
    share = first.commits / 1e6
    return [
        Row("commits", f"{first.commits:,}"),
        Row("`git log > /dev/null`", f"{first.log:.2f} s", "1.00"),
        Row("whole first index, fetch apart", _ratio(first.index, first.log), "≤ 2, aim 1.5"),
        Row("the same in processor time, ours and git's together", _ratio(first.cpu, first.log_cpu)),
        Row("peak memory of that process", f"{first.memory / 2**20:.0f} MB", f"≤ {90 + 600 * share:.0f} MB"),
        Row("database", f"{first.database / max(first.commits, 1):.0f} bytes a commit", "≤ 220"),
        Row(
            f"attribution of {len(first.shas):,} releases",
            f"{first.attribute:.3f} s = {first.attribute / max(share, 1e-6):.2f} s per million commits",
            "≤ 0.3 s per million",
        ),
        Row("one git process a release, commit-graph written", _per_release(scratch, first.attribute, first.shas)),
        Row("PyDriller, beside the whole index", _pydriller(scratch, first.commits, first.index)),
        Row(f"{more.new} new commits read, stored and attributed, beyond the fetch", f"{more.push}", "≤ 100 ms"),
        Row("nothing new", f"{more.nothing}", "≤ 50 ms"),
        Row("a release's page, middle of 50", f"{more.page}", "≤ 100 ms"),
        Row("the slowest of them", f"{more.slowest_page}", "≤ 100 ms"),
    ]


def _ratio(seconds: float, limit: float) -> str:
    return f"{seconds:.2f} s = {seconds / limit:.2f} times git log"


def _git(git_dir: Path, *words: str, stdin: str = "") -> str:
    command = ["git", f"--git-dir={git_dir}", *words]
    return subprocess.run(command, check=True, capture_output=True, text=True, input=stdin).stdout.strip()


def _stand_in(upstream: Path, git_dir: Path) -> Path:
    """A repository with the branches and tags of another one, whose objects it borrows: also of a damaged one."""
    subprocess.run(["git", "init", "--quiet", "--bare", "--template=", str(git_dir)], check=True)
    (git_dir / "objects" / "info").mkdir(exist_ok=True)
    (git_dir / "objects" / "info" / "alternates").write_text(f"{upstream.resolve() / 'objects'}\n")
    refs = _git(upstream, "for-each-ref", "--format=create %(refname) %(objectname)", "refs/heads", "refs/tags")
    _git(git_dir, "update-ref", "--stdin", stdin=refs + "\n" if refs else "")
    _git(git_dir, "pack-refs", "--all")
    _git(git_dir, "-c", "commitGraph.generationVersion=1", "commit-graph", "write", "--reachable")
    _git(git_dir, "symbolic-ref", "HEAD", _default_branch(upstream, refs))
    return git_dir


def _default_branch(upstream: Path, refs: str) -> str:
    """What HEAD names, where that is there; otherwise the first branch."""
    there = [line.split()[1] for line in refs.splitlines() if line.split()[1].startswith("refs/heads/")]
    head = (upstream / "HEAD").read_text().strip().removeprefix("ref: ")
    return head if head in there or not there else there[0]


def _hold_back(git_dir: Path) -> dict[str, str]:
    """Take away the newest commits of the default branch, about PUSHED of them, for a push later: what to put back.

    The tags that hold one of them go with it and come back; other branches that do are left out altogether.
    """
    branch = _git(git_dir, "symbolic-ref", "HEAD")
    chain = _git(git_dir, "rev-list", "--first-parent", f"--max-count={PUSHED + 1}", branch).split()
    further = range(1, len(chain))
    at = bisect_left(further, PUSHED, key=lambda steps: _new(git_dir, branch, chain, steps))
    if at == len(further):
        return {}
    steps = further[at]
    ahead = _ahead(git_dir, chain[steps - 1])
    _git(git_dir, "update-ref", "--stdin", stdin="".join(f"delete {name}\n" for name in ahead if name != branch))
    _git(git_dir, "update-ref", branch, chain[steps])
    return _pushed(ahead, branch)


def _pushed(ahead: dict[str, str], branch: str) -> dict[str, str]:
    return {name: sha for name, sha in ahead.items() if name == branch or name.startswith("refs/tags/")}


def _ahead(git_dir: Path, sha: str) -> dict[str, str]:
    names = "--format=%(refname) %(objectname)"
    return dict(line.split() for line in _git(git_dir, "for-each-ref", names, f"--contains={sha}").splitlines())


def _new(git_dir: Path, branch: str, chain: list[str], steps: int) -> int:
    """How many commits would be new if the branch had been so many steps behind."""
    ahead = _ahead(git_dir, chain[steps - 1])
    kept = {line.split()[1] for line in _git(git_dir, "show-ref").splitlines()} - ahead.keys()
    known = "".join(f"^{name}\n" for name in (*kept, chain[steps]))
    pushed = "".join(f"{name}\n" for name in _pushed(ahead, branch))
    return int(_git(git_dir, "rev-list", "--count", "--stdin", stdin=pushed + known))


def _put_back(git_dir: Path, held_back: dict[str, str]) -> None:
    for name, sha in held_back.items():
        _git(git_dir, "update-ref", name, sha)


def _child(task: str, data: Path, upstream: Path) -> dict[str, Any]:
    """Run a task of bench.git_tasks in a process of its own, whose memory is then its own."""
    environ = {**os.environ, "PYTHONPATH": "src:."}
    command = [sys.executable, "-m", "bench.git_tasks", task, str(data), str(upstream)]
    output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environ).stdout
    found: dict[str, Any] = json.loads(output)
    return found


def _per_release(git_dir: Path, ours: float, shas: list[str]) -> str:
    """One `git rev-list R --not <all earlier>` for each of some releases, beside our one pass for all."""
    step = max(1, len(shas) // SUBPROCESS_RELEASES)
    asked = range(0, len(shas), step)
    began = time.monotonic()
    for place in asked:
        words = "\n".join([shas[place], *(f"^{sha}" for sha in shas[:place])])
        command = ["git", f"--git-dir={git_dir}", "rev-list", "--count", "--stdin"]
        subprocess.run(command, input=words, check=True, stdout=subprocess.DEVNULL, text=True)
    whole = (time.monotonic() - began) / max(len(asked), 1) * len(shas)
    return f"{whole:.2f} s for all ({len(asked)} asked) = {whole / max(ours, 1e-6):.0f} times ours"


def _pydriller(git_dir: Path, commits: int, ours: float) -> str:
    script = (
        "import sys, itertools, time; from pydriller import Repository\n"
        "began = time.monotonic()\n"
        f"seen = sum(1 for _ in itertools.islice(Repository(sys.argv[1]).traverse_commits(), {PYDRILLER_COMMITS}))\n"
        "print((time.monotonic() - began) / max(seen, 1))"
    )
    command = [sys.executable, "-W", "ignore", "-c", script, str(git_dir)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        return f"not measured: {done.stderr.strip().splitlines()[-1][:80]}"
    whole = float(done.stdout) * commits
    seen = min(PYDRILLER_COMMITS, commits)
    return f"{whole:.1f} s for all (by {seen} commits, reading alone) = {whole / ours:.0f} times ours"


def synthetic(git_dir: Path, commits: int, *, pace: Pace | None = None) -> Path:
    """A history made by fast-import: a trunk, a merged branch every ten commits, a hotfix tag now and then.

    Beside it in `marks`, the sha of each commit under its number.
    """
    pace = pace or Pace()
    subprocess.run(["git", "init", "--quiet", "--bare", "--initial-branch=main", str(git_dir)], check=True)
    marks = f"--export-marks={git_dir / 'marks'}"
    command = ["git", f"--git-dir={git_dir}", "fast-import", "--quiet", "--done", marks]
    process = subprocess.Popen(command, stdin=subprocess.PIPE)
    assert process.stdin is not None
    with process.stdin as stream:
        for number in range(1, commits + 1):
            stream.write(_synthetic_commit(number, pace).encode())
        stream.write(b"done\n")
    if process.wait():
        sys.exit("git fast-import failed")
    return git_dir


def _synthetic_commit(number: int, pace: Pace) -> str:
    """Every tenth commit merges a branch of one; every 400th is tagged, and every 4,000th tag is on a side branch."""
    branch = "refs/heads/side" if number % 10 == 9 else "refs/heads/main"
    message = f"PROJ-{number % 5000}: change number {number}\n\nBecause of what change {number - 1} left undone.\n"
    at = pace.at(number)
    lines = [
        f"commit {branch}",
        f"mark :{number}",
        f"author A{number % 300} <a{number % 300}@example.org> {at - 3000 * (1 + number % 97)} +0100",
        f"committer A{number % 300} <a{number % 300}@example.org> {at} +0100",
        f"data {len(message)}",
        message,
    ]
    if number % 10 == 9:
        lines.append(f"from :{number - 1}")
    elif number % 10 == 0:
        lines += [f"from :{number - 2}", f"merge :{number - 1}"]
    lines += [f"M 100644 inline f{number % 50}", f"data {len(str(number))}", str(number)]
    if number % 400 == 0:
        lines += [f"reset refs/tags/v{number // 400}", f"from :{number}", ""]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()

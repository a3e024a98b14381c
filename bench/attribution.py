"""Hold attribution and the ledger against git, on a real repository: `bench/verify_attribution.py REPO`.

REPO is a git directory or a clone; it is only read. Every tag on a commit is taken as a release at the time of the
tag. The commits are read and numbered by Shipmend's own git layer; what is true is asked of git, one process for each
question, in a scratch repository that borrows REPO's objects and has a commit-graph.

Git answers by dates, and where clocks were wrong it leaves over too much. Before an answer counts as different, git is
asked again with `--topo-order`, by which it goes by generation numbers and is exact.

Prints what was compared and how much of it differs, and how fast each side was. Ends with 1 when anything differs.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from pathlib import Path
from typing import TypeVar

from shipmend.core.ancestry import NONE, Parents
from shipmend.core.attribution import Attribution, StreamRelease
from shipmend.core.ledger import Fate, Ledger, LedgerEvent
from shipmend.core.lineage import Lineage
from shipmend.core.walks import difference
from shipmend.git.errors import GitError
from shipmend.git.mirror import Mirror
from shipmend.git.parse import CommitBatch

T = TypeVar("T")

ROUNDS = 5
GRAPH_SECONDS = 1800


def main() -> None:
    """Compare, print, and end with 1 when something differs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("repo", type=Path, metavar="REPO")
    parser.add_argument("--sample", type=int, default=200, help="how many commits, pairs and changes to try")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    try:
        project = Project.read(git_dir_of(given.repo))
    except GitError as error:  # some of its commits can't be read: git itself could not answer either
        sys.exit(f"{given.repo}: {error.for_people}")
    with tempfile.TemporaryDirectory(prefix="shipmend-verify-") as folder:
        report = verify(project, Oracle(Path(folder), project), random.Random(given.seed), given.sample)
    print("\n".join(report.lines))
    sys.exit(1 if report.differences else 0)


def git_dir_of(repo: Path) -> Path:
    """The git directory of a clone or of a further work tree, or the one given; whoever owns it."""
    asked = ("rev-parse", "--path-format=absolute", "--git-common-dir")
    command = ["git", "-c", "safe.directory=*", "-C", str(repo), *asked]
    found = subprocess.run(command, check=False, capture_output=True, text=True)
    if found.returncode:
        sys.exit(f"{repo} is no git directory, and no clone either.")
    return Path(found.stdout.strip())


@dataclass(slots=True)
class Project:
    """A repository as the index knows it, and its tags as releases."""

    git_dir: Path
    parents: Parents = field(default_factory=Parents)
    numbers: dict[str, int] = field(default_factory=dict)
    """Sha → number."""
    shas: list[str] = field(default_factory=lambda: [""])
    """By number."""
    tips: list[str] = field(default_factory=list)
    releases: list[StreamRelease] = field(default_factory=list)
    """As their stream orders them."""
    tags: int = 0

    @classmethod
    def read(cls, git_dir: Path) -> Project:
        """Everything that branches and tags reach."""
        project, mirror = cls(git_dir), Mirror(git_dir)
        refs = mirror.refs()
        project.tips = sorted(set(refs.tips.values()))
        authored: dict[str, int | None] = {}
        for batch in mirror.log(project.tips):
            project._add(batch)
            authored.update(zip(project.shas[-len(batch) :], batch.authored, strict=True))
        # A release without a time of its own has its commit's, as the service does it.
        dated = ((tag.sha, authored[tag.sha] if tag.at is None else tag.at) for tag in refs.tags)
        project.releases = sorted({StreamRelease(at, project.numbers[sha]) for sha, at in dated if at is not None})
        project.tags = len(refs.tags)
        return project

    def _add(self, batch: CommitBatch) -> None:
        for sha in batch.shas:
            self.numbers[sha.hex()] = len(self.shas)
            self.shas.append(sha.hex())
        known = [tuple(self.numbers[parent.hex()] for parent in parents) for parents in batch.parents]
        for commit, parents in enumerate(known, start=len(self.shas) - len(known)):
            if len(parents) > 2:
                self.parents.further[commit] = parents[2:]
        self.parents.extend(*([each[at] if len(each) > at else NONE for each in known] for at in (0, 1)))


class Oracle:
    """What git says; it takes and gives numbers, and calls no code of ours."""

    def __init__(self, folder: Path, project: Project) -> None:
        self._folder = folder
        self._numbers = project.numbers
        self._shas = project.shas
        self.misled = 0
        """How many answers by dates were wrong."""
        self._git("init", "--quiet", "--bare", "--template=", str(folder))
        (folder / "objects" / "info").mkdir(exist_ok=True)
        (folder / "objects" / "info" / "alternates").write_text(f"{project.git_dir / 'objects'}\n")
        refs = (f"create refs/tags/{each} {self._shas[each]}\n" for each in {r.commit for r in project.releases})
        self._git("update-ref", "--stdin", stdin="".join(refs))
        self._git("pack-refs", "--all")
        # Version 1, since with version 2 a commit dated before 1970 keeps git busy for ever.
        graph = ("-c", "commitGraph.generationVersion=1", "commit-graph", "write", "--no-progress", "--stdin-commits")
        self._git(*graph, stdin="".join(f"{tip}\n" for tip in project.tips), timeout=GRAPH_SECONDS)

    def without(self, commits: Iterable[int], excluded: Iterable[int], *, expected: list[int]) -> list[int]:
        """The commits that some of `commits` contain and none of `excluded`; ascending."""
        revisions = [*(self._shas[each] for each in commits), *(f"^{self._shas[each]}" for each in excluded)]
        listed = self._listed(revisions)
        if listed == expected:
            return listed
        exact = self._listed(revisions, "--topo-order")
        self.misled += listed != exact
        return exact

    def _listed(self, revisions: Iterable[str], *options: str) -> list[int]:
        listed = self._git("rev-list", *options, "--stdin", stdin="".join(f"{each}\n" for each in revisions))
        return sorted(self._numbers[sha] for sha in listed.split())

    def released_with(self, commit: int) -> set[int]:
        """The release commits that contain a commit."""
        return {int(name) for name in self._git("tag", "--contains", self._shas[commit]).split()}

    def released_in(self, commit: int) -> set[int]:
        """The release commits that a commit contains."""
        return {int(name) for name in self._git("tag", "--merged", self._shas[commit]).split()}

    def _git(self, *args: str, stdin: str = "", timeout: float | None = None) -> str:
        environment = {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_NO_REPLACE_OBJECTS": "1",
        }
        command = ["git", f"--git-dir={self._folder}", *args]
        return subprocess.run(
            command, check=True, capture_output=True, text=True, input=stdin, env=environment, timeout=timeout
        ).stdout


@dataclass(slots=True)
class Report:
    """What there is to print, and how many answers differed."""

    lines: list[str] = field(default_factory=list)
    differences: int = 0

    def compare(self, what: str, pairs: Iterable[tuple[object, object]]) -> None:
        """Ours beside git's."""
        same = [ours == truth for ours, truth in pairs]
        self.differences += same.count(False)
        self.lines.append(f"{what:58} {len(same):9,} compared {same.count(False):6,} differ")

    def say(self, what: str, value: str) -> None:
        self.lines.append(f"{what:58} {value}")


def verify(project: Project, oracle: Oracle, chance: random.Random, sample: int) -> Report:
    """Compare all there is of releases, and a sample of the rest."""
    report = Report()
    commits, releases = len(project.parents), [release.commit for release in project.releases]
    millions = max(commits, 1) / 1_000_000
    report.say("commits", f"{commits:9,}")
    report.say("releases", f"{len(releases):9,} from {project.tags:,} tags")
    lineage = Lineage(project.parents)
    attribution, attributed_in = timed(lambda: Attribution.derive(lineage, project.releases))
    ledger, ledger_in = timed(lambda: Ledger(project.parents, releases))

    began = git_seconds()
    report.compare("releases: git rev-list R --not all earlier", check_releases(project, attribution, oracle))
    asked_in = git_seconds() - began
    report.compare("in no release: git rev-list all --not releases", check_rest(project, attribution, ledger, oracle))
    some = chance.sample(range(1, commits + 1), min(sample, commits))
    some += sorted(some, key=lambda commit: -len(ledger.history_of(commit)))[: sample // 10]
    some += [releases[at] for at in picked(chance, len(releases), sample // 2)]
    report.compare("lives of commits: replay of git tag --contains", check_lives(ledger, releases, some, oracle))
    some = picked(chance, len(releases), sample // 2)
    report.compare("release notes: git rev-list R --not merged", check_notes(ledger, releases, some, oracle))
    pairs = list(zip(some, picked(chance, len(releases), sample // 2), strict=True))
    report.compare("between releases: git rev-list A --not B, B --not A", check_pairs(project, ledger, pairs, oracle))
    report.compare("late, deleted, late again: from scratch", check_changes(project, lineage, chance, sample))

    report.say("runs of commits", f"{sum(1 for _ in attribution):9,}")
    report.say("attribution, CPU seconds a million commits", f"{attributed_in / millions:9.3f}")
    report.say("ledger, CPU seconds a million commits", f"{ledger_in / millions:9.3f}")
    report.say("answers of git by dates that were wrong", f"{oracle.misled:9,}")
    report.say("attribution of all releases, CPU ms", f"{attributed_in * 1000:9.1f}")
    report.say("a git process for each release, CPU ms", f"{asked_in * 1000:9.1f}")
    report.say("ratio", f"{asked_in / max(attributed_in, 1e-6):9.0f}")
    return report


def timed(work: Callable[[], T]) -> tuple[T, float]:
    """The result and the CPU seconds, the best of some rounds."""
    rounds = []
    for _ in range(ROUNDS):
        began = time.process_time()
        result = work()
        rounds.append((time.process_time() - began, result))
    best, result = min(rounds, key=itemgetter(0))
    return result, best


def git_seconds() -> float:
    """CPU seconds that processes started from here have taken so far."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def picked(chance: random.Random, size: int, sample: int) -> list[int]:
    """Places below `size`, some of them perhaps twice."""
    return [chance.randrange(size) for _ in range(sample)] if size else []


def check_releases(project: Project, attribution: Attribution, oracle: Oracle) -> Iterator[tuple[list[int], list[int]]]:
    """The commits of each release."""
    owned: dict[StreamRelease, list[int]] = {release: [] for release in project.releases}
    for run in attribution:
        owned[run.value] += range(run.first, run.last + 1)
    earlier: dict[int, None] = {}
    for release in project.releases:
        ours = owned[release]
        yield ours, oracle.without([release.commit], earlier, expected=ours)
        earlier[release.commit] = None


def check_rest(
    project: Project, attribution: Attribution, ledger: Ledger, oracle: Oracle
) -> Iterator[tuple[list[int], list[int]]]:
    """What no release has, and what is live."""
    commits = range(1, len(project.shas))
    released = {release.commit for release in project.releases}
    tips = {project.numbers[tip] for tip in project.tips}
    rest = [commit for commit in commits if attribution.owner_of(commit) is None]
    yield rest, oracle.without(tips, released, expected=rest)
    yield sorted({commit for tip in tips for commit in ledger.not_released(tip)}), rest
    live = ledger.live_now()
    ours = [commit for commit in commits if live[commit]]
    yield ours, oracle.without([each.commit for each in project.releases[-1:]], [], expected=ours)


def check_lives(
    ledger: Ledger, releases: Sequence[int], commits: Iterable[int], oracle: Oracle
) -> Iterator[tuple[object, object]]:
    """When commits were shipped, withdrawn and returned."""
    for commit in commits:
        yield ledger.history_of(commit), tuple(replayed(releases, oracle.released_with(commit)))


def replayed(releases: Sequence[int], containing: set[int]) -> Iterator[LedgerEvent]:
    """The life of a commit that is in the releases of these commits."""
    was_live, was_shipped = False, False
    for at, release in enumerate(releases):
        is_live = release in containing
        if is_live and not was_live:
            yield LedgerEvent(at, Fate.RETURNED if was_shipped else Fate.SHIPPED)
        if was_live and not is_live:
            yield LedgerEvent(at, Fate.WITHDRAWN)
        was_live, was_shipped = is_live, was_shipped or is_live


def check_notes(
    ledger: Ledger, releases: Sequence[int], some: Iterable[int], oracle: Oracle
) -> Iterator[tuple[object, object]]:
    """What releases have that no earlier release merged into them has."""
    for at in some:
        merged = oracle.released_in(releases[at]).intersection(releases[:at])
        ours = ledger.since_ancestors(at)
        yield ours, oracle.without([releases[at]], merged, expected=ours)


def check_pairs(
    project: Project, ledger: Ledger, pairs: Iterable[tuple[int, int]], oracle: Oracle
) -> Iterator[tuple[object, object]]:
    """What changed from one release to another, by the ledger and by the walk that needs none."""
    for before, after in pairs:
        old, new = project.releases[before].commit, project.releases[after].commit
        ours = ledger.between(before, after)
        by_git = (
            oracle.without([new], [old], expected=ours.added),
            oracle.without([old], [new], expected=ours.removed),
        )
        yield ours, by_git
        yield difference(project.parents, old, new), by_git


def check_changes(
    project: Project, lineage: Lineage, chance: random.Random, sample: int
) -> Iterator[tuple[object, object]]:
    """The runs after releases were taken away one by one, and after they came back in another order."""
    attribution = Attribution.derive(lineage, project.releases)
    whole = list(attribution)
    taken = chance.sample(project.releases, min(sample, len(project.releases)))
    for release in taken:
        attribution.remove(release)
    yield list(attribution), list(Attribution.derive(lineage, set(project.releases).difference(taken)))
    for release in chance.sample(taken, len(taken)):
        attribution.insert(release)
    yield list(attribution), whole


if __name__ == "__main__":
    main()

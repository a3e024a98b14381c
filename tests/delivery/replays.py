"""Where commits stand by the definition: what was live after each release that stands, as sets that git gives."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from shipmend.core.live import State
from tests.gitworld import GitRepo

Answer = tuple[str, State, int | None, str | None, int | None, int, int]
"""Environment, state, since, the release's id, when first live, commits, and how many of them are live."""


@dataclass(frozen=True, order=True)
class Standing:
    """A release that stands, in the order of its stream: `number` is its commit's."""

    at: int
    number: int
    id: str
    sha: str


class Replay:
    """Of one repo, as its remote is now."""

    def __init__(self, git: GitRepo) -> None:
        self._git = git
        self._contained = cache(lambda sha: frozenset(git.git("rev-list", sha).split()))
        self._branch = git.git("rev-list", "--first-parent", "main").split()[::-1]
        self._held = frozenset(git.git("rev-list", "--all").split())

    def of(self, commits: Iterable[str], releases: Mapping[str, Sequence[Standing]]) -> list[Answer]:
        """Where the whole of some commits stands in each environment."""
        there = {name: each for name, each in releases.items() if each} or {"production": []}
        names = sorted(there, key=lambda name: (name != "production", name))
        return [(name, *self._in(list(commits), sorted(there[name]))) for name in names]

    def waiting(self, releases: Iterable[Standing]) -> dict[str, int]:
        """What waits for a release, merges apart: since when."""
        released = frozenset[str]().union(*(self._contained(each.sha) for each in releases))
        left = self._git.git("rev-list", "--no-merges", "main").split()
        return {sha: self._merged_at(sha) or 0 for sha in left if sha not in released}

    def _in(
        self, commits: list[str], releases: list[Standing]
    ) -> tuple[State, int | None, str | None, int | None, int, int]:
        turns = {commit: self._turns(commit, releases) for commit in commits}
        if len(commits) > 1:
            turns = {commit: each for commit, each in turns.items() if each or commit in self._held} or turns
        shipped = {commit: each for commit, each in turns.items() if each}
        if not shipped:
            return (*self._unshipped(list(turns)), None, None, len(turns), 0)
        live = [commit for commit in shipped if commit in self._contained(releases[-1].sha)]
        last = max(shipped[commit][-1] for commit in live or shipped)
        state = State.LIVE if len(live) == len(turns) else State.PARTLY_LIVE if live else State.WITHDRAWN
        first = max(each[0].at for each in shipped.values()) if len(shipped) == len(turns) else None
        return state, last.at, last.id, first, len(turns), len(live)

    def _turns(self, commit: str, releases: list[Standing]) -> list[Standing]:
        """The releases that made a difference to it."""
        found, was_there = [], False
        for release in releases:
            is_there = commit in self._contained(release.sha)
            if is_there != was_there:
                found.append(release)
            was_there = is_there
        return found

    def _unshipped(self, commits: list[str]) -> tuple[State, int | None]:
        times = [self._merged_at(commit) for commit in commits]
        if None in times:
            return State.NOT_MERGED, None
        return State.MERGED_NOT_RELEASED, max(time for time in times if time is not None)

    def _merged_at(self, commit: str) -> int | None:
        """The time of the first commit of the branch that contains it."""
        step = next((step for step in self._branch if commit in self._contained(step)), None)
        return None if step is None else int(self._git.git("log", "-1", "--format=%ct", step))

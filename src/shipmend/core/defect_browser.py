"""Looking through defects: in what order they stand, and what they add up to by repo."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from operator import attrgetter
from typing import NamedTuple

from shipmend.core.samples import sample


class Order(StrEnum):
    """How a list of defects is sorted; what is not given comes last either way."""

    OPEN_FIRST = ""
    """The open ones before all others, the newest first."""
    DETECTED = "detected"
    DETECTED_DOWN = "-detected"
    TOOK = "took"
    TOOK_DOWN = "-took"
    SEVERITY = "severity"
    SEVERITY_DOWN = "-severity"
    KEY = "key"
    KEY_DOWN = "-key"


class BrowsedDefect(NamedTuple):
    """A defect among others. Times are epoch seconds, repos go by their numbers."""

    key: str
    detected_at: int
    resolved_at: int | None
    severity: int | None
    own_repo: int | None
    fixes: Sequence[int] = ()
    """The repo of each fix that has a time."""

    @property
    def took(self) -> int | None:
        """Seconds until it was resolved; None while open, and where the fix is dated before the detection."""
        if self.resolved_at is None or self.resolved_at < self.detected_at:
            return None
        return self.resolved_at - self.detected_at


@dataclass(frozen=True, slots=True)
class RepoDefects:
    """What the defects that concern a repo add up to; None for those that concern no repo yet."""

    repo: int | None
    open: int
    resolved: int
    median_took: int | None
    """Whole seconds; of the resolved ones whose fix is not dated before their detection."""
    fixes: int
    not_held: int
    """Fixes that another one had to follow in the same repo."""

    @property
    def total(self) -> int:
        """All of them."""
        return self.open + self.resolved


def put_in_order(defects: Iterable[BrowsedDefect], order: Order) -> list[BrowsedDefect]:
    """The defects sorted. Ties are broken by detection, the newest first, and by key."""
    stable = sorted(defects, key=attrgetter("key"))
    stable.sort(key=attrgetter("detected_at"), reverse=True)
    word, descends = order.value.removeprefix("-"), order.value.startswith("-")
    if order is Order.OPEN_FIRST:
        return sorted(stable, key=lambda defect: defect.resolved_at is not None)
    if word == Order.KEY:
        return sorted(stable, key=attrgetter("key"), reverse=descends)
    value = attrgetter({"detected": "detected_at"}.get(word, word))
    placed = sorted((each for each in stable if value(each) is not None), key=value, reverse=descends)
    return placed + [each for each in stable if value(each) is None]


def by_repo(defects: Iterable[BrowsedDefect], repos: Iterable[int]) -> tuple[RepoDefects, ...]:
    """What the defects add up to in each of these repos that they concern, the most first; those of no repo last.

    A defect that concerns two repos counts in both.
    """
    within = frozenset(repos)
    sums: defaultdict[int | None, _Sums] = defaultdict(_Sums)
    for defect in defects:
        fixes = defect.fixes
        for repo in fixes if len(fixes) == 1 else set(fixes):
            if repo in within:
                sums[repo].add(defect, fixes.count(repo))
        if defect.own_repo not in fixes and (defect.own_repo in within or (defect.own_repo is None and not fixes)):
            sums[defect.own_repo].add(defect, 0)
    found = [each.added_up(repo) for repo, each in sums.items()]
    return tuple(sorted(found, key=lambda each: (each.repo is None, -each.total, each.repo)))


@dataclass(slots=True)
class _Sums:
    """Of the defects that concern a repo."""

    open: int = 0
    resolved: int = 0
    took: list[int] = field(default_factory=list)
    fixes: int = 0
    not_held: int = 0

    def add(self, defect: BrowsedDefect, fixes: int) -> None:
        """Count one that has so many fixes there."""
        if defect.resolved_at is None:
            self.open += 1
        else:
            self.resolved += 1
        if (took := defect.took) is not None:
            self.took.append(took)
        if fixes:
            self.fixes += fixes
            self.not_held += fixes - 1

    def added_up(self, repo: int | None) -> RepoDefects:
        took = sample(self.took)
        return RepoDefects(
            repo, self.open, self.resolved, int(took.median) if took else None, self.fixes, self.not_held
        )

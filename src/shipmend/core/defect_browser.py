"""Looking through defects: in what order they stand, and what they add up to by repo."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

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


class BrowsedFix(NamedTuple):
    """A fix with a time. Times are epoch seconds."""

    released_at: int
    repo_id: UUID
    authored_at: int | None = None
    """When its commit was; None where no commit is known, and where the release time is only taken from it."""

    @property
    def lead(self) -> int | None:
        """Seconds from its commit to its release; None where they can't be told."""
        if self.authored_at is None or self.authored_at > self.released_at:
            return None
        return self.released_at - self.authored_at


class BrowsedDefect(NamedTuple):
    """A defect among others. Times are epoch seconds."""

    id: UUID
    key: str
    detected_at: int
    resolved_at: int | None
    severity: int | None
    own_repo: UUID | None
    fixes: tuple[BrowsedFix, ...] = ()
    """The earliest first."""

    @property
    def took(self) -> int | None:
        """Seconds until it was resolved; None while open, and where the fix is dated before the detection."""
        if self.resolved_at is None or self.resolved_at < self.detected_at:
            return None
        return self.resolved_at - self.detected_at

    @property
    def repos(self) -> frozenset[UUID]:
        """Its own repo and those of its fixes."""
        own = () if self.own_repo is None else (self.own_repo,)
        return frozenset((*own, *(fix.repo_id for fix in self.fixes)))


@dataclass(frozen=True, slots=True)
class RepoDefects:
    """What the defects that concern a repo add up to; None for those that concern no repo yet."""

    repo_id: UUID | None
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
    stable = sorted(defects, key=lambda defect: (-defect.detected_at, defect.key))
    word, descends = order.value.removeprefix("-"), order.value.startswith("-")
    if order is Order.OPEN_FIRST:
        return sorted(stable, key=lambda defect: defect.resolved_at is not None)
    if word == Order.KEY:
        return sorted(stable, key=lambda defect: defect.key, reverse=descends)
    given = [(value, defect) for defect in stable if (value := _value(defect, word)) is not None]
    placed = sorted(given, key=lambda pair: -pair[0] if descends else pair[0])
    return [defect for _, defect in placed] + [defect for defect in stable if _value(defect, word) is None]


def by_repo(defects: Sequence[BrowsedDefect], repos: Iterable[UUID]) -> tuple[RepoDefects, ...]:
    """What the defects add up to in each of these repos that they concern, the most first; those of no repo last.

    A defect that concerns two repos counts in both.
    """
    within = frozenset(repos)
    concerned: defaultdict[UUID | None, list[BrowsedDefect]] = defaultdict(list)
    for defect in defects:
        for repo_id in (defect.repos & within) or ((None,) if not defect.repos else ()):
            concerned[repo_id].append(defect)
    found = [_added_up(repo_id, those) for repo_id, those in concerned.items()]
    return tuple(sorted(found, key=lambda each: (each.repo_id is None, -each.total, each.repo_id or UUID(int=0))))


def _added_up(repo_id: UUID | None, defects: Sequence[BrowsedDefect]) -> RepoDefects:
    took = sample(defect.took for defect in defects if defect.took is not None)
    fixes = [sum(fix.repo_id == repo_id for fix in defect.fixes) for defect in defects]
    resolved = sum(defect.resolved_at is not None for defect in defects)
    return RepoDefects(
        repo_id,
        open=len(defects) - resolved,
        resolved=resolved,
        median_took=int(took.median) if took else None,
        fixes=sum(fixes),
        not_held=sum(count - 1 for count in fixes if count),
    )


def _value(defect: BrowsedDefect, word: str) -> int | None:
    return {"detected": defect.detected_at, "took": defect.took, "severity": defect.severity}[word]

"""What the metrics are made of: releases, the commits they shipped, defects and their fixes, each judged once.

A row says whether it counts and, if not, why: figures sum up rows, and pages and audits list them, so both agree.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from operator import attrgetter
from typing import NamedTuple, TypeVar
from uuid import UUID

from shipmend.core.releases import Kind, Status
from shipmend.core.windows import Window


class Reason(StrEnum):
    """Why something is left out of a figure."""

    FAILED = "failed"
    CANCELLED = "cancelled"
    REDEPLOY = "redeploy"
    UNSETTLED = "unsettled"
    MERGE = "merge"
    BASELINE = "baseline"
    TIMELESS = "timeless"
    EARLY = "early"
    BACKWARD = "backward"


REASONS = {
    Reason.FAILED: "releases that failed",
    Reason.CANCELLED: "releases that were cancelled",
    Reason.REDEPLOY: "redeploys, which changed nothing",
    Reason.UNSETTLED: "releases whose commit has not been found",
    Reason.MERGE: "merges, whose commits count themselves",
    Reason.BASELINE: "commits of the first release of a stream, of which nobody knows when they were shipped",
    Reason.TIMELESS: "commits without a usable authorship time",
    Reason.EARLY: "commits authored after their release",
    Reason.BACKWARD: "defects whose fix is dated before their detection",
}


class ReleaseFact(NamedTuple):
    """A release with a time."""

    released_at: int
    """Epoch seconds."""
    id: UUID
    repo_id: UUID
    kind: Kind | None
    status: Status
    is_settled: bool
    """Whether its commit is `releases.SETTLED`."""
    undone_by: UUID | None = None
    """The first rollback that undid it (core.rollbacks)."""
    commit_number: int = -1
    """-1 where the history is not known."""
    sha: str = ""

    @property
    def reason(self) -> Reason | None:
        """Why it does not count; None when it does."""
        return why_not_counted(self.kind, self.status, is_settled=self.is_settled)


class LeadFact(NamedTuple):
    """The commits first shipped by one release: how long each took, and how many don't tell."""

    times: Sequence[int]
    """Seconds from authorship to release, ascending."""
    merges: int = 0
    timeless: int = 0
    early: int = 0
    baseline: int = 0

    @property
    def commits(self) -> int:
        """How many there are in all."""
        return len(self.times) + self.merges + self.timeless + self.early + self.baseline


class DefectFact(NamedTuple):
    """A critical defect, with the release that caused it as far as anybody knows."""

    id: UUID
    detected_at: int
    resolved_at: int | None
    places: frozenset[UUID]
    """The repos and organizations concerned: where it was found, and those of its fixes."""
    severity: int | None = None
    cause: UUID | None = None
    is_guess: bool = False
    cause_counts: bool = True
    """Whether that release counts in the environment of the facts: a guess does, one that was named may not."""
    key: str = ""

    @property
    def closed_at(self) -> int | None:
        """When it ceased to be open: never before its detection; None while it is."""
        return None if self.resolved_at is None else max(self.detected_at, self.resolved_at)


class FixFact(NamedTuple):
    """A released fix."""

    released_at: int
    id: UUID
    defect_id: UUID
    repo_id: UUID
    carried_by: UUID | None = None
    """The release that carried it."""
    commit_number: int = -1
    """-1 where its commit is not known."""
    sha: str = ""


class ReleaseRow(NamedTuple):
    """A release, judged."""

    at: int
    release: ReleaseFact
    reason: Reason | None
    """Why it is not counted; None when it is."""
    defects: tuple[UUID, ...]
    """Those that it caused, by detection."""
    is_guess: bool
    """Whether all of these are guesses."""
    fixes: tuple[UUID, ...]
    """Those that it carried, by the detection of their defects."""
    lead: LeadFact | None

    @property
    def is_undone(self) -> bool:
        """Whether a rollback undid it."""
        return self.release.undone_by is not None


class DefectRow(NamedTuple):
    """A defect and a time since its detection: until it was resolved, or until its first fix."""

    at: int
    defect: DefectFact
    seconds: int
    reason: Reason | None


class FixRow(NamedTuple):
    """A fix, judged."""

    at: int
    fix: FixFact
    defect: DefectFact
    is_holding: bool
    """Whether its repo needed no other fix for the same defect after it."""


Row = TypeVar("Row", ReleaseRow, DefectRow, FixRow)
Key = TypeVar("Key")
Each = TypeVar("Each")

# Those of one second stand as on a stream (core.streams), and defects by their keys. Ids, which are given in the order
# of arrival, part nothing that is ever stored.
_ORDER = attrgetter("released_at", "commit_number", "sha", "repo_id", "id")
"""Of releases, and of the fixes of one defect."""
_AT = attrgetter("at")
_DEFECT_ORDER = attrgetter("detected_at", "key", "id")
_FIX_ROW_ORDER = attrgetter("at", "fix.commit_number", "fix.sha", "fix.repo_id")
"""Of rows whose defects are in order."""


@dataclass(frozen=True, slots=True)
class Facts:
    """All that a window, a place or a group has, each list by time, and the same whatever was recorded first."""

    releases: Sequence[ReleaseRow]
    resolutions: Sequence[DefectRow]
    first_fixes: Sequence[DefectRow]
    fixes: Sequence[FixRow]
    defects: Sequence[DefectFact]
    """By detection. Not cut down by `within`: what is open at an instant was detected at any time before."""
    closings: Sequence[int] = ()
    """When those of them that are resolved ceased to be open, ascending: never before their detection."""

    def detected_before(self, instant: int) -> int:
        """How many of the defects were detected before an instant."""
        return bisect_left(self.defects, instant, key=attrgetter("detected_at"))

    def open_at(self, instant: int) -> int:
        """How many defects were detected before an instant and not resolved before it."""
        return self.detected_before(instant) - bisect_left(self.closings, instant)

    def which_open_at(self, instant: int) -> list[DefectFact]:
        """The same defects, by detection."""
        detected = self.defects[: self.detected_before(instant)]
        return [defect for defect in detected if (at := defect.closed_at) is None or at >= instant]

    def within(self, window: Window) -> Facts:
        """What happened in a window."""
        start, end = window.start, window.end
        return replace(
            self,
            releases=_between(self.releases, start, end),
            resolutions=_between(self.resolutions, start, end),
            first_fixes=_between(self.first_fixes, start, end),
            fixes=_between(self.fixes, start, end),
        )

    def of_place(self, place: UUID, repos: Collection[UUID]) -> Facts:
        """What concerns a repo, or an organization with its repos. A defect that concerns two belongs to both."""
        return replace(
            self._of_defects(lambda defect: place in defect.places),
            releases=[row for row in self.releases if row.release.repo_id in repos],
            fixes=[row for row in self.fixes if row.fix.repo_id in repos],
        )

    def by_place(self, home: Mapping[UUID, UUID]) -> dict[UUID, Facts]:
        """The same as `of_place` for many places at once: `home` has each repo's place, itself or its organization."""
        places = frozenset(home.values())
        releases = _sorted_out(self.releases, lambda row: [home[row.release.repo_id]])
        fixes = _sorted_out(self.fixes, lambda row: [home[row.fix.repo_id]] if row.fix.repo_id in home else [])
        parts = self._by_defects(lambda defect: defect.places & places)
        nothing = Facts((), (), (), (), ())
        return {
            place: replace(parts.get(place, nothing), releases=releases[place], fixes=fixes[place]) for place in places
        }

    def by_severity(self) -> dict[int | None, Facts]:
        """The defects of each severity, and no releases."""
        return self._by_defects(lambda defect: [defect.severity])

    def _by_defects(self, keys: Callable[[DefectFact], Iterable[Key]]) -> dict[Key, Facts]:
        resolutions = _sorted_out(self.resolutions, lambda row: keys(row.defect))
        first_fixes = _sorted_out(self.first_fixes, lambda row: keys(row.defect))
        fixes = _sorted_out(self.fixes, lambda row: keys(row.defect))
        defects = _sorted_out(self.defects, keys)
        return {
            key: Facts((), resolutions[key], first_fixes[key], fixes[key], those, _closings(those))
            for key, those in defects.items()
        }

    def _of_defects(self, is_wanted: Callable[[DefectFact], bool]) -> Facts:
        defects = [defect for defect in self.defects if is_wanted(defect)]
        return replace(
            self,
            resolutions=[row for row in self.resolutions if is_wanted(row.defect)],
            first_fixes=[row for row in self.first_fixes if is_wanted(row.defect)],
            fixes=[row for row in self.fixes if is_wanted(row.defect)],
            defects=defects,
            closings=_closings(defects),
        )


def judge(
    releases: Iterable[ReleaseFact],
    leads: Mapping[UUID, LeadFact],
    defects: Iterable[DefectFact],
    fixes: Iterable[FixFact],
) -> Facts:
    """Judge each release, defect and fix; in any order. A fix without a defect among them is left out."""
    known = {defect.id: defect for defect in sorted(defects, key=_DEFECT_ORDER)}
    of_defect: dict[UUID, list[FixFact]] = defaultdict(list)
    for fix in sorted(fixes, key=_ORDER):
        if fix.defect_id in known:
            of_defect[fix.defect_id].append(fix)
    fixed = [(defect, of_defect[defect.id]) for defect in known.values() if defect.id in of_defect]
    resolved = ((at, defect) for defect in known.values() if (at := defect.resolved_at) is not None)
    return Facts(
        releases=_release_rows(releases, leads, known.values(), (each for _, each in fixed)),
        resolutions=sorted((_defect_row(at, defect) for at, defect in resolved), key=_AT),
        first_fixes=sorted((_defect_row(each[0].released_at, defect) for defect, each in fixed), key=_AT),
        fixes=sorted((row for defect, each in fixed for row in _fix_rows(each, defect)), key=_FIX_ROW_ORDER),
        defects=list(known.values()),
        closings=_closings(known.values()),
    )


def why_not_counted(kind: Kind | None, status: Status, *, is_settled: bool) -> Reason | None:
    """Why a release does not count as a deployment; None when it does."""
    if status is Status.FAILED:
        return Reason.FAILED
    if status is Status.CANCELLED:
        return Reason.CANCELLED
    if not is_settled:
        return Reason.UNSETTLED
    return Reason.REDEPLOY if kind is Kind.REDEPLOY else None


def _release_rows(
    releases: Iterable[ReleaseFact],
    leads: Mapping[UUID, LeadFact],
    defects: Iterable[DefectFact],
    fixes: Iterable[Sequence[FixFact]],
) -> list[ReleaseRow]:
    caused: dict[UUID, list[DefectFact]] = defaultdict(list)
    for defect in defects:
        if defect.cause is not None:
            caused[defect.cause].append(defect)
    carried: dict[UUID, list[UUID]] = defaultdict(list)
    for of_defect in fixes:
        for fix in of_defect:
            if fix.carried_by is not None:
                carried[fix.carried_by].append(fix.id)
    rows = []
    for release in sorted(releases, key=_ORDER):
        blamed = caused.get(release.id, ())
        rows.append(
            ReleaseRow(
                release.released_at,
                release,
                release.reason,
                tuple(defect.id for defect in blamed),
                all(defect.is_guess for defect in blamed),
                tuple(carried.get(release.id, ())),
                leads.get(release.id),
            )
        )
    return rows


def _defect_row(at: int, defect: DefectFact) -> DefectRow:
    seconds = at - defect.detected_at
    return DefectRow(at, defect, seconds, Reason.BACKWARD if seconds < 0 else None)


def _closings(defects: Iterable[DefectFact]) -> list[int]:
    return sorted(at for defect in defects if (at := defect.closed_at) is not None)


def _fix_rows(fixes: Sequence[FixFact], defect: DefectFact) -> Iterable[FixRow]:
    last = {fix.repo_id: fix.id for fix in fixes}
    return (FixRow(fix.released_at, fix, defect, last[fix.repo_id] == fix.id) for fix in fixes)


def _sorted_out(rows: Iterable[Each], keys: Callable[[Each], Iterable[Key]]) -> defaultdict[Key, list[Each]]:
    """The rows of each key, in their order."""
    found: defaultdict[Key, list[Each]] = defaultdict(list)
    for row in rows:
        for key in keys(row):
            found[key].append(row)
    return found


def _between(rows: Sequence[Row], start: int, end: int) -> Sequence[Row]:
    return rows[bisect_left(rows, start, key=_AT) : bisect_left(rows, end, key=_AT)]

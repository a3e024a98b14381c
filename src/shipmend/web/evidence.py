"""The rows behind a figure: each with why it is counted, in the numerator, or left out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import NamedTuple
from uuid import UUID

from shipmend.core.dora import is_failure
from shipmend.core.facts import DefectFact, DefectRow, Facts, FixRow, Reason, ReleaseRow
from shipmend.core.metrics import INFO, Metric, Unit
from shipmend.core.values import ResourcePath
from shipmend.core.windows import Window
from shipmend.reports.load import Ground
from shipmend.web.addresses import defect_address, release_address


class Verdict(StrEnum):
    """What became of a row in the figure."""

    NUMERATOR = "in_numerator"
    COUNTED = "counted"
    LEFT = "left_out"


VERDICTS = {Verdict.NUMERATOR: "in the numerator", Verdict.COUNTED: "counted", Verdict.LEFT: "left out"}
WHY_LEFT = {
    Reason.FAILED: "failed, so it changed nothing",
    Reason.CANCELLED: "cancelled, so it changed nothing",
    Reason.REDEPLOY: "a redeploy, which changed nothing",
    Reason.UNSETTLED: "its commit has not been found",
    Reason.MERGE: "a merge, whose commits count themselves",
    Reason.BASELINE: "in the first release of its stream: nobody knows when it was shipped",
    Reason.TIMELESS: "has no usable authorship time",
    Reason.EARLY: "authored after its release",
    Reason.BACKWARD: "its fix is dated before its detection",
}


@dataclass(frozen=True, slots=True)
class Piece:
    """A few words, perhaps with a page to open."""

    text: str
    address: str = ""


@dataclass(frozen=True, slots=True)
class Evidence:
    """A row behind a figure."""

    at: int
    """Epoch seconds: when it counts."""
    id: str
    title: Piece
    path: ResourcePath | None
    verdict: Verdict
    why: tuple[Piece, ...] = ()
    seconds: int | None = None
    """What it took."""
    author: str = ""

    @property
    def verdict_words(self) -> str:
        """What became of it."""
        return VERDICTS[self.verdict]

    @property
    def reason(self) -> str:
        """Why, as plain text."""
        return " ".join(piece.text for piece in self.why)


class Judged(NamedTuple):
    """A row with its verdict; it is told only when it is shown, since of thousands a page shows few."""

    verdict: Verdict
    tell: Callable[[], Evidence]


def evidence(ground: Ground, metric: Metric, window: Window, facts: Facts) -> list[Judged]:
    """The rows of a figure that is not made of commits, the latest first."""
    return list(_ROWS[metric](_Rows(ground, metric), facts.within(window), window))[::-1]


def has_numerator(metric: Metric) -> bool:
    """Whether some of its rows are a part of the others."""
    return INFO[metric].unit is Unit.SHARE


class _Rows:
    """Makes rows of one metric."""

    def __init__(self, ground: Ground, metric: Metric) -> None:
        self._ground = ground
        self._metric = metric
        self._paths = ground.paths
        self._defect_of_fix = {row.fix.id: row.defect.id for row in ground.facts.fixes}

    def releases(self, facts: Facts, _window: Window) -> Iterator[Judged]:
        for row in facts.releases:
            part = Verdict.NUMERATOR if self._is_part(row) else Verdict.COUNTED
            verdict = Verdict.LEFT if row.reason else part
            yield Judged(verdict, partial(self._release, row, verdict))

    def _is_part(self, row: ReleaseRow) -> bool:
        if self._metric is Metric.CHANGE_FAIL_RATE:
            return is_failure(row, self._ground.rules)
        return self._metric is Metric.REWORK_RATE and bool(row.fixes)

    def _release(self, row: ReleaseRow, verdict: Verdict) -> Evidence:
        path, record = self._paths[row.release.repo_id], self._ground.releases[row.release.id]
        title = Piece(record.title, release_address(path, record.id))
        why = [Piece(WHY_LEFT[row.reason])] if row.reason else []
        if self._metric is Metric.CHANGE_FAIL_RATE:
            why += [*self._blame(row), *self._undoing(row)]
        elif self._metric is Metric.REWORK_RATE:
            why += self._repairs(row)
        return Evidence(row.at, str(record.id), title, path, verdict, tuple(why))

    def _blame(self, row: ReleaseRow) -> Iterator[Piece]:
        if row.defects:
            yield Piece("caused")
        for defect_id in row.defects:
            yield self._defect(defect_id)
            yield Piece(f"({self._ground.causes[defect_id].kind})")

    def _undoing(self, row: ReleaseRow) -> Iterator[Piece]:
        rollback = row.release.undone_by
        if rollback:
            known = self._ground.releases.get(rollback)
            yield Piece("undone by")
            yield Piece(
                known.title if known else "a rollback", release_address(self._paths[row.release.repo_id], rollback)
            )
            if not self._ground.rules.rollbacks_fail:
                yield Piece("(which is no failure by this entity's setting)")

    def _repairs(self, row: ReleaseRow) -> Iterator[Piece]:
        if row.fixes:
            yield Piece("carries a fix of")
            yield from map(self._defect, dict.fromkeys(self._defect_of_fix[fix] for fix in row.fixes))

    def resolutions(self, facts: Facts, _window: Window) -> Iterator[Judged]:
        return (self._since_detection(row, "resolved") for row in facts.resolutions)

    def first_fixes(self, facts: Facts, _window: Window) -> Iterator[Judged]:
        return (self._since_detection(row, "first fixed") for row in facts.first_fixes)

    def _since_detection(self, row: DefectRow, done: str) -> Judged:
        verdict = Verdict.LEFT if row.reason else Verdict.COUNTED
        return Judged(verdict, partial(self._timed, row, done, verdict))

    def _timed(self, row: DefectRow, done: str, verdict: Verdict) -> Evidence:
        said = WHY_LEFT[row.reason] if row.reason else done
        return self._of_defect(row.at, row.defect, verdict, said, row.seconds)

    def fixes(self, facts: Facts, _window: Window) -> Iterator[Judged]:
        for row in facts.fixes:
            verdict = Verdict.COUNTED if row.is_holding else Verdict.NUMERATOR
            yield Judged(verdict, partial(self._fix, row, verdict))

    def _fix(self, row: FixRow, verdict: Verdict) -> Evidence:
        said = "held" if row.is_holding else "the same repo needed another one after it"
        repo_id = row.fix.repo_id
        return self._of_defect(row.at, row.defect, verdict, said, row.at - row.defect.detected_at, repo_id)

    def open(self, facts: Facts, window: Window) -> Iterator[Judged]:
        for defect in facts.which_open_at(window.end):
            row = partial(self._of_defect, defect.detected_at, defect, Verdict.COUNTED, "detected then", None)
            yield Judged(Verdict.COUNTED, row)

    def _of_defect(
        self,
        at: int,
        defect: DefectFact,
        verdict: Verdict,
        said: str,
        seconds: int | None,
        repo_id: UUID | None = None,
    ) -> Evidence:
        record = self._ground.defects[defect.id]
        where = repo_id or record.repo_id
        path = self._paths.get(where) if where else None
        return Evidence(at, record.key, self._defect(defect.id), path, verdict, (Piece(said),), seconds)

    def _defect(self, defect_id: UUID) -> Piece:
        key = self._ground.defects[defect_id].key
        return Piece(key, defect_address(self._ground.place.tenant.slug, key))


_ROWS: dict[Metric, Callable[[_Rows, Facts, Window], Iterator[Judged]]] = {
    Metric.DEPLOYMENT_FREQUENCY: _Rows.releases,
    Metric.CHANGE_FAIL_RATE: _Rows.releases,
    Metric.REWORK_RATE: _Rows.releases,
    Metric.RECOVERY_TIME: _Rows.resolutions,
    Metric.TIME_TO_FIRST_FIX: _Rows.first_fixes,
    Metric.FIXES_NOT_HOLDING: _Rows.fixes,
    Metric.OPEN_DEFECTS: _Rows.open,
}

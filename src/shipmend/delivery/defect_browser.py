"""The defects of a place to look through: a fixed number of queries, however many there are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Exists, OuterRef

from shipmend.catalog.models import Repo
from shipmend.catalog.queries import Place, Tenant
from shipmend.core.causes import Case, Cause, CauseKind, Standing, Verdict, decide_cause, repos_concerned
from shipmend.core.defect_browser import BrowsedDefect, BrowsedFix, Order, RepoDefects, by_repo, put_in_order
from shipmend.core.defects import DefectState
from shipmend.db.sql import Row, Statement
from shipmend.delivery.causes import candidates_for, cause_window
from shipmend.delivery.models import Release
from shipmend.delivery.queries import Page, defects_of_place, views_of_defects
from shipmend.delivery.views import DefectView

_FIXES = Statement(
    "SELECT f.defect_id, f.repo_id, f.released_at, CASE WHEN f.time_from_commit THEN NULL ELSE c.authored_at END"
    " FROM delivery_defectfix f JOIN catalog_repo r ON r.id = f.repo_id LEFT JOIN catalog_repo s ON s.id = r.source_id"
    " LEFT JOIN history_commit c ON c.entity_id = f.entity_id AND c.repo_number = COALESCE(s.number, r.number)"
    " AND c.id = f.commit_number"
    " WHERE f.entity_id = ? AND f.commit_state <> 'rejected' ORDER BY f.released_at, f.repo_id"
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which defects to show, and how. None is all of them; times are epoch seconds, `end` the first one left out."""

    start: int | None = None
    end: int | None = None
    state: DefectState | None = None
    severity: int | None = None
    cause: CauseKind | None = None
    order: Order = Order.OPEN_FIRST


@dataclass(frozen=True, slots=True)
class BrowsedRow:
    """A defect of the page."""

    defect: DefectView
    cause: Cause


@dataclass(frozen=True, slots=True)
class Browsed:
    """The defects wanted of a place."""

    rows: Page[BrowsedRow]
    found: tuple[BrowsedDefect, ...]
    """All of them, in order."""
    by_repo: tuple[tuple[Repo | None, RepoDefects], ...]

    @property
    def open(self) -> int:
        """How many are open."""
        return sum(defect.resolved_at is None for defect in self.found)


def browse(place: Place, repos: Sequence[Repo], wanted: Wanted, *, page: int, size: int) -> Browsed:
    """Look through the defects found at or below a place, or with a fix there. `repos` are all that lie there."""
    tenant = place.tenant
    every = _defects(place)
    causes = _causes(tenant, every, cause_window(tenant))
    fitting = [each.defect._replace(cause=causes[each.defect.id].kind) for each in every if _fits(each.defect, wanted)]
    found = put_in_order((each for each in fitting if wanted.cause in (None, each.cause)), wanted.order)
    shown = found[(page - 1) * size : page * size]
    views = {view.id: view for view in views_of_defects(tenant, [each.id for each in shown])}
    rows = tuple(BrowsedRow(views[each.id], causes[each.id]) for each in shown if each.id in views)
    known = {repo.id: repo for repo in repos}
    return Browsed(
        rows=Page(rows, page, size, len(found)),
        found=tuple(found),
        by_repo=tuple((known.get(each.repo_id) if each.repo_id else None, each) for each in by_repo(found, known)),
    )


@dataclass(frozen=True, slots=True)
class _Read:
    """A defect as it is read, before its cause is decided."""

    defect: BrowsedDefect
    case: Case


def _fits(defect: BrowsedDefect, wanted: Wanted) -> bool:
    if wanted.state is not None and (defect.resolved_at is None) != (wanted.state is DefectState.OPEN):
        return False
    if wanted.severity is not None and defect.severity != wanted.severity:
        return False
    starts = wanted.start is None or defect.detected_at >= wanted.start
    return starts and (wanted.end is None or defect.detected_at < wanted.end)


def _defects(place: Place) -> list[_Read]:
    there = Release.objects.filter(entity_id=place.tenant.id, id=OuterRef("cause_release_id"), deleted_at=None)
    rows = (
        defects_of_place(place)
        .annotate(cause_is_there=Exists(there))
        .values_list(
            "id",
            "defect_key",
            "detected_at",
            "resolved_at",
            "severity",
            "repo_id",
            "cause_standing",
            "cause_release_id",
            "cause_is_there",
        )
    )
    fixes, fixed = _fixes(place.tenant)
    return [_read(row, fixes.get(row[0], []), fixed.get(row[0], set())) for row in rows]


def _read(row: Row, fixes: list[BrowsedFix], fixed: set[UUID]) -> _Read:
    defect_id, key, detected_at, resolved_at, severity, repo_id, standing, release_id, is_there = row
    verdict = Verdict(Standing(standing), release_id, is_there)
    defect = BrowsedDefect(
        defect_id, key, detected_at, resolved_at, severity, CauseKind.UNATTRIBUTED, repo_id, tuple(fixes)
    )
    return _Read(defect, Case(detected_at, repos_concerned(repo_id, fixed), verdict))


def _fixes(tenant: Tenant) -> tuple[dict[UUID, list[BrowsedFix]], dict[UUID, set[UUID]]]:
    """By defect, the fixes that have a time, and the repos of all of them."""
    fixes: defaultdict[UUID, list[BrowsedFix]] = defaultdict(list)
    fixed: defaultdict[UUID, set[UUID]] = defaultdict(set)
    for defect_id, repo_id, released_at, authored_at in _FIXES.rows(tenant.id):
        fixed[defect_id].add(repo_id)
        if released_at is not None:
            fixes[defect_id].append(BrowsedFix(released_at, repo_id, authored_at))
    return fixes, fixed


def _causes(tenant: Tenant, read: list[_Read], window: int) -> dict[UUID, Cause]:
    candidates = candidates_for(tenant, {each.defect.id: each.case for each in read}, window)
    return {each.defect.id: decide_cause(each.case, candidates, window) for each in read}

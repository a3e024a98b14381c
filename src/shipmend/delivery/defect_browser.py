"""The defects of a place to look through: a fixed number of queries, however many there are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from django.db.models import Exists, OuterRef

from shipmend.catalog.models import Repo
from shipmend.catalog.queries import Place, Tenant
from shipmend.core.causes import Case, Cause, CauseKind, Standing, Verdict, decide_cause, repos_concerned
from shipmend.core.defect_browser import BrowsedDefect, BrowsedFix, Order, RepoDefects, by_repo, put_in_order
from shipmend.core.defects import DefectState
from shipmend.db.sql import Statement
from shipmend.delivery.causes import candidates_for, cause_window
from shipmend.delivery.models import Release
from shipmend.delivery.queries import Page, between, defects_of_place, views_of_defects
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
    every = _defects(place, wanted)
    read = {each.defect.id: each for each in every}
    window = cause_window(tenant)
    causes = _causes(tenant, every, window) if wanted.cause else {}
    fitting = (each.defect for each in every if not wanted.cause or causes[each.defect.id].kind is wanted.cause)
    found = put_in_order(fitting, wanted.order)
    shown = [each.id for each in found[(page - 1) * size : page * size]]
    if not wanted.cause:  # only those that are seen: to decide all takes every release of the entity
        causes = _causes(tenant, [read[each] for each in shown], window)
    views = {view.id: view for view in views_of_defects(tenant, shown)}
    rows = tuple(BrowsedRow(views[each], causes[each]) for each in shown if each in views)
    known = {repo.id: repo for repo in repos}
    return Browsed(
        rows=Page(rows, page, size, len(found)),
        found=tuple(found),
        by_repo=tuple((known.get(each.repo_id) if each.repo_id else None, each) for each in by_repo(found, known)),
    )


class _Read(NamedTuple):
    """A defect as it is read, and what its cause rests on besides."""

    defect: BrowsedDefect
    fixed: Collection[UUID]
    """The repos of all its fixes, of those without a time too."""
    said: tuple[str, UUID | None, bool]
    """The columns of a verdict."""

    @property
    def case(self) -> Case:
        """What its cause rests on."""
        standing, release_id, is_there = self.said
        concerned = repos_concerned(self.defect.own_repo, self.fixed)
        return Case(self.defect.detected_at, concerned, Verdict(Standing(standing), release_id, is_there))


def _defects(place: Place, wanted: Wanted) -> list[_Read]:
    there = Release.objects.filter(entity_id=place.tenant.id, id=OuterRef("cause_release_id"), deleted_at=None)
    found = between(defects_of_place(place), "detected_at", wanted.start, wanted.end)
    if wanted.state is not None:
        found = found.filter(resolved_at__isnull=wanted.state is DefectState.OPEN)
    if wanted.severity is not None:
        found = found.filter(severity=wanted.severity)
    rows = found.annotate(cause_is_there=Exists(there)).values_list(
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
    fixes, fixed = _fixes(place.tenant)
    return [
        _Read(
            BrowsedDefect(id_, key, detected_at, resolved_at, severity, own_repo, tuple(fixes.get(id_, ()))),
            fixed.get(id_, ()),
            (standing, release_id, is_there),
        )
        for id_, key, detected_at, resolved_at, severity, own_repo, standing, release_id, is_there in rows
    ]


def _fixes(tenant: Tenant) -> tuple[dict[UUID, list[BrowsedFix]], dict[UUID, set[UUID]]]:
    """By defect, the fixes that have a time, and the repos of all of them."""
    fixes: defaultdict[UUID, list[BrowsedFix]] = defaultdict(list)
    fixed: defaultdict[UUID, set[UUID]] = defaultdict(set)
    for defect_id, repo_id, released_at, authored_at in _FIXES.rows(tenant.id):
        fixed[defect_id].add(repo_id)
        if released_at is not None:
            fixes[defect_id].append(BrowsedFix(released_at, repo_id, authored_at))
    return fixes, fixed


def _causes(tenant: Tenant, read: Iterable[_Read], window: int) -> dict[UUID, Cause]:
    cases = {each.defect.id: each.case for each in read}
    candidates = candidates_for(tenant, cases, window)
    return {defect_id: decide_cause(case, candidates, window) for defect_id, case in cases.items()}

"""The defects of a place to look through: a fixed number of queries, however many there are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from heapq import nlargest
from operator import attrgetter

from django.db.models import FilteredRelation, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from shipmend.catalog.models import Repo
from shipmend.catalog.queries import Place, Tenant
from shipmend.core.causes import Cause, CauseKind
from shipmend.core.defect_browser import BrowsedDefect, Order, RepoDefects, by_repo, put_in_order
from shipmend.core.defects import DefectState
from shipmend.delivery.causes import causes_of
from shipmend.delivery.models import CriticalDefect, DefectFix
from shipmend.delivery.queries import Page, between, defects_of_place, views_of_defects
from shipmend.delivery.views import DefectView
from shipmend.history.models import Commit

LATEST = 200
"""Defects to draw: of more, those detected last."""


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
class DrawnDefect:
    """A defect for the pictures."""

    defect: BrowsedDefect
    leads: tuple[int, ...]
    """Of its fixes whose commit is known: seconds from there to the release."""


@dataclass(frozen=True, slots=True)
class Browsed:
    """The defects wanted of a place."""

    rows: Page[BrowsedRow]
    open: int
    """How many of all are open."""
    latest: tuple[DrawnDefect, ...]
    """The last ones to be detected, at most `LATEST`."""
    by_repo: tuple[tuple[Repo | None, RepoDefects], ...]


def browse(place: Place, repos: Sequence[Repo], wanted: Wanted, *, page: int, size: int) -> Browsed:
    """Look through the defects found at or below a place, or with a fix there. `repos` are all that lie there."""
    tenant = place.tenant
    some = _wanted(place, wanted)
    every = _defects(tenant, some)
    if wanted.cause:
        keys = _keys_caused(tenant, some, wanted.cause)
        every = [defect for defect in every if defect.key in keys]
    found = put_in_order(every, wanted.order)
    known = {repo.number: repo for repo in repos}
    return Browsed(
        rows=_page(tenant, found, page, size),
        open=sum(defect.resolved_at is None for defect in found),
        latest=_drawn(tenant, found),
        by_repo=tuple((None if each.repo is None else known[each.repo], each) for each in by_repo(found, known)),
    )


def _wanted(place: Place, wanted: Wanted) -> QuerySet[CriticalDefect]:
    """But for the cause, which only a look at the releases tells."""
    found = between(defects_of_place(place), "detected_at", wanted.start, wanted.end)
    if wanted.state is not None:
        found = found.filter(resolved_at__isnull=wanted.state is DefectState.OPEN)
    return found if wanted.severity is None else found.filter(severity=wanted.severity)


def _keys_caused(tenant: Tenant, some: QuerySet[CriticalDefect], kind: CauseKind) -> set[str]:
    causes = causes_of(tenant, some)
    return {key for id_, key in some.values_list("id", "defect_key") if causes[id_].kind is kind}


def _defects(tenant: Tenant, some: QuerySet[CriticalDefect]) -> list[BrowsedDefect]:
    """All of them with those of their fixes that have a time, in one query: a row for each fix, without any id."""
    in_time = Q(fixes__entity_id=tenant.id, fixes__released_at__isnull=False) & ~Q(fixes__commit_state="rejected")
    rows = some.annotate(fix=FilteredRelation("fixes", condition=in_time)).values_list(
        "defect_key",
        "detected_at",
        "resolved_at",
        "severity",
        "repo__number",
        "fix__repo__number",
    )
    found: dict[str, BrowsedDefect] = {}
    for key, detected_at, resolved_at, severity, own_repo, repo in rows:
        fixes = () if repo is None else (repo,)
        if key in found:
            fixes = (*found[key].fixes, *fixes)
        found[key] = BrowsedDefect(key, detected_at, resolved_at, severity, own_repo, fixes)
    return list(found.values())


def _page(tenant: Tenant, found: Sequence[BrowsedDefect], page: int, size: int) -> Page[BrowsedRow]:
    keys = [defect.key for defect in found[(page - 1) * size : page * size]]
    causes = causes_of(tenant, CriticalDefect.objects.filter(entity_id=tenant.id, defect_key__in=keys))
    views = {view.key: view for view in views_of_defects(tenant, causes)}
    rows = tuple(BrowsedRow(views[key], causes[views[key].id]) for key in keys if key in views)
    return Page(rows, page, size, len(found))


def _drawn(tenant: Tenant, found: Sequence[BrowsedDefect]) -> tuple[DrawnDefect, ...]:
    latest = nlargest(LATEST, found, key=attrgetter("detected_at"))
    commit = Commit.objects.filter(
        entity_id=OuterRef("entity_id"),
        repo_number=Coalesce(OuterRef("repo__source__number"), OuterRef("repo__number")),
        id=OuterRef("commit_number"),
    )
    fixes = DefectFix.objects.filter(
        entity_id=tenant.id,
        # Not by their keys straight away: SQLite would begin with all fixes of the entity.
        defect_id__in=CriticalDefect.objects.filter(
            entity_id=tenant.id, defect_key__in=[each.key for each in latest]
        ).values("id"),
        released_at__isnull=False,
        time_from_commit=False,  # a time taken from the commit tells nothing of the way from there
    ).exclude(commit_state="rejected")
    leads: defaultdict[str, list[int]] = defaultdict(list)
    rows = fixes.annotate(authored_at=Subquery(commit.values("authored_at")[:1])).order_by(
        "released_at", "repo_id", "commit_number"
    )
    for key, released_at, authored_at in rows.values_list("defect__defect_key", "released_at", "authored_at"):
        if authored_at is not None and authored_at <= released_at:
            leads[key].append(released_at - authored_at)
    return tuple(DrawnDefect(each, tuple(leads.get(each.key, ()))) for each in latest)

"""All that is known of a defect: its cause and what else it might be, its stages in each repo, and notes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q, QuerySet

from shipmend.catalog.queries import Place, Tenant
from shipmend.core.causes import HOUR, Case, Cause, Standing, Verdict, decide_cause
from shipmend.core.stages import Milestone, Stage, Work, first_activity, out_of_order, stages
from shipmend.core.tickets import normal
from shipmend.core.values import ResourcePath
from shipmend.delivery.causes import candidates_for, cases_of, cause_window
from shipmend.delivery.models import CriticalDefect, Release
from shipmend.delivery.ordering import latest_first
from shipmend.delivery.queries import get_defect
from shipmend.delivery.tickets import MOST_COMMITS, counting
from shipmend.delivery.verdicts import read_notes
from shipmend.delivery.views import DefectView, FixView, NamedRelease
from shipmend.history.indexed import IndexedRepo, commits_at, indexed_repos
from shipmend.history.tickets import commits_of_ticket

MOST_NAMEABLE = 40
"""Releases offered as causes: so many of the repos concerned, and as many of the others."""


@dataclass(frozen=True, slots=True)
class Suspect:
    """A release that caused the defect, or that may be named."""

    release: NamedRelease
    path: ResourcePath
    environment: str


@dataclass(frozen=True, slots=True)
class RepoStages:
    """How far a repo got with the defect."""

    path: ResourcePath
    stages: tuple[Stage, ...]
    out_of_order: tuple[Milestone, ...]
    fixes: int


@dataclass(frozen=True, slots=True)
class DefectPage:
    """A defect, for showing."""

    defect: DefectView
    standing: Standing
    """What somebody said of the cause."""
    cause: Cause
    guess: Cause
    """What is guessed, or would be if nobody had said anything."""
    suspects: dict[UUID, Suspect]
    """The releases of the two above, as far as they are there."""
    concerned: tuple[Suspect, ...]
    """Releases that may be named, of the repos concerned, the last before the detection first."""
    elsewhere: tuple[Suspect, ...]
    """And of the other repos."""
    repos: tuple[RepoStages, ...]
    notes: str
    window_hours: int

    @property
    def rival(self) -> Suspect | None:
        """The release that would be guessed, where another one, or none, was said to be the cause."""
        guessed = self.guess.release_id
        return self.suspects.get(guessed) if guessed and guessed != self.cause.release_id else None

    @property
    def blamed(self) -> Suspect | None:
        """The release that caused it, if any is known."""
        return self.suspects.get(self.cause.release_id) if self.cause.release_id else None


def read_defect_page(tenant: Tenant, key: str) -> DefectPage:
    """A defect of an entity. Raises NotFound. A fixed number of queries, and one for each part of a repo it is in."""
    defect = get_defect(tenant, key)
    case = cases_of(tenant, CriticalDefect.objects.filter(entity_id=tenant.id, id=defect.id))[defect.id]
    window = cause_window(tenant)
    candidates = candidates_for(tenant, {defect.id: case}, window)
    cause = decide_cause(case, candidates, window)
    guess = decide_cause(case._replace(verdict=Verdict()), candidates, window)
    return DefectPage(
        defect=defect,
        standing=case.verdict.standing,
        cause=cause,
        guess=guess,
        suspects=_suspects_by_id(tenant, [each.release_id for each in (cause, guess) if each.release_id]),
        concerned=_nameable(tenant, case, Q(repo_id__in=case.repos)),
        elsewhere=_nameable(tenant, case, ~Q(repo_id__in=case.repos)),
        repos=_repos(tenant, defect),
        notes=read_notes(tenant, defect.id),
        window_hours=window // HOUR,
    )


def _suspects_by_id(tenant: Tenant, ids: Collection[UUID]) -> dict[UUID, Suspect]:
    rows = Release.objects.filter(entity_id=tenant.id, id__in=ids)
    return {suspect.release.id: suspect for suspect in _suspects(tenant, rows)}


def _nameable(tenant: Tenant, case: Case, where: Q) -> tuple[Suspect, ...]:
    rows = Release.objects.filter(where, entity_id=tenant.id, deleted_at=None, released_at__lte=case.detected_at)
    return _suspects(tenant, latest_first(rows, take=MOST_NAMEABLE))


def _suspects(tenant: Tenant, releases: QuerySet[Release]) -> tuple[Suspect, ...]:
    return tuple(
        Suspect(
            NamedRelease(row.id, row.name, row.release_sha, row.released_at),
            ResourcePath(tenant.slug, row.repo.organization.slug, row.repo.slug),
            row.environment,
        )
        for row in releases.select_related("repo__organization")
    )


def _repos(tenant: Tenant, defect: DefectView) -> tuple[RepoStages, ...]:
    """Those that have a fix, or commits that speak of the defect since its detection, and its own."""
    repos = indexed_repos(Place(tenant, ResourcePath(tenant.slug)))
    fixes: defaultdict[UUID, list[FixView]] = defaultdict(list)
    for fix in defect.fixes:
        if fix.commit_state != "rejected":
            fixes[fix.repo_id].append(fix)
    authored = _authored(tenant, repos, normal(defect.key), fixes)
    found = (_stages(repo, defect, fixes.get(repo.ref.id, ()), authored.get(repo.ref.id, {})) for repo in repos)
    return tuple(each for each in found if each)


def _stages(
    repo: IndexedRepo, defect: DefectView, fixes: Sequence[FixView], authored: dict[int, int | None]
) -> RepoStages | None:
    activity = first_activity(defect.detected_at, authored.values())
    if not fixes and activity is None and repo.path != defect.path:
        return None
    last = next((fix for fix in reversed(fixes) if fix.released_at is not None), None)
    work = Work(
        activity,
        authored.get(last.commit_number) if last and last.commit_number is not None else None,
        last.released_at if last else None,
    )
    shown = stages(defect.detected_at, work)
    return RepoStages(repo.path, shown, out_of_order(defect.detected_at, work), len(fixes))


def _authored(
    tenant: Tenant, repos: Sequence[IndexedRepo], ticket: str, fixes: dict[UUID, list[FixView]]
) -> dict[UUID, dict[int, int | None]]:
    """When the commits about the defect were authored, by repo and number: its fixes', and those that name it."""
    spoken = commits_of_ticket(tenant.id, ticket, most=MOST_COMMITS)
    numbers = {
        repo.ref.id: {
            *counting(tenant, repo, spoken.get(repo.ref.number, ())),
            *(fix.commit_number for fix in fixes.get(repo.ref.id, ()) if fix.commit_number is not None),
        }
        for repo in repos
    }
    found = commits_at(tenant.id, {(repo.ref.number, number) for repo in repos for number in numbers[repo.ref.id]})
    return {
        repo.ref.id: {number: found[repo.ref.number, number].authored_at for number in numbers[repo.ref.id]}
        for repo in repos
    }

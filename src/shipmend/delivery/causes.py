"""The causes of defects, derived when they are asked for: four queries for any number of defects."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet

from shipmend.catalog.models import Entity
from shipmend.catalog.queries import Tenant
from shipmend.core.causes import (
    HOUR,
    Candidates,
    Case,
    Cause,
    CauseCandidate,
    Standing,
    Verdict,
    decide_cause,
    repos_concerned,
)
from shipmend.db.sql import Statement
from shipmend.delivery.models import PRODUCTION, CriticalDefect, DefectFix, Release

# What counts as a deployment: as core.facts judges releases.
_CANDIDATES = Statement(
    "SELECT released_at, COALESCE(commit_number, -1), release_sha, id, repo_id FROM delivery_release"
    " WHERE entity_id = ? AND released_at BETWEEN ? AND ? AND environment = ? AND deleted_at IS NULL"
    " AND status = 'succeeded' AND commit_state IN ('known', 'unverified') AND (kind IS NULL OR kind <> 'redeploy')"
)


def causes_of(tenant: Tenant, defects: QuerySet[CriticalDefect], environment: str = PRODUCTION) -> dict[UUID, Cause]:
    """The cause of each of some defects of an entity, among the releases to an environment."""
    cases = cases_of(tenant, defects)
    window = cause_window(tenant)
    candidates = candidates_for(tenant, cases, window, environment)
    return {defect_id: decide_cause(case, candidates, window) for defect_id, case in cases.items()}


def causes_by_id(tenant: Tenant, defect_ids: Collection[UUID], environment: str = PRODUCTION) -> dict[UUID, Cause]:
    """As causes_of, for the defects of a page."""
    return causes_of(tenant, CriticalDefect.objects.filter(entity_id=tenant.id, id__in=defect_ids), environment)


def cause_of(tenant: Tenant, defect_id: UUID) -> Cause:
    """The cause of one defect."""
    return causes_by_id(tenant, [defect_id])[defect_id]


def cause_window(tenant: Tenant) -> int:
    """How many seconds before its detection a release is still suspected of a defect."""
    return Entity.objects.values_list("cause_window_hours", flat=True).get(id=tenant.id) * HOUR


def cases_of(tenant: Tenant, defects: QuerySet[CriticalDefect]) -> dict[UUID, Case]:
    """What the causes of these defects rest on. A rejected fix concerns no repo."""
    ids = defects.order_by().values("id")
    fixes = DefectFix.objects.filter(entity_id=tenant.id, defect_id__in=ids).exclude(commit_state="rejected")
    fixed: defaultdict[UUID, set[UUID]] = defaultdict(set)
    for defect_id, repo_id in fixes.values_list("defect_id", "repo_id"):
        fixed[defect_id].add(repo_id)
    there = Release.objects.filter(entity_id=tenant.id, id=OuterRef("cause_release_id"), deleted_at=None)
    rows = defects.annotate(cause_is_there=Exists(there)).values_list(
        "id", "detected_at", "repo_id", "cause_standing", "cause_release_id", "cause_is_there"
    )
    return {
        defect_id: Case(
            detected_at,
            repos_concerned(repo_id, fixed.get(defect_id, ())),
            Verdict(Standing(standing), release_id, is_there),
        )
        for defect_id, detected_at, repo_id, standing, release_id, is_there in rows
    }


def candidates_for(
    tenant: Tenant, cases: Mapping[UUID, Case], window_seconds: int, environment: str = PRODUCTION
) -> Candidates:
    """The releases among which the last before each detection is to be found."""
    detected = [case.detected_at for case in cases.values()]
    first, last = min(detected, default=0) - window_seconds, max(detected, default=0)
    return Candidates(CauseCandidate(*row) for row in _CANDIDATES.rows(tenant.id, first, last, environment))

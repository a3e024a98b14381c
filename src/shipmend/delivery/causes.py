"""The causes of defects, derived when they are asked for: five queries for any number of defects."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Mapping
from itertools import product
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
from shipmend.core.facts import why_not_counted
from shipmend.core.releases import SETTLED, CommitState, Kind, Status
from shipmend.db.sql import Statement
from shipmend.delivery.models import PRODUCTION, CriticalDefect, DefectFix, Release

COUNTED = ", ".join(
    f"('{kind or ''}', '{status}', '{state}')"
    for kind, status, state in product((None, *Kind), Status, CommitState)
    if why_not_counted(kind, status, is_settled=state in SETTLED) is None
)
"""What counts as a deployment, told to the database: the kind ('' for none), status and state of a commit that
core.facts lets pass."""
# A pair is a repo's number and an instant; the words of `{spans}` are about runs of commits.
_LAST_BEFORE = Statement(
    "SELECT c.released_at, COALESCE(c.commit_number, -1), c.release_sha, c.id, c.repo_id"
    " FROM {spans} CROSS JOIN catalog_repo r CROSS JOIN delivery_release c"
    " WHERE r.entity_id = ? AND r.number = span.first AND c.entity_id = r.entity_id AND c.id ="
    " (SELECT x.id FROM delivery_release x WHERE x.entity_id = r.entity_id AND x.repo_id = r.id AND x.environment = ?"
    "  AND x.deleted_at IS NULL AND x.released_at <= span.last AND x.released_at >= span.last - ?"
    f"  AND (COALESCE(x.kind, ''), x.status, x.commit_state) IN (VALUES {COUNTED})"
    "  ORDER BY x.released_at DESC, COALESCE(x.commit_number, -1) DESC, x.release_sha DESC LIMIT 1)"
)
_NUMBERS = Statement("SELECT id, number FROM catalog_repo WHERE entity_id = ?")


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
    """The last release that counts before each detection, in each of the repos concerned, within the window."""
    numbers: dict[UUID, int] = dict(_NUMBERS.rows(tenant.id))
    pairs = {(numbers[repo_id], case.detected_at) for case in cases.values() for repo_id in case.repos}
    found = _LAST_BEFORE.rows(json.dumps(sorted(pairs)), tenant.id, environment, window_seconds)
    return Candidates(CauseCandidate(*row) for row in set(found))

"""The defects behind figures."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from shipmend.catalog.queries import organizations_of, repo_paths
from shipmend.core.causes import Cause
from shipmend.core.facts import DefectFact, Reason
from shipmend.core.metrics import Metric
from shipmend.core.values import ResourcePath
from shipmend.core.windows import Window
from shipmend.delivery.causes import causes_by_id
from shipmend.delivery.models import DefectFix
from shipmend.reports.listing import CountsAs
from shipmend.reports.load import Ground
from shipmend.reports.rows import FixRecord


@dataclass(frozen=True, slots=True)
class AuditedFix:
    """A fix with all that its metrics rest on. Times are epoch seconds."""

    path: ResourcePath
    released_at: int | None
    release_sha: str
    commit_state: str
    carried_by: UUID | None
    is_holding: bool
    """Whether its repo needed no later fix for the same defect."""


@dataclass(frozen=True, slots=True)
class AuditedDefect:
    """A defect with all that its metrics rest on. Times are epoch seconds."""

    key: str
    path: ResourcePath
    """Where it was found."""
    repos: tuple[ResourcePath, ...]
    """Those concerned: where it was found, if that is a repo, and those with a fix."""
    detected_at: int
    resolved_at: int | None
    first_fix_at: int | None
    severity: int | None
    cause: Cause
    cause_counts: bool | None
    """Whether that release counts in the environment looked at; None where there is none."""
    fixes: tuple[AuditedFix, ...]
    """The earliest first."""
    counts_as: CountsAs | None

    @property
    def recovery_seconds(self) -> int | None:
        """From detection to resolution; None while open."""
        return None if self.resolved_at is None else self.resolved_at - self.detected_at

    @property
    def time_to_first_fix_seconds(self) -> int | None:
        """From detection to the first fix; None without one."""
        return None if self.first_fix_at is None else self.first_fix_at - self.detected_at

    @property
    def reason(self) -> Reason | None:
        """Why it has no time to recover."""
        return Reason.BACKWARD if (self.recovery_seconds or 0) < 0 else None


class DefectListing:
    """The defects that a window has something of, or those behind a metric of it; the latest detected first."""

    def __init__(
        self, ground: Ground, window: Window, metric: Metric | None, severities: frozenset[int | None] | None
    ) -> None:
        self._ground = ground
        self._fixes: defaultdict[UUID, list[FixRecord]] = defaultdict(list)
        for fix in sorted(ground.fixes, key=_fix_order):
            self._fixes[fix.defect_id].append(fix)
        self._counting = _counting(ground, window, metric) if metric else None
        self._defects = [
            defect
            for defect in reversed(ground.facts.defects)
            if (severities is None or defect.severity in severities) and self._is_listed(defect, window)
        ]
        self._organizations = {each.id: each.slug for each in organizations_of(ground.place.tenant)}

    @property
    def total(self) -> int:
        """How many there are."""
        return len(self._defects)

    def rows(self, skip: int, take: int) -> Sequence[AuditedDefect]:
        """So many of them, by a fixed number of queries."""
        shown = self._defects[skip : skip + take]
        tenant = self._ground.place.tenant
        ids = [defect.id for defect in shown]
        causes = causes_by_id(tenant, ids, self._ground.environment)
        fixes = _commits_of_fixes(tenant.id, ids)
        records = [self._ground.defects[id_] for id_ in ids]
        repos = {fix.repo_id for id_ in ids for fix in self._fixes[id_]} | {r.repo_id for r in records if r.repo_id}
        paths = repo_paths(tenant, repos)
        return [self._row(defect, causes[defect.id], fixes, paths) for defect in shown]

    def _is_listed(self, defect: DefectFact, window: Window) -> bool:
        if self._counting is not None:
            return defect.id in self._counting
        times = [fix.released_at for fix in self._fixes[defect.id] if fix.released_at is not None]
        first = min([defect.detected_at, *times])
        last = window.start if defect.resolved_at is None else max(defect.resolved_at, defect.detected_at)
        return first < window.end and last >= window.start

    def _row(
        self,
        defect: DefectFact,
        cause: Cause,
        commits: Mapping[UUID, tuple[str, str]],
        paths: Mapping[UUID, ResourcePath],
    ) -> AuditedDefect:
        record = self._ground.defects[defect.id]
        fixes = self._fixes[defect.id]
        released = [fix for fix in fixes if fix.released_at is not None]
        last = {fix.repo_id: fix.id for fix in released}
        own = {record.repo_id} if record.repo_id else set()
        return AuditedDefect(
            key=record.key,
            path=self._path(record.repo_id, record.organization_id, paths),
            repos=tuple(sorted((paths[id_] for id_ in {fix.repo_id for fix in fixes} | own), key=str)),
            detected_at=defect.detected_at,
            resolved_at=defect.resolved_at,
            first_fix_at=released[0].released_at if released else None,
            severity=defect.severity,
            cause=cause,
            cause_counts=None if defect.cause is None else defect.cause_counts,
            fixes=tuple(
                AuditedFix(
                    paths[fix.repo_id],
                    fix.released_at,
                    *commits.get(fix.id, ("", "")),
                    fix.carried_by,
                    last.get(fix.repo_id) == fix.id,
                )
                for fix in fixes
            ),
            counts_as=self._counting[defect.id] if self._counting is not None else None,
        )

    def _path(
        self, repo_id: UUID | None, organization_id: UUID | None, paths: Mapping[UUID, ResourcePath]
    ) -> ResourcePath:
        if repo_id:
            return paths[repo_id]
        slug = self._organizations[organization_id] if organization_id else ""
        return ResourcePath(self._ground.place.tenant.slug, slug)


def _counting(ground: Ground, window: Window, metric: Metric) -> dict[UUID, CountsAs]:
    """What each defect behind a metric of a window is in it."""
    facts = ground.facts.within(window)
    if metric is Metric.OPEN_DEFECTS:
        return {defect.id: CountsAs.NUMERATOR for defect in facts.which_open_at(window.end)}
    if metric is Metric.FIXES_NOT_HOLDING:
        failing = {row.defect.id for row in facts.fixes if not row.is_holding}
        return {
            row.defect.id: CountsAs.NUMERATOR if row.defect.id in failing else CountsAs.DENOMINATOR
            for row in facts.fixes
        }
    rows = facts.resolutions if metric is Metric.RECOVERY_TIME else facts.first_fixes
    return {row.defect.id: CountsAs.EXCLUDED if row.reason else CountsAs.NUMERATOR for row in rows}


def _commits_of_fixes(entity_id: UUID, defects: Sequence[UUID]) -> dict[UUID, tuple[str, str]]:
    rows = DefectFix.objects.filter(entity_id=entity_id, defect_id__in=defects)
    return {id_: (sha, state) for id_, sha, state in rows.values_list("id", "release_sha", "commit_state")}


def _fix_order(fix: FixRecord) -> tuple[bool, int, int, str, UUID]:
    return fix.released_at is None, fix.released_at or 0, fix.commit_number, fix.sha, fix.repo_id

"""The releases behind figures."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from shipmend.core.causes import CauseKind
from shipmend.core.dora import is_failure
from shipmend.core.facts import LeadFact, Reason, ReleaseRow
from shipmend.core.metrics import Metric
from shipmend.core.values import ResourcePath
from shipmend.core.windows import Window
from shipmend.delivery.models import Release
from shipmend.reports.listing import CountsAs
from shipmend.reports.load import Ground


@dataclass(frozen=True, slots=True)
class CausedDefect:
    """A defect that a release caused, and how sure that is."""

    key: str
    kind: CauseKind


@dataclass(frozen=True, slots=True)
class AuditedRelease:
    """A release with all that its metrics rest on. Times are epoch seconds."""

    id: UUID
    path: ResourcePath
    environment: str
    name: str
    released_at: int
    release_sha: str
    kind: str | None
    status: str
    commit_state: str
    reason: Reason | None
    """Why it does not count as a deployment."""
    undone_by: UUID | None
    caused: tuple[CausedDefect, ...]
    fixes: tuple[str, ...]
    """The keys of the defects for which it carried fixes, one for each fix."""
    lead: LeadFact
    counts_as: CountsAs | None


class ReleaseListing:
    """The releases of a window, the latest first."""

    def __init__(self, ground: Ground, window: Window, metric: Metric | None) -> None:
        self._ground = ground
        self._metric = metric
        self._rows = ground.facts.within(window).releases[::-1]
        self._paths = ground.paths
        self._fixed = {fix.id: ground.defects[fix.defect_id].key for fix in ground.fixes}

    @property
    def total(self) -> int:
        """How many there are."""
        return len(self._rows)

    def rows(self, skip: int, take: int) -> Sequence[AuditedRelease]:
        """So many of them. One query, for their names."""
        shown = self._rows[skip : skip + take]
        names = _names(self._ground.place.tenant.id, [row.release.id for row in shown])
        return [self._row(row, names.get(row.release.id, "")) for row in shown]

    def _row(self, row: ReleaseRow, name: str) -> AuditedRelease:
        ground, release = self._ground, row.release
        record = ground.releases[release.id]
        return AuditedRelease(
            id=release.id,
            path=self._paths[release.repo_id],
            environment=ground.environment,
            name=name,
            released_at=row.at,
            release_sha=record.release_sha,
            kind=record.kind,
            status=record.status,
            commit_state=record.commit_state,
            reason=row.reason,
            undone_by=release.undone_by,
            caused=tuple(sorted((self._caused(id_) for id_ in row.defects), key=lambda caused: caused.key)),
            fixes=tuple(sorted(self._fixed[id_] for id_ in row.fixes)),
            lead=row.lead or LeadFact(()),
            counts_as=self._counts_as(row),
        )

    def _caused(self, defect_id: UUID) -> CausedDefect:
        return CausedDefect(self._ground.defects[defect_id].key, self._ground.causes[defect_id].kind)

    def _counts_as(self, row: ReleaseRow) -> CountsAs | None:
        if self._metric is None:
            return None
        if row.reason is not None:
            return CountsAs.EXCLUDED
        is_sought = {
            Metric.CHANGE_FAIL_RATE: is_failure(row, self._ground.rules),
            Metric.REWORK_RATE: bool(row.fixes),
        }.get(self._metric, True)
        return CountsAs.NUMERATOR if is_sought else CountsAs.DENOMINATOR


def _names(entity_id: UUID, releases: Iterable[UUID]) -> dict[UUID, str]:
    return dict(Release.objects.filter(entity_id=entity_id, id__in=list(releases)).values_list("id", "name"))

"""From rows to facts: all that the metrics of a place rest on, in a fixed number of queries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from shipmend.catalog.models import Repo
from shipmend.catalog.queries import Place, entity_of, ref_of, repos_of
from shipmend.core.causes import (
    HOUR,
    Candidates,
    Case,
    Cause,
    CauseCandidate,
    CauseKind,
    Standing,
    Verdict,
    decide_cause,
    repos_concerned,
)
from shipmend.core.dora import Rules
from shipmend.core.facts import DefectFact, Facts, FixFact, LeadFact, ReleaseFact, judge
from shipmend.core.releases import SETTLED, Kind, Status
from shipmend.core.values import ResourcePath
from shipmend.delivery.leads import ShippingRelease, leads_of
from shipmend.delivery.ownership import bring_entity_up_to_date
from shipmend.reports.rows import (
    DefectRecord,
    FixRecord,
    ReleaseRecord,
    Stretch,
    defects_around,
    releases_around,
)

_KINDS: dict[str | None, Kind | None] = {None: None, **{kind.value: kind for kind in Kind}}
_STATUSES = {status.value: status for status in Status}


@dataclass(frozen=True, slots=True)
class Ground:
    """What the figures of a place stand on, from `start` up to and without `end` (epoch seconds)."""

    place: Place
    environment: str
    start: int
    end: int
    rules: Rules
    facts: Facts
    repos: tuple[Repo, ...]
    """Those at or below the place, by path."""
    causes: Mapping[UUID, Cause]
    """By defect, also of defects outside the place: those detected from `start` on, by what was released then."""
    defects: Mapping[UUID, DefectRecord]
    """Those that the time between can have to do with."""
    fixes: Sequence[FixRecord]
    """Theirs."""
    releases: Mapping[UUID, ReleaseRecord]
    """Of the whole entity, with those a cause window before and after."""

    @property
    def paths(self) -> dict[UUID, ResourcePath]:
        """Where the repos are."""
        return {repo.id: repo.path for repo in self.repos}


def load(place: Place, environment: str, start: int, end: int) -> Ground:
    """Read it. What was recorded meanwhile is attributed first, so nothing read is stale."""
    tenant = place.tenant
    bring_entity_up_to_date(tenant)
    entity = entity_of(tenant)
    repos = tuple(repos_of(place))
    reach = entity.cause_window_hours * HOUR
    stretch = Stretch(tenant.id, environment, start, end, reach)
    releases = releases_around(stretch)
    defects, fixes = defects_around(stretch)
    # Of what was detected earlier no release in question can be the cause, unless somebody says so.
    suspect = [defect for defect in defects if defect.standing or start <= defect.detected_at < end + reach]
    known = [_release_fact(release) for release in releases]
    counted = [release for release, fact in zip(releases, known, strict=True) if fact.reason is None]
    causes = _causes(suspect, fixes, counted, reach)
    own = {repo.id for repo in repos}
    here = [release for release in releases if release.repo_id in own and start <= release.released_at < end]
    facts = judge(
        [fact for fact in known if fact.repo_id in own and start <= fact.released_at < end],
        _leads(place, environment, here, repos),
        _defect_facts(defects, fixes, causes),
        [
            FixFact(fix.released_at, fix.id, fix.defect_id, fix.repo_id, fix.carried_by, fix.commit_number, fix.sha)
            for fix in fixes
            if fix.released_at is not None
        ],
    )
    return Ground(
        place,
        environment,
        start,
        end,
        Rules(rollbacks_fail=entity.rollbacks_fail),
        _at(place, facts, own),
        repos,
        causes,
        {defect.id: defect for defect in defects},
        fixes,
        {release.id: release for release in releases},
    )


def _at(place: Place, facts: Facts, repos: set[UUID]) -> Facts:
    where = place.repo.id if place.repo else place.organization_id
    return facts if where is None else facts.of_place(where, repos)


def _release_fact(release: ReleaseRecord) -> ReleaseFact:
    return ReleaseFact(
        release.released_at,
        release.id,
        release.repo_id,
        _KINDS[release.kind],
        _STATUSES[release.status],
        release.commit_state in SETTLED,
        release.undone_by,
        -1 if release.commit_number is None else release.commit_number,
        release.release_sha,
    )


def _leads(
    place: Place, environment: str, releases: Sequence[ReleaseRecord], repos: Sequence[Repo]
) -> Mapping[UUID, LeadFact]:
    refs = {repo.id: ref_of(repo) for repo in repos}
    return leads_of(place.tenant.id, environment, shipping_of(releases), refs)


def shipping_of(releases: Iterable[ReleaseRecord]) -> list[ShippingRelease]:
    """Those that have commits to their name."""
    return [
        ShippingRelease(release.id, release.repo_id, release.released_at, release.kind == Kind.BASELINE)
        for release in releases
        if release.status == Status.SUCCEEDED and release.commit_number is not None
    ]


def _causes(
    defects: Sequence[DefectRecord], fixes: Sequence[FixRecord], releases: Sequence[ReleaseRecord], reach: int
) -> dict[UUID, Cause]:
    fixed: defaultdict[UUID, set[UUID]] = defaultdict(set)
    for fix in fixes:
        fixed[fix.defect_id].add(fix.repo_id)
    candidates = Candidates(
        CauseCandidate(
            release.released_at,
            -1 if release.commit_number is None else release.commit_number,
            release.release_sha,
            release.id,
            release.repo_id,
        )
        for release in releases
    )
    return {
        defect.id: decide_cause(
            Case(
                defect.detected_at,
                repos_concerned(defect.repo_id, fixed.get(defect.id, ())),
                Verdict(Standing(defect.standing), defect.said_release_id, defect.is_there),
            ),
            candidates,
            reach,
        )
        for defect in defects
    }


def _defect_facts(
    defects: Sequence[DefectRecord], fixes: Sequence[FixRecord], causes: Mapping[UUID, Cause]
) -> list[DefectFact]:
    places: defaultdict[UUID, set[UUID]] = defaultdict(set)
    for fix in fixes:
        places[fix.defect_id] |= {fix.repo_id, fix.organization_id}
    return [
        DefectFact(
            defect.id,
            defect.detected_at,
            defect.resolved_at,
            frozenset({*places[defect.id], *(id_ for id_ in (defect.repo_id, defect.organization_id) if id_)}),
            defect.severity,
            cause.release_id if (cause := causes.get(defect.id)) else None,
            cause is not None and cause.kind is CauseKind.GUESS,
            cause is None or cause.kind is CauseKind.GUESS or defect.said_counts,
            defect.key,
        )
        for defect in defects
    ]

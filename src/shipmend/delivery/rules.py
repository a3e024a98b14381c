"""The reads of release tracking: the rules that are set, what one would make, and which one made a release."""

from __future__ import annotations

from dataclasses import dataclass
from heapq import nlargest
from uuid import UUID

from django.db.models import Count

from shipmend.catalog.models import Repo
from shipmend.catalog.queries import RepoRef, Tenant, ref_of, repo_paths
from shipmend.core.forecasts import Forecast, Match, forecast, lateness
from shipmend.core.tracking import Rule
from shipmend.core.values import ResourcePath
from shipmend.db.clock import epoch_now
from shipmend.delivery import store
from shipmend.delivery.models import Release, TrackingRule
from shipmend.delivery.tracking import kept_rules, matches_of, rule_of, rules_like
from shipmend.history.actions import SETTLE
from shipmend.jobs.queue import open_keys

SAMPLE = 20
"""Matches shown of a rule that is not set yet."""


@dataclass(frozen=True, slots=True)
class RuleView:
    """A rule for showing."""

    id: UUID
    rule: Rule
    path: ResourcePath | None
    """The repo it is for; None for all of them."""
    created_by: str
    created_at: int
    is_deleted: bool
    releases: int = 0
    repos: int = 0
    """Those with at least one of these releases."""
    is_at_work: bool = False
    """The worker has yet to apply it to some repo's history as it is by now."""


@dataclass(frozen=True, slots=True)
class RepoForecast:
    """What a rule would make of one repo. None: it is not indexed yet, so nobody knows."""

    path: ResourcePath
    forecast: Forecast | None


@dataclass(frozen=True, slots=True)
class Preview:
    """What a rule would make of the repos it is for."""

    rule: Rule
    repos: tuple[RepoForecast, ...]
    latest: tuple[tuple[ResourcePath, Match], ...]

    @property
    def matches(self) -> int:
        """Tags or commits over all repos."""
        return sum(each.forecast.matches for each in self.repos if each.forecast)

    @property
    def releases(self) -> int:
        """Releases over all repos, those that are there already included."""
        return sum(each.forecast.releases for each in self.repos if each.forecast)

    @property
    def new(self) -> int:
        """Releases that would be made."""
        return sum(each.forecast.new for each in self.repos if each.forecast)

    @property
    def matching(self) -> tuple[RepoForecast, ...]:
        """The repos where it matches something."""
        return tuple(each for each in self.repos if each.forecast and each.forecast.matches)

    @property
    def unread(self) -> tuple[RepoForecast, ...]:
        """The repos that are not indexed yet."""
        return tuple(each for each in self.repos if each.forecast is None)


def list_rules(tenant: Tenant) -> tuple[RuleView, ...]:
    """The rules that are set, in the order in which they have their say."""
    found = TrackingRule.objects.filter(entity_id=tenant.id, deleted_at=None)
    rows = list(found.select_related("repo").order_by("id"))
    paths = repo_paths(tenant, (row.repo_id for row in rows if row.repo_id))
    made = Release.objects.filter(entity_id=tenant.id, deleted_at=None, rule__isnull=False)
    counts = made.values_list("rule").annotate(Count("id"), Count("repo", distinct=True))
    counted = {rule_id: (releases, repos) for rule_id, releases, repos in counts}
    busy = {key for entity_id, key in open_keys(SETTLE) if entity_id == tenant.id} if rows else set()
    return tuple(_view(row, paths, counted.get(row.id, (0, 0)), busy) for row in rows)


def was_set(tenant: Tenant, rule: Rule, repo: RepoRef | None) -> RuleView | None:
    """The latest rule like this one, deleted or not."""
    alike = TrackingRule.objects.filter(rules_like(tenant, rule, repo))
    row = max(alike, key=lambda row: (row.deleted_at is None, row.id), default=None)
    return _view(row, {repo.id: repo.path} if repo else {}, (0, 0), set()) if row else None


def rule_behind(tenant: Tenant, release_id: UUID) -> RuleView | None:
    """The rule that made a release, if one did and nobody has spoken of the release since."""
    row = TrackingRule.objects.filter(entity_id=tenant.id, releases__id=release_id).first()
    if row is None:
        return None
    return _view(row, repo_paths(tenant, [row.repo_id] if row.repo_id else []), (0, 0), set())


def preview(tenant: Tenant, rule: Rule, repos: list[Repo]) -> Preview:
    """What a rule would make of these repos, were it set now."""
    kept = kept_rules(tenant)
    told = tuple(RepoForecast(repo.path, _forecast(tenant, rule, repo, kept)) for repo in repos)
    matches = ((each.path, match) for each in told if each.forecast for match in each.forecast.latest)
    return Preview(rule, told, tuple(nlargest(SAMPLE, matches, key=lambda pair: lateness(pair[1].candidate))))


def _forecast(tenant: Tenant, rule: Rule, repo: Repo, kept: frozenset[UUID]) -> Forecast | None:
    if repo.indexed_at is None:
        return None
    standing = store.standing_events(tenant, repo.id, kept)
    return forecast(matches_of(tenant, ref_of(repo), rule), rule, standing, sample=SAMPLE, now=epoch_now())


def _view(row: TrackingRule, paths: dict[UUID, ResourcePath], counts: tuple[int, int], busy: set[str]) -> RuleView:
    releases, repos = counts
    return RuleView(
        id=row.id,
        rule=rule_of(row),
        path=paths[row.repo_id] if row.repo_id else None,
        created_by=row.created_by,
        created_at=row.created_at,
        is_deleted=row.deleted_at is not None,
        releases=releases,
        repos=repos,
        is_at_work=bool(busy) and (row.repo is None or str(row.repo.source_id or row.repo.id) in busy),
    )

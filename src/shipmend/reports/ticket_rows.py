"""The tickets that a window shipped something of."""

from __future__ import annotations

import json
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from django.db.models import Q

from shipmend.catalog.queries import RepoRef, ref_of
from shipmend.core.facts import Reason
from shipmend.core.releases import Kind
from shipmend.core.tickets import normal
from shipmend.core.values import ResourcePath
from shipmend.core.windows import Window
from shipmend.db.sql import Statement
from shipmend.delivery.models import Release
from shipmend.history.tickets import tickets_in
from shipmend.history.touched import counted
from shipmend.reports.load import Ground

_RUNS = Statement(
    "SELECT run.first, run.last, run.release_id, r.repo_id FROM delivery_release r JOIN delivery_shippedrun run"
    " ON run.entity_id = r.entity_id AND run.release_id = r.id"
    " WHERE r.entity_id = ? AND r.environment = ? AND r.deleted_at IS NULL"
    " AND r.released_at >= ? AND r.released_at < ?"
)

_Owned = tuple[int, int, UUID]
"""A run of commits, and the release that shipped it first."""


@dataclass(frozen=True, slots=True)
class AuditedTicket:
    """A ticket, and what a window shipped of it."""

    key: str
    commits: int
    """That speak of it, merges among them."""
    repos: tuple[ResourcePath, ...]
    release_id: UUID
    """The first of the window with a commit of it, or said to resolve it."""
    released_at: int
    """Epoch seconds."""


@dataclass(slots=True)
class _Found:
    """A ticket, as far as it has been found."""

    commits: int = 0
    releases: set[UUID] = field(default_factory=set)


class TicketListing:
    """Those of the commits first shipped in a window, baselines apart, and those its releases were said to resolve."""

    def __init__(self, ground: Ground, window: Window) -> None:
        """One query for the runs, one for each repo, and one for what was said."""
        self._ground = ground
        self._paths = ground.paths
        rows = [row for row in ground.facts.within(window).releases if row.reason in (None, Reason.REDEPLOY)]
        self._at = {row.release.id: row.at for row in rows}
        self._places = {row.release.id: place for place, row in enumerate(rows)}
        self._baselines = {row.release.id for row in rows if row.release.kind is Kind.BASELINE}
        found: defaultdict[str, _Found] = defaultdict(_Found)
        for ticket, release_id in self._spoken(window):
            found[ticket].commits += 1
            found[ticket].releases.add(release_id)
        for ticket, release_id in self._said(window):
            found[ticket].releases.add(release_id)
        self._rows = [self._row(key, ticket) for key, ticket in sorted(found.items())]

    @property
    def total(self) -> int:
        """How many there are."""
        return len(self._rows)

    def rows(self, skip: int, take: int) -> Sequence[AuditedTicket]:
        """So many of them, by key."""
        return self._rows[skip : skip + take]

    def _spoken(self, window: Window) -> Iterator[tuple[str, UUID]]:
        """Each ticket of each commit, and the release that shipped it."""
        tenant = self._ground.place.tenant
        refs = {repo.id: ref_of(repo) for repo in self._ground.repos}
        runs: defaultdict[UUID, list[_Owned]] = defaultdict(list)
        for first, last, release_id, repo_id in _RUNS.rows(
            tenant.id, self._ground.environment, window.start, window.end
        ):
            if release_id in self._at and release_id not in self._baselines:
                runs[repo_id].append((first, last, release_id))
        for repo_id, owned in runs.items():
            yield from self._spoken_in(refs[repo_id], sorted(owned))

    def _spoken_in(self, repo: RepoRef, owned: Sequence[_Owned]) -> Iterator[tuple[str, UUID]]:
        entity_id = self._ground.place.tenant.id
        spans = counted(entity_id, repo, [(first, last) for first, last, _ in owned])
        firsts = [first for first, _, _ in owned]
        for number, tickets in tickets_in(entity_id, repo.number, spans):
            release_id = owned[bisect_right(firsts, number) - 1][2]
            yield from ((ticket, release_id) for ticket in tickets)

    def _said(self, window: Window) -> Iterator[tuple[str, UUID]]:
        tenant = self._ground.place.tenant
        rows = Release.objects.filter(
            ~Q(issue_keys="[]"),
            entity_id=tenant.id,
            environment=self._ground.environment,
            deleted_at=None,
            released_at__gte=window.start,
            released_at__lt=window.end,
        )
        for release_id, keys in rows.values_list("id", "issue_keys"):
            if release_id in self._at:
                yield from ((normal(key), release_id) for key in json.loads(keys))

    def _row(self, key: str, found: _Found) -> AuditedTicket:
        first = min(found.releases, key=self._places.__getitem__)
        repos = {self._ground.releases[release_id].repo_id for release_id in found.releases}
        paths = tuple(sorted((self._paths[repo_id] for repo_id in repos), key=str))
        return AuditedTicket(key, found.commits, paths, first, self._at[first])

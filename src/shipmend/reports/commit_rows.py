"""The commits behind figures, found by the releases that shipped them first: a page costs a page, not the history."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from shipmend.catalog.queries import RepoRef, ref_of
from shipmend.core.facts import Reason, ReleaseRow
from shipmend.core.metrics import Metric
from shipmend.core.releases import Kind
from shipmend.core.spans import Span, highest, spans_of
from shipmend.core.values import ResourcePath
from shipmend.core.windows import Window
from shipmend.delivery.leads import why_left_out
from shipmend.delivery.models import ShippedRun
from shipmend.history.contents import ShippedCommit, commits_by, shipped_commits
from shipmend.history.touched import counted
from shipmend.reports.authors import AuthorPart
from shipmend.reports.listing import CountsAs
from shipmend.reports.load import Ground


@dataclass(frozen=True, slots=True)
class AuditedCommit:
    """A commit with all that change lead time rests on. Times are epoch seconds."""

    path: ResourcePath
    commit: ShippedCommit
    release_id: UUID
    """The first of the stream that contains it."""
    released_at: int
    reason: Reason | None
    """Why it has no lead time."""
    counts_as: CountsAs | None

    @property
    def lead_seconds(self) -> int | None:
        """From authorship to release; None where it has none."""
        if self.reason or self.commit.authored_at is None:
            return None
        return self.released_at - self.commit.authored_at


class _Shipment(NamedTuple):
    """A release, and how many commits of it are listed."""

    row: ReleaseRow
    commits: int


class CommitListing:
    """The commits first shipped in a window, those of the latest release first; of one author, if one is given."""

    def __init__(self, ground: Ground, window: Window, metric: Metric | None, part: AuthorPart | None) -> None:
        self._ground = ground
        self._metric = metric
        self._author = part.author if part else None
        self._shares = part.commits if part else None
        self._paths = ground.paths
        self._refs = {repo.id: ref_of(repo) for repo in ground.repos}
        rows = ground.facts.within(window).releases[::-1]
        self._shipments = [each for row in rows if (each := _Shipment(row, self._size(row))).commits]
        self._last: tuple[UUID, list[Span]] | None = None
        """The spans read last: those of a large release are asked for page after page."""

    @property
    def total(self) -> int:
        """How many there are."""
        return sum(each.commits for each in self._shipments)

    def rows(self, skip: int, take: int) -> Sequence[AuditedCommit]:
        """So many of them. A query for the runs, one for the commits, and one for each part of a repo."""
        cuts = list(self._cuts(skip, take))
        spans = self._spans([row for row, _, _ in cuts])
        wanted = [
            (row, number)
            for row, skip_here, take_here in cuts
            for first, last in reversed(highest(spans[row.release.id], skip=skip_here, take=take_here))
            for number in range(last, first - 1, -1)
        ]
        entity_id = self._ground.place.tenant.id
        found = shipped_commits(entity_id, [(self._ref(row).number, number) for row, number in wanted])
        return [self._row(row, found[self._ref(row).number, number]) for row, number in wanted]

    def _size(self, row: ReleaseRow) -> int:
        if self._shares is not None:
            return self._shares.get(row.release.id, 0)
        return row.lead.commits if row.lead else 0

    def _cuts(self, skip: int, take: int) -> Iterator[tuple[ReleaseRow, int, int]]:
        """Each release of a page, and which of its commits are on it."""
        for row, commits in self._shipments:
            if take <= 0:
                return
            here = min(commits - skip, take)
            if here > 0:
                yield row, skip, here
                take -= here
            skip = max(0, skip - commits)

    def _spans(self, rows: Sequence[ReleaseRow]) -> Mapping[UUID, list[Span]]:
        if len(rows) == 1 and self._last and self._last[0] == rows[0].release.id:
            return dict([self._last])
        runs = self._runs([row.release.id for row in rows])
        found = {row.release.id: self._listed(self._ref(row), runs[row.release.id]) for row in rows}
        self._last = (rows[-1].release.id, found[rows[-1].release.id]) if rows else None
        return found

    def _runs(self, releases: Sequence[UUID]) -> Mapping[UUID, list[Span]]:
        entity_id = self._ground.place.tenant.id
        rows = ShippedRun.objects.filter(entity_id=entity_id, release_id__in=releases).order_by("first")
        found: defaultdict[UUID, list[Span]] = defaultdict(list)
        for release_id, first, last in rows.values_list("release_id", "first", "last"):
            found[release_id].append((first, last))
        return found

    def _listed(self, repo: RepoRef, runs: Sequence[Span]) -> list[Span]:
        """Those of the runs of a release that count for its repo, and are the author's."""
        entity_id = self._ground.place.tenant.id
        spans = counted(entity_id, repo, runs)
        if not self._author:
            return spans
        own = [author for number, author in self._author.keys if number == repo.number]
        return spans_of(
            sorted(number for author in own for number in commits_by(entity_id, repo.number, author, spans))
        )

    def _row(self, row: ReleaseRow, commit: ShippedCommit) -> AuditedCommit:
        release = row.release
        reason = why_left_out(
            row.at, commit.authored_at, is_merge=commit.is_merge, is_baseline=release.kind is Kind.BASELINE
        )
        counts_as = None if self._metric is None else CountsAs.EXCLUDED if reason else CountsAs.NUMERATOR
        return AuditedCommit(self._paths[release.repo_id], commit, release.id, row.at, reason, counts_as)

    def _ref(self, row: ReleaseRow) -> RepoRef:
        return self._refs[row.release.repo_id]

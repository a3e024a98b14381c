"""What changed: in a release, and between any two commits of a repo. Each costs a fixed number of queries."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from operator import attrgetter
from uuid import UUID

from shipmend.catalog.queries import RepoRef, Tenant, globs_of
from shipmend.core.changes import ChangedDefect, Changes, FileChanges, View, people
from shipmend.core.spans import Span, highest, holds, size_of, spans_of
from shipmend.core.tickets import in_order, normal
from shipmend.core.walks import difference, reach
from shipmend.db.sql import Statement
from shipmend.db.writes import write
from shipmend.delivery import diffs
from shipmend.delivery.blamed import blamed_for
from shipmend.delivery.carrying import fixes_carried_by
from shipmend.delivery.comparing import PlacedRelease, Placement, placed_release
from shipmend.delivery.diffs import Compared
from shipmend.delivery.ownership import MEASURE, runs_of_release
from shipmend.delivery.points import find_point
from shipmend.delivery.tickets import tickets_of_commits
from shipmend.git.diffs import Pair
from shipmend.history import contents, graphs
from shipmend.history.touched import counted, is_behind
from shipmend.jobs.queue import enqueue

PAGE_SIZE = 100
"""Commits on a page."""
MOST_LISTED = 5_000
"""Commits in a text that is not paged."""
MOST_AUTHORS = 200

_FIXES = Statement(
    "SELECT d.defect_key, d.description, d.detected_at, f.commit_number"
    " FROM delivery_defectfix f JOIN delivery_criticaldefect d ON d.id = f.defect_id"
    " WHERE f.entity_id = ? AND f.repo_id = ? AND f.commit_state <> 'rejected' AND d.deleted_at IS NULL"
    " AND f.commit_number BETWEEN ? AND ?"
)
_BEHIND = "Which commits touch the paths of this repo is being looked at, so some of them may be missing yet."


@dataclass(frozen=True, slots=True)
class Part:
    """Which commits to list: `take` of them after the `skip` latest."""

    skip: int = 0
    take: int = PAGE_SIZE

    @classmethod
    def page(cls, number: int) -> Part:
        """A page, counted from 1."""
        return cls((number - 1) * PAGE_SIZE)


FIRST_PAGE = Part()
EVERYTHING = Part(take=MOST_LISTED)
"""For a text to take along."""


def changes_of_release(
    tenant: Tenant, repo: RepoRef, release_id: UUID, view: View = View.UNION, part: Part = FIRST_PAGE
) -> Changes:
    """What a release changed. Raises NotFound for one that is not this repo's."""
    release = placed_release(tenant, repo, release_id)
    changes = Changes(
        release.end,
        view=view,
        reason=release.reason,
        tickets=release.issue_keys,
        blamed=blamed_for(tenant, release_id, release.released_at),
    )
    place = release.place
    if place is None:
        return replace(changes, fixed=_carried(tenant, release_id))
    spans = runs_of_release(tenant, repo, release_id) if view is View.UNION else _since_base(tenant, repo, place)
    changes = replace(
        changes,
        before=place.base.end if place.base else None,
        previous=place.previous.end if place.previous else None,
        withdrawn=_withdrawn(tenant, repo, place),
        files=_files(tenant, repo, release, place),
        fixed=_carried(tenant, release_id) if view is View.UNION else _in_notes(tenant, repo, spans, release_id),
    )
    return _with_commits(tenant, repo, changes, spans, part)


def changes_between(tenant: Tenant, repo: RepoRef, start: str, end: str, part: Part = FIRST_PAGE) -> Changes:
    """What leads from one commit to another, each named by a sha, a tag, a branch or a release's id.

    Raises Invalid, naming `from` or `to`.
    """
    before = find_point(tenant, repo, start, parameter="from")
    after = find_point(tenant, repo, end, parameter="to")
    between = difference(graphs.load(tenant.id, repo.number), before.number, after.number)
    spans = counted(tenant.id, repo, spans_of(between.added))
    changes = Changes(
        after.end,
        before.end,
        withdrawn=size_of(counted(tenant.id, repo, spans_of(between.removed))),
        files=diffs.lines_now(repo, Pair(before.end.sha, after.end.sha)),
        fixed=_once(_fixed_among(tenant, repo, spans)),
    )
    return _with_commits(tenant, repo, changes, spans, part)


def _since_base(tenant: Tenant, repo: RepoRef, place: Placement) -> Sequence[Span]:
    parents = graphs.load(tenant.id, repo.number)
    if place.base is None:
        added = reach(parents, place.number, lambda _: True)
    else:
        added = difference(parents, place.base.number, place.number).added
    return counted(tenant.id, repo, spans_of(added))


def _withdrawn(tenant: Tenant, repo: RepoRef, place: Placement) -> int:
    if place.previous is None:
        return 0
    removed = difference(graphs.load(tenant.id, repo.number), place.previous.number, place.number).removed
    return size_of(counted(tenant.id, repo, spans_of(removed)))


def _with_commits(tenant: Tenant, repo: RepoRef, changes: Changes, spans: Sequence[Span], part: Part) -> Changes:
    listed = highest(spans, skip=part.skip, take=part.take)
    authors = people(contents.authors_in(tenant.id, repo.number, spans))
    return replace(
        changes,
        gap=_BEHIND if repo.source_id and is_behind(tenant.id, repo.id) else "",
        commits=contents.commits_in(tenant.id, repo.number, listed),
        commit_total=size_of(spans),
        tickets=in_order([*map(normal, changes.tickets), *tickets_of_commits(tenant, repo, spans)]),
        authors=authors[:MOST_AUTHORS],
        author_total=len(authors),
    )


def _files(tenant: Tenant, repo: RepoRef, release: PlacedRelease, place: Placement) -> FileChanges:
    """As counted; otherwise the files alone, and the lines are counted soon."""
    paths = diffs.fingerprint(globs_of(repo))
    stored = diffs.stored(tenant.id, release.id, Compared(place.number, place.base_number, paths))
    if stored is not None:
        return stored
    write(lambda: enqueue(entity_id=tenant.id, kind=MEASURE, key=str(repo.id)))
    return diffs.files_now(repo, Pair(place.base_sha, release.end.sha))


def _carried(tenant: Tenant, release_id: UUID) -> tuple[ChangedDefect, ...]:
    """The defects with a fix that the release carried, as the figures have it."""
    return _once(fix.defect for fix in fixes_carried_by(tenant, release_id))


def _in_notes(tenant: Tenant, repo: RepoRef, spans: Sequence[Span], release_id: UUID) -> tuple[ChangedDefect, ...]:
    """The defects with a fix among the commits of release notes, or one that only the release itself tells of."""
    by_itself = (fix.defect for fix in fixes_carried_by(tenant, release_id) if not fix.is_by_commit)
    return _once([*_fixed_among(tenant, repo, spans), *by_itself])


def _fixed_among(tenant: Tenant, repo: RepoRef, spans: Sequence[Span]) -> list[ChangedDefect]:
    """The defects of the fixes among some commits."""
    if not spans:
        return []
    rows = _FIXES.rows(tenant.id, repo.id, spans[0][0], spans[-1][1])
    return [ChangedDefect(*defect) for *defect, number in rows if holds(spans, number)]


def _once(defects: Iterable[ChangedDefect]) -> tuple[ChangedDefect, ...]:
    """Each once, by detection."""
    return tuple(sorted({defect.key: defect for defect in defects}.values(), key=attrgetter("detected_at", "key")))

"""Counting the lines of each release once, in the background: the work of the job `ownership.MEASURE`."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import repeat
from typing import Protocol, TypeVar
from uuid import UUID

from shipmend.catalog.queries import RepoRef, Tenant, globs_of
from shipmend.core.changes import FileChanges
from shipmend.db.clock import epoch_now
from shipmend.db.sql import Statement
from shipmend.delivery import diffs
from shipmend.delivery.diffs import Compared
from shipmend.delivery.ownership import StreamKey, StreamLedger, ledger_of
from shipmend.delivery.store import there_or_gone
from shipmend.git.diffs import Pair, line_counts
from shipmend.history import contents
from shipmend.history.mirrors import mirror_of

T = TypeVar("T")

RETRY_AFTER = 24 * 3600
"""Seconds until lines that could not be counted are tried again: the machine may have been too busy."""
PAIRS_AT_ONCE = 16
"""Counted, and then stored in one write."""

_ENVIRONMENTS = Statement(
    "SELECT DISTINCT environment FROM delivery_release WHERE entity_id = ? AND repo_id = ? AND deleted_at IS NULL"
)
_MEASURED = there_or_gone(
    "SELECT d.release_id, d.insertions IS NULL AND d.computed_at < ?1, d.commit_number, d.base_number, d.paths"
    " FROM delivery_release r"
    " JOIN delivery_releasediff d ON d.entity_id = r.entity_id AND d.release_id = r.id",
    "r.entity_id = ?2 AND r.repo_id = ?3",
)
_IS_THERE = Statement("SELECT 1 FROM delivery_release WHERE entity_id = ? AND id = ? AND deleted_at IS NULL")
_FORGET = Statement("DELETE FROM delivery_releasediff WHERE entity_id = ? AND release_id = ?")


class Guard(Protocol):
    """The job this runs in, with the fence of its lease (jobs.registry.JobContext)."""

    def write(self, work: Callable[[], T]) -> T:
        """Write, or raise when someone else does this work by now."""

    def check(self) -> None:
        """Raise when going on is of no use."""


def measure_repo(tenant: Tenant, repo: RepoRef, guard: Guard) -> None:
    """Count the lines of every release of a repo that has not been counted, or has another base or paths by now.

    The latest first, and equal comparisons once. What can't be read is stored as such, and tried again another day.
    """
    globs = globs_of(repo)
    wanted = _wanted(tenant, repo, diffs.fingerprint(globs))
    rows = _MEASURED.rows(epoch_now() - RETRY_AFTER, tenant.id, repo.id)
    gone = [release for release, *_ in rows if release not in wanted]
    if gone:
        guard.write(lambda: _FORGET.run_many((tenant.id, release) for release in gone))
    measured = {release: Compared(*compared) for release, is_due, *compared in rows if not is_due}
    missing: dict[Compared, list[UUID]] = {}
    for release, compared in wanted.items():
        if measured.get(release) != compared:
            missing.setdefault(compared, []).append(release)
    _measure(tenant, repo, missing, globs, guard)


def _measure(
    tenant: Tenant, repo: RepoRef, missing: dict[Compared, list[UUID]], globs: Sequence[str], guard: Guard
) -> None:
    order = list(missing)
    for start in range(0, len(order), PAIRS_AT_ONCE):
        part = order[start : start + PAIRS_AT_ONCE]
        counted = dict(zip(part, _counted(tenant, repo, part, globs, guard), strict=True))
        guard.write(partial(_store, tenant, {compared: missing[compared] for compared in part}, counted))


def _counted(
    tenant: Tenant, repo: RepoRef, part: Sequence[Compared], globs: Sequence[str], guard: Guard
) -> Iterator[FileChanges]:
    numbers = {number for commit, base, _ in part for number in (commit, base) if number is not None}
    sha_of = contents.shas_of(tenant.id, repo.number, numbers)
    pairs = [Pair(None if base is None else sha_of[base], sha_of[commit]) for commit, base, _ in part]
    for difference in line_counts(mirror_of(repo.home_id).git_dir, pairs, globs=globs):
        guard.check()
        yield diffs.file_changes(difference)


def _store(tenant: Tenant, releases: dict[Compared, list[UUID]], counted: dict[Compared, FileChanges]) -> None:
    now = epoch_now()
    for compared, ids in releases.items():
        for release_id in ids:
            if _IS_THERE.row(tenant.id, release_id) is not None:
                diffs.store(tenant.id, release_id, compared, counted[compared], now=now)


def _wanted(tenant: Tenant, repo: RepoRef, paths: str) -> dict[UUID, Compared]:
    """What each release of the repo is to be compared with, the latest of each stream first."""
    wanted: dict[UUID, Compared] = {}
    for (environment,) in _ENVIRONMENTS.rows(tenant.id, repo.id):
        stream = ledger_of(StreamKey.of(tenant, repo, environment))
        compared = list(zip(stream.releases, map(Compared, stream.commits, _bases(stream), repeat(paths)), strict=True))
        wanted.update(reversed(compared))
    return wanted


def _bases(stream: StreamLedger) -> Iterator[int | None]:
    """For each release in turn what ownership.base_of_release tells of it.

    An ancestor has a lower number, so the nearest has the highest of all that are earlier and ancestors; it is
    mostly the first that is tried.
    """
    earlier: list[int] = []
    for place, commit in enumerate(stream.commits):
        candidates = (earlier[at] for at in range(bisect_right(earlier, commit) - 1, -1, -1))
        yield next((base for base in candidates if stream.ledger.contains(place, base)), None)
        at = bisect_left(earlier, commit)
        if at == len(earlier) or earlier[at] != commit:
            insort(earlier, commit)

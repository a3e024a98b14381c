"""How long the commits of each release took from authorship to there, kept so that no report reads millions of commits.

A row is made when it is first asked for, and goes when attribution gives the release other commits or when it moves. So
a report costs one query for all that has been read before, and a few for each repo with something new.
"""

from __future__ import annotations

import sys
from array import array
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple
from uuid import UUID

from shipmend.catalog.queries import RepoRef
from shipmend.core.facts import LeadFact, Reason
from shipmend.core.spans import Span, size_of
from shipmend.db.sql import Row, Statement
from shipmend.db.writes import write
from shipmend.history.contents import Authorship, authorship_in
from shipmend.history.touched import counted, is_behind

COMMITS_AT_ONCE = 100_000
"""Read by one query, if no single release has more."""

_STORED_WITH = (
    "SELECT l.release_id, l.sieve, l.is_baseline, l.commits, l.merges, l.timeless, l.early, l.times, {}"
    " FROM delivery_release r JOIN delivery_releaselead l ON l.entity_id = r.entity_id AND l.release_id = r.id"
    " WHERE r.entity_id = ? AND r.environment = ? AND r.deleted_at IS NULL"
    " AND r.released_at >= ? AND r.released_at < ?"
)
_STORED = Statement(_STORED_WITH.format("NULL"))
_STORED_AND_AUTHORS = Statement(_STORED_WITH.format("l.authors"))
_SIEVES = Statement("SELECT repo_id, version FROM history_sieve WHERE entity_id = ? AND is_current")
_VERSION = Statement("SELECT version FROM delivery_stream WHERE entity_id = ? AND repo_id = ? AND environment = ?")
_LOCK = Statement("SELECT version FROM delivery_stream WHERE entity_id = ? AND repo_id = ? AND environment = ? {lock}")
_RUNS = Statement("SELECT first, last FROM delivery_shippedrun WHERE entity_id = ? AND release_id = ? ORDER BY first")
_STORE = Statement(
    "INSERT INTO delivery_releaselead"
    " (entity_id, release_id, sieve, is_baseline, commits, merges, timeless, early, times, authors)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (entity_id, release_id) DO UPDATE SET"
    " sieve = excluded.sieve, is_baseline = excluded.is_baseline, commits = excluded.commits,"
    " merges = excluded.merges, timeless = excluded.timeless, early = excluded.early, times = excluded.times,"
    " authors = excluded.authors"
)
_FORGET = Statement("DELETE FROM delivery_releaselead WHERE entity_id = ? AND release_id = ?")


@dataclass(frozen=True, slots=True)
class ShippingRelease:
    """A succeeded release with a known commit, whose commits are asked about."""

    id: UUID
    repo_id: UUID
    released_at: int
    is_baseline: bool


class Written(NamedTuple):
    """The commits of one release, and who wrote them."""

    fact: LeadFact
    authors: Sequence[int]
    """By their numbers in the repo's history: of each of the times, then of the merges, the timeless and the early
    ones. None of a baseline."""


@dataclass(frozen=True, slots=True)
class _Lead:
    """A row: what it says, and what it is true of. Read without the authors unless they are asked for."""

    written: Written
    commits: int
    sieve: int
    is_baseline: bool


def leads_of(
    entity_id: UUID,
    environment: str,
    releases: Sequence[ShippingRelease],
    repos: Mapping[UUID, RepoRef],
) -> dict[UUID, LeadFact]:
    """The commits of these releases of one environment, whose streams have been brought up to date. `repos`: theirs."""
    found = _leads_of(_STORED, entity_id, environment, releases, repos)
    return {release_id: written.fact for release_id, written in found.items()}


def written_leads_of(
    entity_id: UUID, environment: str, releases: Sequence[ShippingRelease], repos: Mapping[UUID, RepoRef]
) -> dict[UUID, Written]:
    """The same with who wrote them."""
    return _leads_of(_STORED_AND_AUTHORS, entity_id, environment, releases, repos)


def _leads_of(
    statement: Statement,
    entity_id: UUID,
    environment: str,
    releases: Sequence[ShippingRelease],
    repos: Mapping[UUID, RepoRef],
) -> dict[UUID, Written]:
    if not releases:
        return {}
    times = [release.released_at for release in releases]
    stored = {row[0]: _read(row) for row in statement.rows(entity_id, environment, min(times), max(times) + 1)}
    has_parts = any(repo.source_id for repo in repos.values())
    sieves: dict[UUID, int] = dict(_SIEVES.rows(entity_id)) if has_parts else {}
    found: dict[UUID, Written] = {}
    missing: dict[UUID, list[ShippingRelease]] = defaultdict(list)
    for release in releases:
        lead = stored.get(release.id)
        if lead and (lead.sieve, lead.is_baseline) == (sieves.get(release.repo_id, 0), release.is_baseline):
            found[release.id] = lead.written
        else:
            missing[release.repo_id].append(release)
    for repo_id, those in missing.items():
        found.update(_made(entity_id, environment, repos[repo_id], those, sieves.get(repo_id, 0)))
    return found


def forget(entity_id: UUID, releases: Collection[UUID]) -> None:
    """Drop what is known of releases that have other commits, or another time, by now; inside write()."""
    _FORGET.run_many((entity_id, release_id) for release_id in releases)


def _made(
    entity_id: UUID, environment: str, repo: RepoRef, releases: Sequence[ShippingRelease], sieve: int
) -> dict[UUID, Written]:
    """Read the commits of some releases of a repo, and keep what they tell."""
    stream = entity_id, repo.id, environment
    version = _VERSION.row(*stream)
    is_final = repo.source_id is None or not is_behind(entity_id, repo.id)
    found: dict[UUID, Written] = {}
    for part in _parts(entity_id, repo, releases):
        leads = _leads(entity_id, repo, part, sieve)
        if version is not None and is_final:
            write(partial(_store, stream, version[0], leads))
        found.update((release_id, lead.written) for release_id, lead in leads.items())
    return found


def _store(stream: tuple[UUID, UUID, str], version: int, leads: Mapping[UUID, _Lead]) -> None:
    """Unless the stream has been attributed anew meanwhile."""
    locked = _LOCK.row(*stream)
    if locked is None or locked[0] != version:
        return
    _STORE.run_many(
        (
            stream[0],
            release_id,
            lead.sieve,
            lead.is_baseline,
            lead.commits,
            lead.written.fact.merges,
            lead.written.fact.timeless,
            lead.written.fact.early,
            _packed("q", lead.written.fact.times),
            _packed("i", lead.written.authors),
        )
        for release_id, lead in leads.items()
    )


def _parts(
    entity_id: UUID, repo: RepoRef, releases: Iterable[ShippingRelease]
) -> Iterator[list[tuple[ShippingRelease, list[Span]]]]:
    """Releases with the spans of their commits, as many together as one query should read."""
    part: list[tuple[ShippingRelease, list[Span]]] = []
    size = 0
    for release in releases:
        spans = counted(entity_id, repo, [(first, last) for first, last in _RUNS.rows(entity_id, release.id)])
        if size and size + size_of(spans) > COMMITS_AT_ONCE:
            yield part
            part, size = [], 0
        part.append((release, spans))
        size += 0 if release.is_baseline else size_of(spans)
    if part:
        yield part


def _leads(
    entity_id: UUID, repo: RepoRef, part: Sequence[tuple[ShippingRelease, list[Span]]], sieve: int
) -> dict[UUID, _Lead]:
    """What the commits of each tell. Nobody asks about those of a baseline: only how many there are."""
    owners = sorted(
        (first, last, release.id) for release, spans in part if not release.is_baseline for first, last in spans
    )
    commits: dict[UUID, list[Authorship]] = defaultdict(list)
    starts = [first for first, _, _ in owners]
    for commit in authorship_in(entity_id, repo.number, [(a, b) for a, b, _ in owners]):
        commits[owners[bisect_right(starts, commit.number) - 1][2]].append(commit)
    return {
        release.id: _Lead(
            Written(LeadFact((), baseline=size_of(spans)), ())
            if release.is_baseline
            else _written(release.released_at, commits[release.id]),
            size_of(spans),
            sieve,
            release.is_baseline,
        )
        for release, spans in part
    }


def why_left_out(released_at: int, authored_at: int | None, *, is_merge: bool, is_baseline: bool) -> Reason | None:
    """Why a commit of a release has no lead time; None when it has one."""
    if is_baseline:
        return Reason.BASELINE
    if is_merge:
        return Reason.MERGE
    if authored_at is None:
        return Reason.TIMELESS
    return Reason.EARLY if authored_at > released_at else None


def _written(released_at: int, commits: Iterable[Authorship]) -> Written:
    """What commits tell of the release that shipped them."""
    times: list[tuple[int, int]] = []
    left: dict[Reason, list[int]] = {Reason.MERGE: [], Reason.TIMELESS: [], Reason.EARLY: []}
    for commit in commits:
        reason = why_left_out(released_at, commit.authored_at, is_merge=commit.is_merge, is_baseline=False)
        if reason is None and commit.authored_at is not None:
            times.append((released_at - commit.authored_at, commit.author))
        elif reason:
            left[reason].append(commit.author)
    times.sort()
    fact = LeadFact(tuple(seconds for seconds, _ in times), *(len(authors) for authors in left.values()))
    return Written(fact, [author for _, author in times] + [author for each in left.values() for author in each])


def _read(row: Row) -> _Lead:
    _, sieve, is_baseline, commits, merges, timeless, early, packed, authors = row
    baseline = commits if is_baseline else 0
    fact = LeadFact(_unpacked("q", packed), merges, timeless, early, baseline)
    return _Lead(Written(fact, _unpacked("i", authors or b"")), commits, sieve, bool(is_baseline))


def _packed(kind: str, numbers: Iterable[int]) -> bytes:
    return _in_order(array(kind, numbers)).tobytes()


def _unpacked(kind: str, packed: bytes) -> Sequence[int]:
    numbers: array[int] = array(kind)
    numbers.frombytes(packed)
    return _in_order(numbers)


def _in_order(numbers: array[int]) -> array[int]:
    """Little-endian where the machine is not, and back."""
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers

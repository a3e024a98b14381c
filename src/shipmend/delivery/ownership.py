"""Which release each commit belongs to, kept in the database and brought up to date before it is read.

A write marks its release and is done; nobody who records releases waits for history. Whoever reads next (or the
worker, if it is quicker) takes what is marked, lets `core.attribution` say which commits change hands, and stores
just those runs. So a late, moved or deleted release costs what it moves, and what is read is never stale.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

from shipmend.catalog.queries import RepoRef, Tenant
from shipmend.core.ancestry import Parents
from shipmend.core.attribution import Attribution, StreamRelease
from shipmend.core.ledger import Ledger
from shipmend.core.lineage import Lineage
from shipmend.core.runs import Redrawn, Run
from shipmend.db.ids import new_id
from shipmend.db.sql import Row, Statement
from shipmend.db.writes import write
from shipmend.delivery import leads, rollbacks
from shipmend.delivery.store import STREAM, there_or_gone
from shipmend.history import graphs
from shipmend.history.touched import counted
from shipmend.jobs.queue import enqueue

T = TypeVar("T")

MEASURE = "measure"
"""The kind of job asked for after each change: the lines of the repo's releases (its id the key) may be counted now."""
MEASURE_DELAY = 2.0
"""Seconds, in which more releases may come."""
DERIVED_ANEW = 100
"""From so many marked releases on, one walk over the whole history is quicker than a change for each."""
KEPT_STREAMS = 64
TRIES = 20

_IS_LIVE = "status = 'succeeded' AND deleted_at IS NULL AND commit_state = 'known' AND released_at IS NOT NULL"
_STREAM = "entity_id = ? AND repo_id = ? AND environment = ?"

_VERSION = Statement(f"SELECT id, version FROM delivery_stream WHERE {_STREAM}")
_NEW_STREAM = Statement(
    "INSERT INTO delivery_stream (id, entity_id, repo_id, environment, version) VALUES (?, ?, ?, ?, 0)"
    " ON CONFLICT (entity_id, repo_id, environment) DO NOTHING"
)
_LOCK = Statement(f"SELECT version FROM delivery_stream WHERE {_STREAM} {{lock}}")
_RAISE = Statement("UPDATE delivery_stream SET version = version + 1 WHERE entity_id = ? AND id = ?")
_MARKED = Statement(
    "SELECT id, attributed_at, attributed_commit, released_at, commit_number,"
    f" CASE WHEN {_IS_LIVE} THEN 1 ELSE 0 END FROM delivery_release"
    f" WHERE {_STREAM} AND needs_attribution ORDER BY id"
)
_ATTRIBUTED = there_or_gone(
    "SELECT attributed_at, attributed_commit, id FROM delivery_release",
    f"{STREAM} AND attributed_at IS NOT NULL",
)
_LIVE = Statement(
    f"SELECT released_at, commit_number, id FROM delivery_release WHERE {_STREAM} AND {_IS_LIVE}"
    " ORDER BY released_at, commit_number"
)
_RUNS = Statement("SELECT first, last, release_id FROM delivery_shippedrun WHERE entity_id = ? AND stream_id = ?")
_DELETE_RUN = Statement("DELETE FROM delivery_shippedrun WHERE entity_id = ? AND stream_id = ? AND first = ?")
_INSERT_RUN = Statement(
    "INSERT INTO delivery_shippedrun (entity_id, stream_id, first, last, release_id) VALUES (?, ?, ?, ?, ?)"
)
_SETTLE_MARK = Statement(
    "UPDATE delivery_release SET needs_attribution = ?, attributed_at = ?, attributed_commit = ?"
    " WHERE entity_id = ? AND id = ?"
)
_RUNS_OF_RELEASE = Statement(
    "SELECT first, last FROM delivery_shippedrun WHERE entity_id = ? AND release_id = ? ORDER BY first"
)
_OWNER = Statement(
    "SELECT release_id, last FROM delivery_shippedrun"
    " WHERE entity_id = ? AND stream_id = ? AND first <= ? ORDER BY first DESC LIMIT 1"
)
_ENVIRONMENT = Statement("SELECT environment FROM delivery_release WHERE entity_id = ? AND repo_id = ? AND id = ?")
_UNATTRIBUTED_HERE = Statement(
    "SELECT DISTINCT r.repo_id, r.environment, COALESCE(s.number, p.number) FROM delivery_release r"
    " JOIN catalog_repo p ON p.entity_id = r.entity_id AND p.id = r.repo_id"
    " LEFT JOIN catalog_repo s ON s.entity_id = p.entity_id AND s.id = p.source_id"
    " WHERE r.entity_id = ? AND r.needs_attribution"
)
_UNATTRIBUTED = Statement(
    "SELECT DISTINCT entity_id, repo_id, environment FROM delivery_release WHERE needs_attribution LIMIT ?"
)


@dataclass(frozen=True, slots=True)
class StreamKey:
    """A stream, and where its history lies."""

    entity_id: UUID
    repo_id: UUID
    repo_number: int
    environment: str

    @classmethod
    def of(cls, tenant: Tenant, repo: RepoRef, environment: str) -> StreamKey:
        """The stream of a repo in an environment."""
        return cls(tenant.id, repo.id, repo.number, environment)

    @property
    def words(self) -> tuple[UUID, UUID, str]:
        """What names it in statements."""
        return self.entity_id, self.repo_id, self.environment


@dataclass(frozen=True, slots=True)
class _Mark:
    """A marked release: what it was attributed as, and what it is now."""

    id: UUID
    before: StreamRelease | None
    after: StreamRelease | None

    @classmethod
    def of(cls, row: Row) -> _Mark:
        release_id, attributed_at, attributed_commit, released_at, commit, is_live = row
        before = None if attributed_at is None else StreamRelease(attributed_at, attributed_commit)
        return cls(release_id, before, StreamRelease(released_at, commit) if is_live else None)


@dataclass(slots=True)
class _Known:
    """What this process knows of a stream as of a version."""

    version: int
    attribution: Attribution
    ids: dict[StreamRelease, UUID]


@dataclass(frozen=True, slots=True)
class StreamLedger:
    """The ledger of a stream, with the releases that its places stand for."""

    ledger: Ledger
    releases: tuple[UUID, ...]
    released_at: tuple[int, ...]
    commits: tuple[int, ...]


def bring_up_to_date(key: StreamKey) -> None:
    """Attribute what has been recorded, changed or deleted on a stream since it was last attributed."""
    for _ in range(TRIES):
        if not _marks(key) or _keeper.settle(key):
            return
    raise TimeoutError(f"the releases of repo {key.repo_id} change faster than they can be attributed")


def bring_entity_up_to_date(tenant: Tenant) -> None:
    """The same for every stream of an entity. One query where nothing is marked."""
    for repo_id, environment, number in _UNATTRIBUTED_HERE.rows(tenant.id):
        bring_up_to_date(StreamKey(tenant.id, repo_id, number, environment))


def runs_of_release(tenant: Tenant, repo: RepoRef, release_id: UUID) -> list[tuple[int, int]]:
    """The commits that belong to a release: first and last numbers, ascending. None for a rollback.

    Of a part of a repo, those that touch its paths.
    """
    environment = _environment_of(tenant, repo, release_id)
    if environment is None:
        return []
    bring_up_to_date(StreamKey.of(tenant, repo, environment))
    runs = [(first, last) for first, last in _RUNS_OF_RELEASE.rows(tenant.id, release_id)]
    return counted(tenant.id, repo, runs)


def owner_of(key: StreamKey, commit: int) -> UUID | None:
    """The release that a commit belongs to, by its number; None when none contains it."""
    bring_up_to_date(key)
    stream = _VERSION.row(*key.words)
    row = _OWNER.row(key.entity_id, stream[0], commit) if stream else None
    return row[0] if row and commit <= row[1] else None


def ledger_of(key: StreamKey) -> StreamLedger:
    """The ledger of a stream as it stands."""
    bring_up_to_date(key)
    return _keeper.ledger(key)


def kept_ledger(stream_id: UUID, version: int, commits: int) -> StreamLedger | None:
    """The ledger of a stream without a question, if this process has it and it is true of this version and history."""
    return _keeper.kept(stream_id, (version, commits))


def base_of_release(tenant: Tenant, repo: RepoRef, release_id: UUID) -> int | None:
    """The commit of the nearest earlier release of its stream that is an ancestor of this release; None for a first."""
    environment = _environment_of(tenant, repo, release_id)
    if environment is None:
        return None
    stream = ledger_of(StreamKey.of(tenant, repo, environment))
    if release_id not in stream.releases:
        return None
    ancestors = stream.ledger.ancestors(stream.releases.index(release_id))
    return max((stream.commits[place] for place in ancestors), default=None)


def unattributed_streams(limit: int) -> list[tuple[UUID, UUID, str]]:
    """(entity, repo, environment) of streams with something marked."""
    return [(entity_id, repo_id, environment) for entity_id, repo_id, environment in _UNATTRIBUTED.rows(limit)]


def _environment_of(tenant: Tenant, repo: RepoRef, release_id: UUID) -> str | None:
    row = _ENVIRONMENT.row(tenant.id, repo.id, release_id)
    return None if row is None else str(row[0])


class _Keeper:
    """The streams that this process has read lately. One thread at a time derives; readers of ledgers share them."""

    def __init__(self) -> None:
        self._known: OrderedDict[UUID, _Known] = OrderedDict()
        self._ledgers: OrderedDict[UUID, tuple[tuple[int, int], StreamLedger]] = OrderedDict()
        self._lock = threading.Lock()

    def settle(self, key: StreamKey) -> bool:
        """Attribute the marked releases and store what changed hands. False when another process was quicker."""
        with self._lock:
            stream_id, version = _stream(key)
            marks = _marks(key)
            known = self._current(key, stream_id, version)
            # Until it is stored, what is known here is ahead of what is stored, or of another version than the marks.
            del self._known[stream_id]
            if _stream(key) != (stream_id, version):
                return False
            redrawn, ids = _attributed(key, known, marks)
            parents = graphs.load(key.entity_id, key.repo_number)
            stored = write(lambda: _store(key, stream_id, version, redrawn, ids, marks, parents))
            if stored:
                known.version = version + 1
                self._known[stream_id] = known
            return stored

    def ledger(self, key: StreamKey) -> StreamLedger:
        """The ledger of a stream that is up to date."""
        parents = graphs.load(key.entity_id, key.repo_number)
        with self._lock:
            stream_id, version = _stream(key)
            kept = self._ledgers.get(stream_id)
            true_of = version, len(parents)
            if kept is None or kept[0] != true_of:
                kept = self._ledgers[stream_id] = (true_of, _read_ledger(key, parents))
            _use(self._ledgers, stream_id)
            return kept[1]

    def kept(self, stream_id: UUID, true_of: tuple[int, int]) -> StreamLedger | None:
        """The ledger that it has, if that is true of this version and number of commits."""
        with self._lock:
            kept = self._ledgers.get(stream_id)
            if kept is None or kept[0] != true_of:
                return None
            _use(self._ledgers, stream_id)
            return kept[1]

    def _current(self, key: StreamKey, stream_id: UUID, version: int) -> _Known:
        known = self._known.get(stream_id)
        if known is None or known.version != version:
            known = self._known[stream_id] = _load(key, stream_id, version)
        _use(self._known, stream_id)
        return known


def _use(kept: OrderedDict[UUID, T], stream_id: UUID) -> None:
    kept.move_to_end(stream_id)
    while len(kept) > KEPT_STREAMS:
        kept.popitem(last=False)


def _marks(key: StreamKey) -> list[_Mark]:
    return [_Mark.of(row) for row in _MARKED.rows(*key.words)]


def _stream(key: StreamKey) -> tuple[UUID, int]:
    row = _VERSION.row(*key.words)
    if row is None:
        write(lambda: _NEW_STREAM.run(new_id(), *key.words))
        row = _VERSION.row(*key.words)
    if row is None:
        raise LookupError(f"the stream {key} was removed")
    return row[0], row[1]


def _load(key: StreamKey, stream_id: UUID, version: int) -> _Known:
    lineage = Lineage(graphs.load(key.entity_id, key.repo_number))
    ids = {StreamRelease(at, commit): release_id for at, commit, release_id in _ATTRIBUTED.rows(*key.words)}
    releases = {release_id: release for release, release_id in ids.items()}
    rows = _RUNS.rows(key.entity_id, stream_id)
    runs = [Run(first, last, releases[release_id]) for first, last, release_id in rows]
    return _Known(version, Attribution(lineage, ids, runs), ids)


def _attributed(
    key: StreamKey, known: _Known, marks: list[_Mark]
) -> tuple[Redrawn[StreamRelease], dict[StreamRelease, UUID]]:
    """What changes hands by the marked releases, and whose release is whose."""
    for mark in marks:
        if mark.before is not None:
            known.ids.pop(mark.before, None)
    known.ids.update((mark.after, mark.id) for mark in marks if mark.after is not None)
    if len(marks) < DERIVED_ANEW:
        return _changed(known.attribution, marks), known.ids
    before = set(known.attribution)
    lineage = Lineage(graphs.load(key.entity_id, key.repo_number))
    known.attribution = Attribution.derive(lineage, known.ids)
    return Redrawn.between(before, set(known.attribution)), known.ids


def _changed(attribution: Attribution, marks: list[_Mark]) -> Redrawn[StreamRelease]:
    redrawn: Redrawn[StreamRelease] = Redrawn()
    # First all that goes, then all that comes: two releases may have swapped their times.
    for mark in marks:
        if mark.before is not None and mark.before != mark.after:
            redrawn = redrawn.then(attribution.remove(mark.before))
    for mark in marks:
        if mark.after is not None and mark.before != mark.after:
            redrawn = redrawn.then(attribution.insert(mark.after))
    return redrawn


def _store(
    key: StreamKey,
    stream_id: UUID,
    version: int,
    redrawn: Redrawn[StreamRelease],
    ids: dict[StreamRelease, UUID],
    marks: list[_Mark],
    parents: Parents,
) -> bool:
    """Write what changed, if the stream is still as it was read."""
    locked = _LOCK.row(*key.words)
    if locked is None or locked[0] != version:
        return False
    if _marks(key) != marks:
        return False
    _DELETE_RUN.run_many([(key.entity_id, stream_id, run.first) for run in redrawn.gone])
    _INSERT_RUN.run_many([(key.entity_id, stream_id, run.first, run.last, ids[run.value]) for run in redrawn.come])
    _SETTLE_MARK.run_many(
        [(False, *(mark.after if mark.after else (None, None)), key.entity_id, mark.id) for mark in marks]
    )
    leads.forget(key.entity_id, {mark.id for mark in marks} | _owners(redrawn, ids))
    rollbacks.mark_undone(*key.words, parents)
    _RAISE.run(key.entity_id, stream_id)
    enqueue(entity_id=key.entity_id, kind=MEASURE, key=str(key.repo_id), delay=MEASURE_DELAY)
    return True


def _owners(redrawn: Redrawn[StreamRelease], ids: dict[StreamRelease, UUID]) -> set[UUID]:
    """The releases that lost or got commits. One that is no more is among the marked."""
    return {ids[run.value] for run in (*redrawn.gone, *redrawn.come) if run.value in ids}


def _read_ledger(key: StreamKey, parents: Parents) -> StreamLedger:
    rows = _LIVE.rows(*key.words)
    commits = tuple(row[1] for row in rows)
    return StreamLedger(Ledger(parents, commits), tuple(row[2] for row in rows), tuple(row[0] for row in rows), commits)


_keeper = _Keeper()

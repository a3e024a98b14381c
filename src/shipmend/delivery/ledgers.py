"""The ledgers of many streams, at the cost of two questions when this process knows them already."""

from __future__ import annotations

import threading
from collections import OrderedDict, defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Generic, TypeVar
from uuid import UUID
from weakref import WeakKeyDictionary

from shipmend.core.ledger import Ledger
from shipmend.core.live import Turn
from shipmend.core.waiting import Waiting
from shipmend.delivery.models import PRODUCTION, Release
from shipmend.delivery.models import Stream as StreamRow
from shipmend.delivery.ownership import StreamKey, StreamLedger, bring_up_to_date, kept_ledger, ledger_of
from shipmend.history import graphs
from shipmend.history.indexed import IndexedRepo

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

KEPT_UNRELEASED = 64
"""Repos whose histories are kept at hand although nothing of them was released anywhere."""
KEPT_COUNTS = 10_000
"""Streams of which it is remembered how many commits wait, also when their ledgers are not at hand any more."""


@dataclass(frozen=True, slots=True)
class Known:
    """A stream's row. None stands for a stream of which there is none: nothing was released there."""

    id: UUID
    version: int


@dataclass(frozen=True)
class RepoStream:
    """A repo in an environment, and the life of its commits there; read when it is first asked for."""

    entity_id: UUID
    repo: IndexedRepo
    environment: str
    known: Known | None

    @cached_property
    def stream(self) -> StreamLedger:
        """The ledger with its releases."""
        if self.known is None:
            return _without_releases(self.entity_id, self.repo)
        kept = kept_ledger(self.known.id, self.known.version, self.repo.commits)
        return kept or ledger_of(StreamKey(self.entity_id, self.repo.ref.id, self.repo.ref.number, self.environment))

    def turns_of(self, commit: int) -> tuple[Turn, ...]:
        """What happened to a commit, the oldest first."""
        stream = self.stream
        return tuple(
            Turn(release, stream.released_at[release], fate, stream.releases[release])
            for release, fate in stream.ledger.history_of(commit)
        )

    @property
    def waiting(self) -> Waiting:
        """What the release branch contains and no release does; of a part, also what does not count for it."""
        return _waiting(self.stream.ledger, self.repo.tip or 0)

    @property
    def waiting_count(self) -> int:
        """How many commits wait, merges apart."""
        stamp = self.repo.ref.home_id, self.known, self.repo.commits, self.repo.tip
        count = _counts.get(stamp)
        if count is None:
            count = len(self.waiting.commits)
            _counts.put(stamp, count)
        return count

    def held_by(self, tips: Sequence[int]) -> frozenset[int]:
        """What some branches and tags contain, by their tips, and no release does."""
        return frozenset(self.stream.ledger.held_by(tips))


def streams_of(
    entity_id: UUID, repos: Sequence[IndexedRepo], environment: str | None = None
) -> dict[UUID, list[RepoStream]]:
    """By repo its streams: that of one environment, whether or not anything was released there; or all there are.

    Production comes first. A repo of which nothing was released is answered for production. One without a history
    has no streams, for nobody can tell what is in its releases.
    """
    indexed = [repo for repo in repos if repo.commits]
    known = _known(entity_id, indexed)
    found: dict[UUID, list[RepoStream]] = {}
    for repo in indexed:
        there = known[repo.ref.id]
        names = sorted(there, key=_production_first) if environment is None else [environment]
        streams = [RepoStream(entity_id, repo, name, there.get(name)) for name in names]
        if environment is None:
            streams = [each for each in streams if each.stream.releases]
        found[repo.ref.id] = streams or [RepoStream(entity_id, repo, PRODUCTION, None)]
    return found


def _production_first(environment: str) -> tuple[bool, str]:
    return environment != PRODUCTION, environment


def _known(entity_id: UUID, repos: Sequence[IndexedRepo]) -> defaultdict[UUID, dict[str, Known]]:
    """By repo and environment, after what was recorded, changed or deleted has been attributed."""
    numbers = {repo.ref.id: repo.ref.number for repo in repos}
    rows = {"entity_id": entity_id, "repo_id__in": list(numbers)}
    marked = Release.objects.filter(needs_attribution=True, **rows).values_list("repo_id", "environment")
    for repo_id, environment in set(marked):
        bring_up_to_date(StreamKey(entity_id, repo_id, numbers[repo_id], environment))
    found: defaultdict[UUID, dict[str, Known]] = defaultdict(dict)
    for row in StreamRow.objects.filter(**rows).values_list("repo_id", "environment", "id", "version"):
        repo_id, environment, stream_id, version = row
        found[repo_id][environment] = Known(stream_id, version)
    return found


class _Lately(Generic[K, V]):
    """What was asked for lately: at most so much of it."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: OrderedDict[K, V] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: K) -> V | None:
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key)

    def put(self, key: K, value: V) -> None:
        with self._lock:
            self._kept[key] = value
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)


_counts: _Lately[tuple[UUID, Known | None, int, int | None], int] = _Lately(KEPT_COUNTS)
_unreleased: _Lately[tuple[UUID, int], StreamLedger] = _Lately(KEPT_UNRELEASED)
_waits: WeakKeyDictionary[Ledger, tuple[int, Waiting]] = WeakKeyDictionary()
"""What waits, by the tip it was asked for, as long as the ledger is at hand."""


def _without_releases(entity_id: UUID, repo: IndexedRepo) -> StreamLedger:
    where = repo.ref.home_id, repo.commits
    ledger = _unreleased.get(where)
    if ledger is None:
        ledger = StreamLedger(Ledger(graphs.load(entity_id, repo.ref.number), ()), (), (), ())
        _unreleased.put(where, ledger)
    return ledger


def _waiting(ledger: Ledger, tip: int) -> Waiting:
    kept = _waits.get(ledger)
    if kept is None or kept[0] != tip:
        kept = _waits[ledger] = (tip, ledger.waiting(tip))
    return kept[1]

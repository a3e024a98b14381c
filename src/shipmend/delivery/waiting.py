"""What is merged and not released: commits of the release branches that no succeeded release contains."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from shipmend.catalog.queries import Place
from shipmend.core.ancestry import NONE
from shipmend.core.values import ResourcePath
from shipmend.core.waiting import Waiting
from shipmend.delivery.ledgers import RepoStream, streams_of
from shipmend.delivery.models import PRODUCTION
from shipmend.delivery.queries import PAGE_SIZE, Page
from shipmend.delivery.tickets import counting
from shipmend.history.indexed import FoundCommit, commits_at, indexed_repos


@dataclass(frozen=True, slots=True)
class WaitingCommit:
    """A commit that waits, and since when: the time of the commit of the release branch that brought it."""

    path: ResourcePath
    commit: FoundCommit
    brought_by: FoundCommit

    @property
    def since(self) -> int | None:
        """Epoch seconds; None where that commit gives no usable time."""
        return self.brought_by.committed_at


@dataclass(frozen=True, slots=True)
class WaitingRepo:
    """How much waits in a repo."""

    path: ResourcePath
    commits: int
    merges: int
    """Counted apart: what they brought is among the commits."""
    since: int | None
    """Of what waits longest."""
    was_released: bool
    """Whether anything was ever released there; otherwise all of the branch waits."""


@dataclass(frozen=True, slots=True)
class WaitingList:
    """What waits at and below a place, for one environment."""

    environment: str
    repos: tuple[WaitingRepo, ...]
    """Those where something waits, by path."""
    page: Page[WaitingCommit]
    """By repo, and in each what waits longest first; without merges."""


@dataclass(frozen=True, slots=True)
class _Queue:
    """What waits in a repo, by number."""

    stream: RepoStream
    waiting: Waiting
    commits: Sequence[int]
    merges: Sequence[int]

    @property
    def path(self) -> ResourcePath:
        return self.stream.repo.path

    @property
    def number(self) -> int:
        return self.stream.repo.ref.number

    @property
    def first(self) -> int:
        """What waits longest."""
        return min((*self.commits[:1], *self.merges[:1]), key=self.waiting.brought_by)


def list_waiting(place: Place, *, environment: str = PRODUCTION, page: int = 1, size: int = PAGE_SIZE) -> WaitingList:
    """What waits for a release to an environment. A fixed number of questions, and one for each part of a repo."""
    queues = [
        queue for stream in _streams(place, environment) if (queue := _queue(place, stream)).commits or queue.merges
    ]
    shown = _cut(queues, (page - 1) * size, size)
    pairs = [*shown, *((queue, queue.first) for queue in queues)]
    wanted = {(queue.number, each) for queue, c in pairs for each in (c, queue.waiting.brought_by(c)) if each != NONE}
    found = commits_at(place.tenant.id, wanted)

    def commit(queue: _Queue, number: int) -> WaitingCommit:
        step = queue.waiting.brought_by(number)
        return WaitingCommit(queue.path, found[queue.number, number], found[queue.number, step])

    repos = tuple(
        WaitingRepo(
            queue.path,
            len(queue.commits),
            len(queue.merges),
            commit(queue, queue.first).since,
            bool(queue.stream.stream.releases),
        )
        for queue in queues
    )
    items = tuple(commit(queue, number) for queue, number in shown)
    return WaitingList(environment, repos, Page(items, page, size, sum(len(queue.commits) for queue in queues)))


def count_waiting(place: Place, *, environment: str = PRODUCTION) -> int:
    """How many commits wait, merges apart."""
    return sum(waiting_by_repo(place, environment=environment).values())


def waiting_by_repo(place: Place, *, environment: str = PRODUCTION) -> dict[UUID, int]:
    """The same for each repo whose history is known."""
    return {
        stream.repo.ref.id: (len(_queue(place, stream).commits) if stream.repo.ref.source_id else stream.waiting_count)
        for stream in _streams(place, environment)
    }


def _streams(place: Place, environment: str) -> list[RepoStream]:
    found = streams_of(place.tenant.id, indexed_repos(place), environment)
    return [stream for streams in found.values() for stream in streams]


def _queue(place: Place, stream: RepoStream) -> _Queue:
    waiting = stream.waiting
    commits, merges = (_counting(place, stream, each) for each in (waiting.commits, waiting.merges))
    return _Queue(stream, waiting, commits, merges)


def _counting(place: Place, stream: RepoStream, commits: array[int]) -> Sequence[int]:
    return counting(place.tenant, stream.repo, commits) if stream.repo.ref.source_id else commits


def _cut(queues: Sequence[_Queue], skip: int, take: int) -> list[tuple[_Queue, int]]:
    """The commits of a page, over all queues."""
    shown: list[tuple[_Queue, int]] = []
    for queue in queues:
        part = queue.commits[skip : skip + take - len(shown)]
        shown += [(queue, number) for number in part]
        skip = max(0, skip - len(queue.commits))
    return shown

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
from shipmend.history.indexed import FoundCommit, IndexedRepo, commits_at, indexed_repos
from shipmend.history.unseen import Unseen


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
class UnseenRepo:
    """A repo of which nobody can tell what waits there."""

    path: ResourcePath
    why: Unseen

    @property
    def sentence(self) -> str:
        """The same for people."""
        return f"What waits in {self.path} can't be told, because {self.why.because}: {self.why.mend}."


@dataclass(frozen=True, slots=True)
class WaitingCount:
    """How much waits at and below a place, and how much of the place could be looked at for that."""

    commits: int
    """Merges apart."""
    seen: int
    """Repos."""
    unseen: int


@dataclass(frozen=True, slots=True)
class WaitingList:
    """What waits at and below a place, for one environment."""

    environment: str
    repos: tuple[WaitingRepo, ...]
    """Those where something waits, by path."""
    seen: int
    """How many repos could be looked at."""
    unseen: tuple[UnseenRepo, ...]
    """The others, by path."""
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
    known = indexed_repos(place)
    unseen = _unseen(known)
    streams = _streams(place, known, environment)
    queues = [queue for stream in streams if (queue := _queue(place, stream)).commits or queue.merges]
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
    shown_page = Page(items, page, size, sum(len(queue.commits) for queue in queues))
    return WaitingList(environment, repos, len(known) - len(unseen), unseen, shown_page)


def unseen_repos(place: Place) -> tuple[UnseenRepo, ...]:
    """The repos of which nobody can tell what waits there, by path."""
    return _unseen(indexed_repos(place))


def count_waiting(place: Place, *, environment: str = PRODUCTION) -> WaitingCount:
    """How much waits."""
    counts = waiting_by_repo(place, environment=environment)
    seen = [commits for commits in counts.values() if commits is not None]
    return WaitingCount(sum(seen), len(seen), len(counts) - len(seen))


def waiting_by_repo(place: Place, *, environment: str = PRODUCTION) -> dict[UUID, int | None]:
    """How many commits wait in each repo, merges apart; None where nobody can tell."""
    known = indexed_repos(place)
    counts = {
        stream.repo.ref.id: (len(_queue(place, stream).commits) if stream.repo.ref.source_id else stream.waiting_count)
        for stream in _streams(place, known, environment)
    }
    return {repo.ref.id: None if repo.unseen else counts.get(repo.ref.id, 0) for repo in known}


def _unseen(repos: Sequence[IndexedRepo]) -> tuple[UnseenRepo, ...]:
    return tuple(UnseenRepo(repo.path, repo.unseen) for repo in repos if repo.unseen)


def _streams(place: Place, repos: Sequence[IndexedRepo], environment: str) -> list[RepoStream]:
    found = streams_of(place.tenant.id, [repo for repo in repos if not repo.unseen], environment)
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

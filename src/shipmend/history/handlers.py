"""What a worker does for history; `shipmend.worker` registers it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from uuid import UUID

from django.conf import settings
from django.db import DatabaseError, InterfaceError

from shipmend.catalog.models import IndexState, Repo
from shipmend.catalog.queries import parts_of
from shipmend.core.errors import Unavailable
from shipmend.git.errors import GitError, MirrorBusy
from shipmend.git.remotes import RemoteRefused
from shipmend.history import sifting, store
from shipmend.history.actions import (
    FORGET,
    INDEX,
    SETTLE,
    SIFT,
    TEND,
    request_index,
    request_sift,
    schedule_fetches,
)
from shipmend.history.index import RepoGone, index_repo
from shipmend.history.mirrors import mirror_of
from shipmend.history.sifting import PartChanged, sift
from shipmend.history.store import Key, State
from shipmend.jobs.foreground import do_now
from shipmend.jobs.queue import enqueue
from shipmend.jobs.registry import Interrupted, JobContext, LeaseLost, Registry

log = logging.getLogger(__name__)

MOST_PACKS = 20
"""Of a mirror, before they are joined."""
SHORTEST_ROUND = 1.0
LONGEST_ROUND = 30.0
"""Seconds between two looks for repos to be fetched."""

_NOT_THE_REPOS_FAULT = (Interrupted, LeaseLost, MirrorBusy, Unavailable, DatabaseError, InterfaceError)


def register(registry: Registry) -> None:
    """Teach a worker what history does."""
    registry.add(INDEX, run_index, heavy=True)
    registry.add(SIFT, run_sift, heavy=True)
    registry.add(TEND, run_tend, heavy=True)
    registry.add(FORGET, run_forget)
    interval = settings.CONFIG.fetch_interval
    if interval:
        often = min(max(interval / 10, SHORTEST_ROUND), LONGEST_ROUND)
        registry.every(often, partial(schedule_fetches, interval))


def index_now(repo: Repo, *, on_progress: Callable[[str], None]) -> None:
    """Index a repo, and what its parts count, in the calling thread, or follow the worker that does so already.

    `on_progress` gets a line for people now and then. Raises as index_repo does, or JobFailed for a
    worker's failure.
    """
    registry = Registry()
    registry.add(INDEX, partial(run_index, on_progress=on_progress))
    registry.add(SIFT, partial(run_sift, on_progress=on_progress))
    home = repo.home

    def look() -> None:
        home.refresh_from_db(fields=["index_progress"])
        on_progress(home.index_progress)

    def do(job_id: UUID, kind: str) -> None:
        do_now(registry, job_id=job_id, entity_id=home.entity_id, kind=kind, key=str(home.id), on_wait=look)

    do(request_index(repo, reason="asked on the command line"), INDEX)
    sift_id = request_sift(home)
    if sift_id is not None:
        do(sift_id, SIFT)


def run_index(context: JobContext, *, on_progress: Callable[[str], None] = lambda _: None) -> None:
    """Index the repo whose id is the job's key; what goes wrong is told on the repo's page."""
    repo = Repo.objects.filter(entity_id=context.entity_id, id=UUID(context.key)).first()
    if repo is None:
        return
    with _told_on_page(context, repo):
        index_repo(repo, guard=context, refill=bool(context.payload.get("refill")), on_progress=on_progress)


def run_sift(context: JobContext, *, on_progress: Callable[[str], None] = lambda _: None) -> None:
    """Find the commits that count for the parts of the repo whose id is the job's key; what they change follows."""
    source = Repo.objects.filter(entity_id=context.entity_id, id=UUID(context.key)).first()
    if source is None:
        return
    faults: list[GitError] = []
    for part in parts_of(source):
        try:
            with _told_on_page(context, part):
                sift(part, guard=context, on_progress=on_progress)
        except GitError as fault:  # perhaps of this part's paths alone
            faults.append(fault)
    context.write(lambda: enqueue(entity_id=context.entity_id, kind=SETTLE, key=context.key))
    if faults:
        raise faults[0]


@contextmanager
def _told_on_page(context: JobContext, repo: Repo) -> Iterator[None]:
    """What goes wrong is told on the repo's page, and raised; that the repo has become another ends the work."""
    try:
        yield
    except (RepoGone, PartChanged):
        log.info("repo %s was removed or changed while it was being worked on", repo.id)
    except _NOT_THE_REPOS_FAULT:
        raise
    except Exception as error:
        context.write(partial(_tell, repo, error))
        raise


def _tell(repo: Repo, error: Exception) -> None:
    said = error.for_people if isinstance(error, GitError | RemoteRefused) else _unforeseen(error)
    Repo.objects.filter(entity_id=repo.entity_id, id=repo.id).update(
        index_state=IndexState.FAILED, index_error=said, index_progress=""
    )


def _unforeseen(error: Exception) -> str:
    return f"Shipmend itself failed ({type(error).__name__}); the server's log tells more."


def run_tend(context: JobContext) -> None:
    """Upkeep of the mirror of the repo whose id is the job's key, if it is on this machine.

    Walks and questions about paths get quicker by it, and nothing else: so what goes wrong is left for the next time.
    """
    mirror = mirror_of(UUID(context.key))
    if not mirror.exists:
        return
    try:
        mirror.write_commit_graph()
        if mirror.packs > MOST_PACKS:
            mirror.repack()
    except MirrorBusy:
        raise
    except GitError as fault:
        log.warning("the upkeep of the mirror %s failed: %s", context.key, fault)


def run_forget(context: JobContext) -> None:
    """Delete the rows and the mirror of a removed repo, whose id is the job's key."""
    key = Key(context.entity_id, int(context.payload["number"]))
    while context.write(partial(_forget_some, key)):
        context.check()
    while context.write(partial(sifting.wipe_some, context.entity_id, UUID(context.key))):
        context.check()
    mirror_of(UUID(context.key)).delete()


def _forget_some(key: Key) -> bool:
    """False when there is nothing more to delete."""
    state = store.state_of(key)
    if state is None or state.repo_id is not None:
        # A new repo got the same number, and has deleted what it found.
        return False
    if not store.wipe_some(key, above=State(None)):
        store.forget(key)
    return True

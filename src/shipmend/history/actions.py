"""Asking for what history does: an index, what its parts count, the end of one, and fetches that come by themselves."""

from __future__ import annotations

from uuid import UUID

from shipmend.audit.trail import Actor
from shipmend.catalog.actions import choose_tickets
from shipmend.catalog.models import IndexState, Repo
from shipmend.catalog.queries import Tenant
from shipmend.db.clock import epoch_now
from shipmend.db.sql import Statement
from shipmend.db.writes import write
from shipmend.history import sifting, store
from shipmend.history.store import Key
from shipmend.history.touched import has_parts_behind
from shipmend.jobs.queue import enqueue, open_keys

INDEX = "index"
"""The kind of job that fetches and indexes the repo whose id is its key."""
SETTLE = "settle"
"""The kind of job asked for after each index: what waited for commits of that repo (its key) may be settled now."""
SIFT = "sift"
"""The kind of job that finds the commits which the parts of a repo (its key) count: after an index, or other paths."""
TEND = "tend"
"""The kind of job asked for after an index that found something: upkeep of the mirror of a repo (its key)."""
TEND_DELAY = 30.0
"""Seconds, in which more may be pushed."""
FORGET = "forget"
"""The kind of job that deletes what is left of a removed repo: its rows and its mirror."""

SCHEDULED_AT_ONCE = 100
JITTER = 0.1
"""Scheduled fetches of a repo come up to this part of the interval early or late, so that they spread out."""

_DUE = Statement(
    "SELECT id, entity_id FROM catalog_repo WHERE remote_url <> '' AND (fetched_at IS NULL OR fetched_at <= ?)"
    " ORDER BY fetched_at IS NOT NULL, fetched_at"
)


def request_index(repo: Repo, *, reason: str, refill: bool = False) -> UUID:
    """Have the repo fetched and indexed soon, and return the job's id. `reason` is for people who look at jobs.

    Joins the surrounding write(), if there is one. The fetch begins after this call, so it brings all that
    is on the remote by now. For a part of a repo it is that repo, and the part's paths are applied as well.
    `refill`: files that the remote could not read are asked for once more.
    """
    home = repo.home

    def work() -> UUID:
        if home.index_state in (IndexState.NONE, IndexState.FAILED):
            home.index_state = IndexState.WAITING
            Repo.objects.filter(entity_id=home.entity_id, id=home.id).update(index_state=home.index_state)
        if repo is not home:
            request_sift(home)
        return _enqueue(home.entity_id, home.id, reason, refill=refill)

    return write(work)


def look_for_tickets(*, tenant: Tenant, pattern: str, numbers: bool, actor: Actor) -> None:
    """Say what counts as a ticket in an entity, and have the messages of all its commits read for that.

    Raises Invalid. `pattern` and `numbers` as core.tickets has them.
    """

    def work() -> None:
        if choose_tickets(tenant=tenant, pattern=pattern, numbers=numbers, actor=actor):
            for repo in Repo.objects.filter(entity_id=tenant.id).exclude(remote_url=""):
                request_index(repo, reason="tickets are looked for by another pattern")

    write(work)


def request_sift(source: Repo) -> UUID | None:
    """Have the commits that the parts of a repo count found soon, and return the job's id; None when they all are.

    Joins the surrounding write(), if there is one.
    """

    def work() -> UUID | None:
        if not has_parts_behind(source.entity_id, source.id):
            return None
        return enqueue(entity_id=source.entity_id, kind=SIFT, key=str(source.id))

    return write(work)


def schedule_fetches(interval: float) -> int:
    """Ask for an index of every repo not fetched for about `interval` seconds, and tell how many that were."""
    now = epoch_now()

    def work() -> int:
        rows = _DUE.rows(int(now - interval * (1 - JITTER)))
        asked = open_keys(INDEX)
        # All that are due are looked at: a hundred that have been asked for must not keep the next from their turn.
        new = [(repo_id, entity_id) for repo_id, entity_id in rows if (entity_id, str(repo_id)) not in asked]
        due = new[:SCHEDULED_AT_ONCE]
        for repo_id, entity_id in due:
            _enqueue(entity_id, repo_id, "scheduled", delay=_spread(repo_id) * 2 * JITTER * interval)
        return len(due)

    return write(work)


def abandon_history(repo: Repo) -> None:
    """The repo is being removed, in the surrounding write(): its commits can't be found from now on."""
    store.abandon(Key(repo.entity_id, repo.number))
    sifting.abandon(repo.entity_id, repo.id)
    payload = {"number": repo.number}
    enqueue(entity_id=repo.entity_id, kind=FORGET, key=str(repo.id), payload=payload)


def _enqueue(entity_id: UUID, repo_id: UUID, reason: str, *, delay: float = 0, refill: bool = False) -> UUID:
    payload = {"reason": reason, "refill": refill}
    return enqueue(entity_id=entity_id, kind=INDEX, key=str(repo_id), payload=payload, delay=delay)


def _spread(repo_id: UUID) -> float:
    """The same number from 0 to 1 for the same repo: its random bits."""
    return (repo_id.int & 0xFFFF) / 0x10000

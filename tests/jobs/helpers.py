"""Asking for jobs, taking them, and making time pass for them."""

from __future__ import annotations

from uuid import UUID

from shipmend.db.writes import write
from shipmend.jobs.models import Job
from shipmend.jobs.queue import Claim, Claimer, enqueue
from tests.world import World

LONG_AGO = 1
"""Milliseconds after 1970."""


def ask(world: World, kind: str, key: str = "one", *, delay: float = 0) -> UUID:
    """As a caller with nothing else to write."""
    return write(lambda: enqueue(entity_id=world.tenant.id, kind=kind, key=key, delay=delay))


def take(kind: str, *, owner: str = "first", lease: float = 60) -> Claim | None:
    """The next due job of a kind."""
    return Claimer([kind], owner=owner, lease=lease).next([kind])


def taken(kind: str, *, owner: str = "first") -> Claim:
    """As `take`, where there is a job for sure."""
    claim = take(kind, owner=owner)
    assert claim is not None
    return claim


def end_lease(claim: Claim) -> None:
    """As if the worker had not been heard of for long."""
    write(lambda: Job.objects.filter(id=claim.id).update(lease_until=LONG_AGO))


def make_due(job_id: UUID) -> None:
    """As if the time until the next try had passed."""
    write(lambda: Job.objects.filter(id=job_id).update(run_at=LONG_AGO))


def stored(job_id: UUID) -> Job:
    """The row."""
    return Job.objects.get(id=job_id)

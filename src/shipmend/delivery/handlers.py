"""What a worker does for delivery; `shipmend.worker` registers it."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from shipmend.catalog.models import Repo
from shipmend.catalog.queries import history_number, parts_of, repo_by_id, tenant_of
from shipmend.db.clock import epoch_now
from shipmend.db.writes import write
from shipmend.delivery.measuring import measure_repo
from shipmend.delivery.ownership import MEASURE, StreamKey, bring_up_to_date, unattributed_streams
from shipmend.delivery.settle import settle_repo
from shipmend.delivery.tracking import track_repo
from shipmend.history.actions import SETTLE, request_index
from shipmend.history.mirrors import mirror_of
from shipmend.jobs.foreground import do_now
from shipmend.jobs.queue import enqueue
from shipmend.jobs.registry import JobContext, Registry

ATTRIBUTE_EVERY = 1.0
"""Seconds. Readers don't wait for it: they bring up to date what they read."""
STREAMS_AT_ONCE = 100


def register(registry: Registry) -> None:
    """Teach a worker what delivery does."""
    registry.add(SETTLE, run_settle)
    registry.add(MEASURE, run_measure, heavy=True)
    registry.every(ATTRIBUTE_EVERY, attribute_marked)


def attribute_marked() -> None:
    """Attribute the commits of the streams on which something was recorded, changed or deleted."""
    for entity_id, repo_id, environment in unattributed_streams(STREAMS_AT_ONCE):
        number = history_number(entity_id, repo_id)
        if number is not None:
            bring_up_to_date(StreamKey(entity_id, repo_id, number, environment))


def run_settle(context: JobContext) -> None:
    """After an index of the repo whose id is the job's key: settle what waited for its commits, then apply the rules.

    In this order, since a rule makes no release of an event that was reported. So for its parts as well.
    """
    row = Repo.objects.select_related("entity").filter(entity_id=context.entity_id, id=UUID(context.key)).first()
    if row is None:
        return
    tenant = tenant_of(row.entity)
    repos = [repo for each in (row, *parts_of(row)) if (repo := repo_by_id(tenant, each.id))]
    waits = [settle_repo(tenant=tenant, repo=repo, now=epoch_now()) for repo in repos]
    if any(waits):
        request_index(row, reason="a release or a fix still waits for its commit")
    for repo in repos:
        track_repo(tenant=tenant, repo=repo, context=context, now=epoch_now())


def follow_up_now(repo: Repo, *, on_wait: Callable[[], None] = lambda: None) -> None:
    """Do in the calling thread what follows an index of the repo, or wait for the worker that does so already."""
    registry = Registry()
    registry.add(SETTLE, run_settle)
    key = str(repo.home.id)
    job_id = write(lambda: enqueue(entity_id=repo.entity_id, kind=SETTLE, key=key))
    do_now(registry, job_id=job_id, entity_id=repo.entity_id, kind=SETTLE, key=key, on_wait=on_wait)


def run_measure(context: JobContext) -> None:
    """Count the lines that changed in the releases of the repo whose id is the job's key."""
    row = Repo.objects.select_related("entity").filter(entity_id=context.entity_id, id=UUID(context.key)).first()
    if row is None:
        return
    tenant = tenant_of(row.entity)
    repo = repo_by_id(tenant, row.id)
    if repo is not None and mirror_of(repo.home_id).exists:
        measure_repo(tenant, repo, context)

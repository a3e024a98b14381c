"""What a worker of this product can do: the one place that knows every handler."""

from __future__ import annotations

from shipmend.accounts import retention
from shipmend.delivery import handlers as delivery
from shipmend.history import handlers as history
from shipmend.jobs.registry import Registry
from shipmend.jobs.worker import THREADS, Worker


def make_worker(*, threads: int = THREADS) -> Worker:
    """A worker that does every kind of job, not started yet."""
    registry = Registry()
    history.register(registry)
    delivery.register(registry)
    registry.every(retention.DAY, retention.forget_old)
    return Worker(registry, threads=threads)

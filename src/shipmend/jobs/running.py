"""Doing jobs that this process holds, and keeping hold of them meanwhile."""

from __future__ import annotations

import logging
import os
import secrets
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from django.db import DatabaseError, InterfaceError, close_old_connections, connection

from shipmend.core.errors import Unavailable
from shipmend.jobs import queue
from shipmend.jobs.queue import TRIES, Claim
from shipmend.jobs.registry import Interrupted, JobContext, LeaseLost, Registry
from shipmend.metrics import JOBS_ENDED

log = logging.getLogger(__name__)

_OUTCOMES: dict[type, str] = {type(None): "done", Interrupted: "given back", LeaseLost: "lost"}

DATABASE_TROUBLE = (DatabaseError, InterfaceError, Unavailable)
"""What a database that can't be reached or written raises; it passes, so a worker waits for that."""


class Running:
    """The jobs that this process holds at the moment."""

    def __init__(self, registry: Registry, *, lease: float, stopping: threading.Event) -> None:
        self._registry = registry
        self._lease = lease
        self._stopping = stopping
        self._held: dict[tuple[UUID, int], tuple[Claim, JobContext]] = {}
        self._lock = threading.Lock()

    def startable(self, threads: int) -> list[str]:
        """The kinds that may start now: none when all threads are busy, no heavy one on the last free thread."""
        with self._lock:
            busy = [self._registry.kinds[claim.kind] for claim, _ in self._held.values()]
        if len(busy) >= threads:
            return []
        heavy_too = sum(kind.heavy for kind in busy) < max(threads - 1, 1)
        return [kind.name for kind in self._registry.kinds.values() if heavy_too or not kind.heavy]

    def hold(self, claim: Claim) -> JobContext:
        """From now on each beat renews the claim."""
        context = JobContext(claim, stopping=self._stopping)
        with self._lock:
            self._held[claim.id, claim.attempt] = (claim, context)
        return context

    def beat(self) -> None:
        """Renew every claim; a job that someone else has taken is told so."""
        with self._lock:
            held = dict(self._held)
        if held:
            for claim in queue.renew([claim for claim, _ in held.values()], lease=self._lease):
                held[claim.id, claim.attempt][1].lose()

    def run(self, claim: Claim, context: JobContext) -> BaseException | None:
        """Do a held job, record how it ended, and return what went wrong, if anything did."""
        try:
            error = self._run(claim, context)
            JOBS_ENDED.add(claim.kind, _OUTCOMES.get(type(error), "failed"))
            return error
        finally:
            with self._lock:
                del self._held[claim.id, claim.attempt]

    def _run(self, claim: Claim, context: JobContext) -> BaseException | None:
        try:
            self._handle(claim, context)
        except LeaseLost as lost:
            log.warning("%s %s: another worker has taken this job", claim.kind, claim.key)
            return lost
        except Interrupted as interrupted:
            queue.give_back(claim)
            return interrupted
        except Exception as error:  # noqa: BLE001 -- a handler may fail in any way; the job table keeps how
            why = explanation(error)
            log.warning("%s %s failed at try %s: %s", claim.kind, claim.key, claim.attempt, why)
            queue.fail(claim, why)
            return error
        except BaseException:
            queue.give_back(claim)
            raise
        queue.finish(claim)
        return None

    def _handle(self, claim: Claim, context: JobContext) -> None:
        if claim.attempt > TRIES:
            raise RuntimeError(f"the worker vanished during the last of {TRIES} tries")
        self._registry.kinds[claim.kind].run(context)


def explanation(error: BaseException) -> str:
    """What went wrong: the sentence made for people where there is one."""
    for_people: str | None = getattr(error, "for_people", None) or getattr(error, "detail", None)
    return for_people or f"{type(error).__name__}: {error}"


@contextmanager
def heartbeat(running: Running, *, lease: float) -> Iterator[None]:
    """Renew what is held, three times a lease, until the block ends."""
    ended = threading.Event()

    def beat() -> None:
        while not ended.wait(lease / 3):
            try:
                close_old_connections()
                running.beat()
            except DATABASE_TROUBLE as trouble:
                log.warning("the leases could not be renewed: %s", trouble)
        connection.close()

    thread = threading.Thread(target=beat, name="heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def owner_name() -> str:
    """This process, for people who look at the job table."""
    return f"{socket.gethostname()[:60]}:{os.getpid()}:{secrets.token_hex(4)}"

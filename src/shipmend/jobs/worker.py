"""The worker: threads that take due jobs and do them, a heartbeat that keeps their leases, and the chores.

Work asked for in this process starts at once; work asked for by another one at the next look at the table,
POLL seconds later at the most. A worker that dies leaves leases that end by themselves: its jobs are taken
again.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from contextlib import ExitStack
from queue import SimpleQueue

from django.db import close_old_connections, connection

from shipmend.jobs import queue
from shipmend.jobs.queue import Claim, Claimer
from shipmend.jobs.registry import Chore, JobContext, Registry
from shipmend.jobs.running import DATABASE_TROUBLE, Running, heartbeat, owner_name

log = logging.getLogger(__name__)

POLL = 0.5
LEASE = 60.0
THREADS = 4
PRUNE_EVERY = 3600.0
TROUBLE_PAUSE = 2.0
"""All in seconds, but for the number of threads."""


class Worker:
    """Does the jobs of a registry until it is stopped. One a process is enough."""

    def __init__(self, registry: Registry, *, threads: int = THREADS, lease: float = LEASE) -> None:
        self._threads = threads
        self._lease = lease
        self._stopping = threading.Event()
        self._wake = threading.Event()
        self._inbox: SimpleQueue[tuple[Claim, JobContext] | None] = SimpleQueue()
        self._running = Running(registry, lease=lease, stopping=self._stopping)
        self._claimer = Claimer(list(registry.kinds), owner=owner_name(), lease=lease)
        self._rounds = [_Round(chore) for chore in [*registry.chores, Chore(PRUNE_EVERY, queue.prune)]]
        self._pool: list[threading.Thread] = []
        self._until_stopped = ExitStack()

    def start(self) -> None:
        """Begin to work, in threads that don't keep the process alive."""
        queue.add_waker(self._wake)
        self._until_stopped.enter_context(heartbeat(self._running, lease=self._lease))
        targets = [self._dispatch, self._keep_house, *[self._serve] * self._threads]
        self._pool = [threading.Thread(target=target, name="worker", daemon=True) for target in targets]
        for thread in self._pool:
            thread.start()

    def stop(self, *, patience: float = 10.0) -> bool:
        """Take no more jobs, ask the running ones to stop, and wait up to `patience` seconds for them.

        What is left then loses its lease in time, and another worker takes it. Returns whether nothing was.
        """
        self._stopping.set()
        self._wake.set()
        queue.remove_waker(self._wake)
        until = time.monotonic() + patience
        for thread in self._pool:
            thread.join(max(0.0, until - time.monotonic()))
        self._until_stopped.close()
        return not any(thread.is_alive() for thread in self._pool)

    def _dispatch(self) -> None:
        while not self._stopping.is_set():
            self._wake.clear()
            try:
                claim = self._next()
            except DATABASE_TROUBLE as trouble:
                log.warning("the job table can't be read: %s", trouble)
                self._stopping.wait(TROUBLE_PAUSE)
                continue
            if claim is None:
                self._wake.wait(POLL)
            else:
                self._inbox.put((claim, self._running.hold(claim)))
        # Behind the last job that was taken, which would otherwise be held by nobody until its lease ends.
        for _ in range(self._threads):
            self._inbox.put(None)
        connection.close()

    def _next(self) -> Claim | None:
        close_old_connections()
        kinds = self._running.startable(self._threads)
        return self._claimer.next(kinds) if kinds else None

    def _keep_house(self) -> None:
        while not self._stopping.wait(min(each.seconds_left() for each in self._rounds)):
            close_old_connections()
            for each in self._rounds:
                each.go_if_due()
        connection.close()

    def _serve(self) -> None:
        while (held := self._inbox.get()) is not None:
            close_old_connections()
            try:
                self._running.run(*held)
            except DATABASE_TROUBLE as trouble:
                log.warning("how %s ended could not be stored: %s", held[0].kind, trouble)
            # A twin may have been waiting for this job to end.
            self._wake.set()
        connection.close()


class _Round:
    """When a chore is to be done next: jittered, so that the workers of many machines spread out."""

    def __init__(self, chore: Chore) -> None:
        self._chore = chore
        self._due = time.monotonic()

    def seconds_left(self) -> float:
        return max(0.0, self._due - time.monotonic())

    def go_if_due(self) -> None:
        if self.seconds_left():
            return
        try:
            self._chore.run()
        except DATABASE_TROUBLE as trouble:
            log.warning("a chore has to wait: %s", trouble)
        except Exception:
            log.exception("a chore failed; it comes round again")
        self._due = time.monotonic() + self._chore.seconds * random.uniform(0.8, 1.2)  # noqa: S311 -- jitter

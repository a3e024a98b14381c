"""The bounded pool of threads the application runs in."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import time
from collections import deque
from queue import SimpleQueue
from typing import Protocol

logger = logging.getLogger(__name__)


class Job(Protocol):
    """Something to do in a worker thread, and then to settle in the event loop."""

    def run(self) -> None:
        """Runs in a worker thread and raises nothing."""

    def settle(self) -> None:
        """Runs in the event loop's thread, after `run`."""


class Workers:
    """Threads that take jobs in turn. All methods but those said otherwise belong to the event loop's thread.

    Cheaper than a ThreadPoolExecutor with one future a job: a queue in C, no future, and one wake-up of the
    event loop for all jobs that ended meanwhile. Threads start when first needed and stay.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, most: int) -> None:
        self.running = 0
        """Jobs handed over and not yet settled."""
        self._loop = loop
        self._most = most
        self._threads: list[threading.Thread] = []
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._since: deque[float] = deque()
        """When each job that no thread has taken yet was handed over."""
        self._done: deque[Job] = deque()
        self._woken = False

    def submit(self, job: Job) -> None:
        """Have a job run as soon as a thread is free."""
        self.running += 1
        if self.running > len(self._threads) < self._most:
            self._start_thread()
        self._since.append(time.monotonic())
        self._jobs.put(job)

    def wait(self) -> float:
        """How many seconds the first in line has waited for a thread."""
        try:
            return time.monotonic() - self._since[0]
        except IndexError:
            return 0.0

    def stop(self) -> None:
        """Let the threads end once they are idle."""
        for _ in self._threads:
            self._jobs.put(None)

    def _start_thread(self) -> None:
        # A daemon, so that a handler that never returns can't keep the process from ending after the stop.
        name = f"http-{len(self._threads) + 1}"
        thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _work(self) -> None:
        """A worker thread's life."""
        while (job := self._jobs.get()) is not None:
            self._since.popleft()
            job.run()
            # Appended before the flag is read, and the flag lowered before jobs are taken: none stays behind.
            self._done.append(job)
            del job  # an idle thread must not keep its last request
            if not self._woken:
                self._woken = True
                with contextlib.suppress(RuntimeError):  # the loop was closed without waiting for this job
                    self._loop.call_soon_threadsafe(self._settle)

    def _settle(self) -> None:
        self._woken = False
        while self._done:
            job = self._done.popleft()
            self.running -= 1
            try:
                job.settle()
            except Exception:
                logger.exception("An answer could not be handed to its connection.")

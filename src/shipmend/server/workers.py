"""Where the application runs: a bounded pool of threads, and the lanes that short requests take instead."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from functools import partial
from queue import SimpleQueue
from typing import Protocol
from wsgiref.types import WSGIEnvironment

logger = logging.getLogger(__name__)

Hand = Callable[[Callable[[], None]], None]
"""Takes something to do, and has it done soon in another thread."""

LaneOf = Callable[[WSGIEnvironment], Hand | None]
"""Which lane a request takes; None: the pool. Called for each request in the event loop's thread."""

Lanes = Callable[[Hand], LaneOf]
"""Makes the choice, given the lane of the server itself: of short requests that wait for nothing."""


class Job(Protocol):
    """Something to do in a worker thread, and then to settle in the event loop."""

    def run(self) -> None:
        """Runs in a worker thread and raises nothing."""

    def settle(self) -> None:
        """Runs in the event loop's thread, after `run`."""


class Threads:
    """At most so many threads, which take what is handed to them in turn.

    Cheaper than a ThreadPoolExecutor with one future each: a queue in C and no future. Threads start when first
    needed and stay.
    """

    def __init__(self, most: int, name: str) -> None:
        self._most = most
        self._name = name
        self._threads: list[threading.Thread] = []
        self._handed: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._idle: deque[None] = deque()
        """An item for each thread that has nothing to do; more of them than that once there are as many as may be."""

    def hand(self, do: Callable[[], None]) -> None:
        """Have it done; it raises nothing. Called from one thread alone."""
        try:
            self._idle.pop()
        except IndexError:
            if len(self._threads) < self._most:
                self._start_thread()
        self._handed.put(do)

    def stop(self) -> None:
        """Let the threads end once they are idle."""
        for _ in self._threads:
            self._handed.put(None)

    def _start_thread(self) -> None:
        # A daemon, so that a handler that never returns can't keep the process from ending after the stop.
        name = f"{self._name}-{len(self._threads) + 1}"
        thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _work(self) -> None:
        """A thread's life."""
        while (do := self._handed.get()) is not None:
            do()
            del do  # an idle thread must not keep its last request
            self._idle.append(None)


class _Ended:
    """Jobs on their way back to the event loop: one wake-up for all that ended meanwhile."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._jobs: deque[tuple[Job, _Line]] = deque()
        self._woken = False

    def add(self, job: Job, line: _Line) -> None:
        """From the thread that ran it."""
        # Appended before the flag is read, and the flag lowered before jobs are taken: none stays behind.
        self._jobs.append((job, line))
        if not self._woken:
            self._woken = True
            with contextlib.suppress(RuntimeError):  # the loop was closed without waiting for this job
                self._loop.call_soon_threadsafe(self._settle)

    def _settle(self) -> None:
        self._woken = False
        while self._jobs:
            job, line = self._jobs.popleft()
            line.running -= 1
            try:
                job.settle()
            except Exception:
                logger.exception("An answer could not be handed to its connection.")


class _Line:
    """The jobs that wait for one lane, and those in it."""

    __slots__ = ("_ended", "_hand", "_room", "_since", "running")

    def __init__(self, hand: Hand, ended: _Ended, room: int) -> None:
        self.running = 0
        """Jobs handed over and not yet settled."""
        self._hand = hand
        self._ended = ended
        self._room = room
        """How many may be under way before anybody counts as waiting: a crowd that comes at once is no overload."""
        self._since: deque[float] = deque()
        """When each job that has not begun yet was handed over."""

    def submit(self, job: Job) -> None:
        self.running += 1
        self._since.append(time.monotonic())
        self._hand(partial(self._run, job))

    def wait(self) -> float:
        if self.running < self._room:
            return 0.0
        try:
            return time.monotonic() - self._since[0]
        except IndexError:
            return 0.0

    def _run(self, job: Job) -> None:
        self._since.popleft()
        job.run()
        self._ended.add(job, self)


class Workers:
    """Has jobs run in the pool or in a lane. All methods belong to the event loop's thread."""

    def __init__(self, loop: asyncio.AbstractEventLoop, most: int) -> None:
        self._ended = _Ended(loop)
        self._most = most
        self._pool = Threads(most, "http")
        self._lines: dict[Hand, _Line] = {}

    @property
    def running(self) -> int:
        """Jobs handed over and not yet settled."""
        return sum(line.running for line in self._lines.values())

    def submit(self, job: Job, lane: Hand | None = None) -> None:
        """Have a job run as soon as there is room for it."""
        self._line(lane).submit(job)

    def wait(self, lane: Hand | None = None) -> float:
        """How many seconds the first in line has waited; 0 while fewer are under way than the pool has threads."""
        return self._line(lane).wait()

    def stop(self) -> None:
        """Let the threads of the pool end once they are idle."""
        self._pool.stop()

    def _line(self, lane: Hand | None) -> _Line:
        hand = lane or self._pool.hand
        line = self._lines.get(hand)
        if line is None:
            line = self._lines[hand] = _Line(hand, self._ended, self._most)
        return line

"""One thread in which short calls take turns, and in which what they want done is done for many at once.

Threads that each do a little hand Python's lock to and fro: SQLite's driver lets go of it at every statement, and
another thread takes it, 40 times a call on two cores. So short calls share a thread. Each runs as a greenlet, which
gives way to the others where it has to wait, and goes on where it was (docs/adr/0008-lanes.md).
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from queue import Empty, SimpleQueue
from typing import Generic, NamedTuple, TypeVar

from greenlet import getcurrent, greenlet

T = TypeVar("T")
P = TypeVar("P")

ASIDE = 32
"""Threads for what would keep the lane waiting."""

log = logging.getLogger(__name__)


class _Wish(NamedTuple, Generic[P]):
    """A piece to be done, and whom to tell that it is."""

    piece: P
    tell: Callable[[], object]


class Lane(Generic[P]):
    """The thread, started at the first use in each process.

    `together` does pieces in that thread: as many as have come among the next `most` arrivals. It raises nothing.
    """

    def __init__(self, together: Callable[[Sequence[P]], None], *, most: int, name: str) -> None:
        self._together = together
        self._most = most
        self._name = name
        self._start = threading.Lock()
        self._owner = 0
        self._arrived: SimpleQueue[Callable[[], object] | _Wish[P]] = SimpleQueue()
        self._wishes: list[_Wish[P]] = []
        self._hub: greenlet | None = None
        self._helpers: ThreadPoolExecutor | None = None

    def hand(self, call: Callable[[], None]) -> None:
        """Have a short call run soon. Of what waits it may use `do` and `aside`, and nothing else."""
        self._put(partial(_run, call))

    def do(self, piece: P) -> None:
        """Have a piece done together with those of others; returns when it is. Any thread may call this."""
        hub, call = self._hub, getcurrent()
        if hub is not None and call.parent is hub:
            self._wishes.append(_Wish(piece, call.switch))
            hub.switch()
        else:
            done = threading.Lock()
            done.acquire()
            self._put(_Wish(piece, done.release))
            done.acquire()

    def aside(self, work: Callable[[], T]) -> T:
        """Do what may take its time: in another thread if a short call asks for it, else here."""
        hub, call = self._hub, getcurrent()
        if hub is None or call.parent is not hub or self._helpers is None:
            return work()
        outcome: Future[T] = self._helpers.submit(work)
        outcome.add_done_callback(lambda _: self._arrived.put(call.switch))
        hub.switch()
        return outcome.result()

    def _put(self, item: Callable[[], object] | _Wish[P]) -> None:
        if self._owner != os.getpid():
            self._start_thread()
        self._arrived.put(item)

    def _start_thread(self) -> None:
        with self._start:
            if self._owner != os.getpid():
                self._arrived, self._wishes = SimpleQueue(), []
                self._helpers = ThreadPoolExecutor(ASIDE, thread_name_prefix=f"{self._name}-aside")
                threading.Thread(target=self._live, name=self._name, daemon=True).start()
                self._owner = os.getpid()

    def _live(self) -> None:
        self._hub = getcurrent()
        while True:
            if not self._wishes:  # who has just been told may have wished for more
                self._take(self._arrived.get())
            with suppress(Empty):
                for _ in range(self._most - 1):  # so many, lest calls that want nothing keep those waiting that do
                    self._take(self._arrived.get_nowait())
            wishes, self._wishes = self._wishes, []
            if wishes:
                self._together([wish.piece for wish in wishes])
            for wish in wishes:
                wish.tell()

    def _take(self, item: Callable[[], object] | _Wish[P]) -> None:
        if isinstance(item, _Wish):
            self._wishes.append(item)
        else:
            item()


def _run(call: Callable[[], None]) -> None:
    greenlet(partial(_guarded, call)).switch()


def _guarded(call: Callable[[], None]) -> None:
    """What a call raises must not end the thread that others wait for."""
    try:
        call()
    except BaseException:
        log.exception("A short call broke.")

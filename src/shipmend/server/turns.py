"""A thread for short requests that takes turns with the event loop.

Of two threads that have something to do, each takes Python's lock from the other whenever that one lets go of it, as
SQLite's driver does at every statement: several times a request. Here each finishes what it has, and then the other
goes on.
"""

from __future__ import annotations

import selectors
import threading
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue

LONGEST = 0.005
"""Seconds that the event loop waits for its turn at most: what is not as short as it was taken for must not keep all
clients waiting."""

AT_ONCE = 16
"""Requests in a turn."""


class Turns:
    """One thread, started at the first use, and the selector of the event loop that it takes turns with."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._handed: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._thread: threading.Thread | None = None

    def selector(self) -> selectors.BaseSelector:
        """For the event loop."""
        return _Selector(self._turn)

    def hand(self, do: Callable[[], None]) -> None:
        """Have it done; it is short and raises nothing. Called from the event loop's thread."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="short", daemon=True)
            self._thread.start()
        self._handed.put(do)

    def stop(self) -> None:
        """Let the thread end once it is idle."""
        self._handed.put(None)

    def _work(self) -> None:
        while (do := self._handed.get()) is not None:
            with self._turn:
                do()
                self._go_on()
            del do  # an idle thread must not keep its last request

    def _go_on(self) -> None:
        with suppress(Empty):
            for _ in range(AT_ONCE - 1):
                do = self._handed.get_nowait()
                if do is None:
                    self._handed.put(None)
                    return
                do()


class _Selector(selectors.DefaultSelector):
    """Has the turn whenever it does not wait for sockets."""

    def __init__(self, turn: threading.Lock) -> None:
        super().__init__()
        self._turn = turn
        self._has_turn = False

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if self._has_turn:
            self._turn.release()
        ready = super().select(timeout)
        self._has_turn = self._turn.acquire(timeout=LONGEST)
        return ready

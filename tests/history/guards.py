"""Guards for indexes that tests run themselves, outside any job; and jobs done at once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar
from uuid import UUID

from shipmend.db.writes import write
from shipmend.history.handlers import register
from shipmend.jobs.queue import Claimer
from shipmend.jobs.registry import Registry
from shipmend.jobs.running import Running

T = TypeVar("T")


class FreeGuard:
    """Lets everything pass, after calling `before_write` with the number of the write, from 1."""

    def __init__(self, before_write: Callable[[int], None] = lambda _: None) -> None:
        self._before_write = before_write
        self.writes = 0

    def write(self, work: Callable[[], T]) -> T:
        self.writes += 1
        self._before_write(self.writes)
        return write(work)

    def check(self) -> None:
        pass


def do_waiting_job(entity_id: UUID, kind: str, key: str) -> BaseException | None:
    """Take a job that is due, as a worker would, and return what went wrong."""
    registry = Registry()
    register(registry)
    running = Running(registry, lease=60, stopping=threading.Event())
    claim = Claimer([kind], owner="test", lease=60).of(entity_id, kind, key)
    assert claim is not None
    return running.run(claim, running.hold(claim))

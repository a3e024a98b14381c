"""What a worker can do: a handler for each kind of job, and chores that come round by themselves.

The layers above register theirs (`shipmend.worker` lists them); nothing here knows them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import Event
from typing import Any, TypeVar
from uuid import UUID

from shipmend.db.writes import write
from shipmend.jobs.queue import Claim, is_held

T = TypeVar("T")


class LeaseLost(Exception):
    """Someone else has taken the job: whatever this worker found out no longer counts."""


class Interrupted(Exception):
    """The worker is asked to stop: the job goes back to the queue as it is."""


class JobContext:
    """A running job, as its handler sees it."""

    def __init__(self, claim: Claim, *, stopping: Event) -> None:
        self._claim = claim
        self._stopping = stopping
        self._lost = Event()

    @property
    def entity_id(self) -> UUID:
        """The tenant the job belongs to."""
        return self._claim.entity_id

    @property
    def key(self) -> str:
        """What it works on."""
        return self._claim.key

    @property
    def payload(self) -> Mapping[str, Any]:
        """What the last of those who asked for it said."""
        return self._claim.payload

    @property
    def attempt(self) -> int:
        """Which try this is, from 1: also the fencing number."""
        return self._claim.attempt

    def still_mine(self) -> bool:
        """Whether the job is still this worker's. Inside write(), a yes holds until that write ends."""
        return is_held(self._claim)

    def write(self, work: Callable[[], T]) -> T:
        """As db.writes.write, while the job is this worker's: otherwise nothing is written. Raises LeaseLost."""

        def fenced() -> T:
            if not self.still_mine():
                raise LeaseLost
            return work()

        return write(fenced)

    def check(self) -> None:
        """To be called between steps: raises Interrupted or LeaseLost when going on is of no use."""
        if self._lost.is_set():
            raise LeaseLost
        if self._stopping.is_set():
            raise Interrupted

    def lose(self) -> None:
        """Told by the heartbeat: someone else has taken the job."""
        self._lost.set()


Handler = Callable[[JobContext], None]


@dataclass(frozen=True, slots=True)
class Kind:
    """How jobs of one kind are done. Heavy ones (minutes, a core) never take the last thread of a worker."""

    name: str
    run: Handler
    heavy: bool = False


@dataclass(frozen=True, slots=True)
class Chore:
    """Work that every worker does now and then, one chore at a time; doing it twice must do no harm."""

    seconds: float
    run: Callable[[], object]


class Registry:
    """The kinds and chores of one worker."""

    def __init__(self) -> None:
        self.kinds: dict[str, Kind] = {}
        self.chores: list[Chore] = []

    def add(self, kind: str, run: Handler, *, heavy: bool = False) -> None:
        """Have jobs of `kind` done by `run`. An exception from it means: try again later."""
        self.kinds[kind] = Kind(kind, run, heavy)

    def every(self, seconds: float, run: Callable[[], object]) -> None:
        """Call `run` about every so many seconds. What it raises is logged, and it comes round again."""
        self.chores.append(Chore(seconds, run))

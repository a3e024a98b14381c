"""Whether something is live in an environment, from what happened there to its commits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from shipmend.core.ledger import Fate


class State(StrEnum):
    """Where a commit, or a ticket with all its commits, stands in an environment."""

    NOT_KNOWN = "not_known"
    """No commit of it is known."""
    NOT_MERGED = "not_merged"
    """Nothing of it was ever released there, and not all of it is on the release branch."""
    MERGED_NOT_RELEASED = "merged_not_released"
    """All of it is on the release branch, and nothing was ever released there."""
    PARTLY_LIVE = "partly_live"
    LIVE = "live"
    WITHDRAWN = "withdrawn"
    """Nothing of it is live there any more."""


class Turn(NamedTuple):
    """A change in a commit's life: by which release, the how manieth of its stream, and when (epoch seconds)."""

    place: int
    at: int
    fate: Fate
    release: UUID


@dataclass(frozen=True, slots=True)
class CommitLife:
    """What became of one commit on one stream."""

    turns: tuple[Turn, ...] = ()
    """Shipped, withdrawn, returned, withdrawn…, the oldest first."""
    is_merged: bool = False
    """Whether it is on the release branch; it does not matter for a commit that was ever shipped."""
    merged_at: int | None = None
    """When: the time of the commit that brought it there. None where that gives no usable time."""

    @property
    def is_live(self) -> bool:
        """Whether the last release contains it."""
        return bool(self.turns) and self.turns[-1].fate is not Fate.WITHDRAWN


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer for one environment. Times are epoch seconds."""

    state: State
    since: int | None = None
    """Since when it is in this state: of several commits, since the last one came to it."""
    release: UUID | None = None
    """The release that made it so: live, or withdrawn."""
    first_live_at: int | None = None
    """When the last of the commits was first shipped; None while one of them never was."""
    commits: int = 0
    live: int = 0
    """How many of the commits are live."""


def decide(lives: Sequence[CommitLife]) -> Verdict:
    """Where the whole of some commits stands."""
    if not lives:
        return Verdict(State.NOT_KNOWN)
    shipped = [life for life in lives if life.turns]
    if not shipped:
        return _never_shipped(lives)
    live = [life for life in shipped if life.is_live]
    last = max(life.turns[-1] for life in live or shipped)
    state = State.LIVE if len(live) == len(lives) else State.PARTLY_LIVE if live else State.WITHDRAWN
    first = max(life.turns[0].at for life in shipped) if len(shipped) == len(lives) else None
    return Verdict(state, last.at, last.release, first, len(lives), len(live))


def _never_shipped(lives: Sequence[CommitLife]) -> Verdict:
    if not all(life.is_merged for life in lives):
        return Verdict(State.NOT_MERGED, commits=len(lives))
    times = [life.merged_at for life in lives if life.merged_at is not None]
    since = max(times) if len(times) == len(lives) else None
    return Verdict(State.MERGED_NOT_RELEASED, since, commits=len(lives))

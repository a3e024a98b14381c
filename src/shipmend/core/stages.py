"""The stages of a defect in a repo: detected, first activity, fix authored, fix released."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple


class Milestone(StrEnum):
    """What happens to a defect, in the order in which it ought to."""

    DETECTED = "detected"
    ACTIVITY = "first activity"
    AUTHORED = "fix authored"
    RELEASED = "fix released"


class Stage(NamedTuple):
    """The time from one milestone to the next that is known. Times are epoch seconds."""

    since: Milestone
    until: Milestone | None
    """None: it still goes on."""
    start: int
    end: int | None


class Work(NamedTuple):
    """What a repo tells of a defect. None: not known, or not yet."""

    activity: int | None = None
    authored: int | None = None
    """Of the last fix there, as is the next."""
    released: int | None = None


def first_activity(detected_at: int, authored: Iterable[int | None]) -> int | None:
    """The first of the commits about a defect that was authored at or after its detection."""
    return min((at for at in authored if at is not None and at >= detected_at), default=None)


def stages(detected_at: int, work: Work) -> tuple[Stage, ...]:
    """The stages, in order: from each milestone that is known to the next one.

    One that lies before another which ought to precede it makes no stage. While no fix is released the last stage
    has no end.
    """
    found: list[Stage] = []
    since, start = Milestone.DETECTED, detected_at
    for milestone, at in zip((Milestone.ACTIVITY, Milestone.AUTHORED, Milestone.RELEASED), work, strict=True):
        if at is not None and at >= start:
            found.append(Stage(since, milestone, start, at))
            since, start = milestone, at
    if work.released is None:
        found.append(Stage(since, None, start, None))
    return tuple(found)


def out_of_order(detected_at: int, work: Work) -> tuple[Milestone, ...]:
    """The milestones that make no stage, because they lie before one that ought to precede them."""
    known = {Milestone.ACTIVITY: work.activity, Milestone.AUTHORED: work.authored, Milestone.RELEASED: work.released}
    placed = {stage.until for stage in stages(detected_at, work)}
    return tuple(milestone for milestone, at in known.items() if at is not None and milestone not in placed)

"""The stages of a defect as bars: one for each repo, all on one scale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from shipmend.core.stages import Milestone, Stage
from shipmend.core.values import ResourcePath
from shipmend.delivery.defect_page import RepoStages

WIDTH = 1000
LEAST = 4
"""So wide, of WIDTH, is a bar at the least: a stage of seconds in one of weeks is still seen."""
LOOKS = {
    (Milestone.DETECTED, Milestone.ACTIVITY): "wait",
    (Milestone.ACTIVITY, Milestone.AUTHORED): "work",
    (Milestone.AUTHORED, Milestone.RELEASED): "ship",
}
"""Of a stage from one milestone to the very next; the style sheet draws them."""


class Bar(NamedTuple):
    """A stage, drawn. `x` and `width` are of WIDTH."""

    x: int
    width: int
    look: str
    title: str


class StageRow(NamedTuple):
    """A stage, in words. Times are epoch seconds."""

    title: str
    start: int
    end: int | None
    seconds: int


@dataclass(frozen=True, slots=True)
class RepoBars:
    """A repo's stages."""

    path: ResourcePath
    bars: tuple[Bar, ...]
    rows: tuple[StageRow, ...]
    out_of_order: tuple[Milestone, ...]
    fixes: int


def draw(repos: Sequence[RepoStages], detected_at: int, now: int) -> tuple[RepoBars, ...]:
    """The bars of each repo; what still goes on lasts until `now`."""
    last = max((stage.end or now for repo in repos for stage in repo.stages), default=now)
    span = max(1, last - detected_at)

    def bar(stage: Stage) -> Bar:
        start, end = ((at - detected_at) * WIDTH // span for at in (stage.start, _end(stage, now)))
        x = min(start, WIDTH - LEAST)
        return Bar(x, max(LEAST, end - x), _look(stage), _title(stage))

    return tuple(
        RepoBars(
            repo.path,
            tuple(map(bar, repo.stages)),
            tuple(StageRow(_title(each), each.start, each.end, _end(each, now) - each.start) for each in repo.stages),
            repo.out_of_order,
            repo.fixes,
        )
        for repo in repos
    )


def _look(stage: Stage) -> str:
    if stage.until is None:
        return "lasts"
    return LOOKS.get((stage.since, stage.until), "blank")


def _end(stage: Stage, now: int) -> int:
    return max(stage.start, now) if stage.end is None else stage.end


def _title(stage: Stage) -> str:
    return f"{stage.since} → {stage.until}" if stage.until else f"{stage.since}, no fix released yet"

"""Figures over time, in the shape of GitClear's Reports API, and what each figure means."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from shipmend.api import parameters as p
from shipmend.api.asked import WINDOW_FIELDS, Asked
from shipmend.api.endpoint import ApiCall, Operation
from shipmend.api.envelope import Answer
from shipmend.api.figures import Rows, figure_json, point_json
from shipmend.core.amounts import several
from shipmend.core.errors import Invalid
from shipmend.core.metrics import DORA, INFO, Dimension, Metric, MetricInfo, aliases_of, metric_named
from shipmend.core.periods import choose_interval
from shipmend.core.windows import Interval, Window
from shipmend.delivery.waiting import unseen_repos
from shipmend.reports.authors import author_groups
from shipmend.reports.load import Ground
from shipmend.reports.series import Group, Measured, ground_of, groups, measure_groups, whole

GET_RESOURCE = "action_get_resource"
MOST_POINTS = 20_000
"""In one answer, over all segments."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A metric of a place or of a group of it."""

    metric: Metric
    group: Group
    is_part: bool

    @property
    def name(self) -> str:
        """What its series goes by."""
        return f"{INFO[self.metric].name}: {self.group.label}" if self.is_part else INFO[self.metric].name

    def json(self, asked: Asked) -> dict[str, Any]:
        """What the name stands for."""
        return {
            "name": self.name,
            "segment_em": self.metric,
            "unit": INFO[self.metric].unit,
            "resource_path": str(self.group.path or asked.place.path),
            "value": self.group.label if self.is_part else None,
        }


def get_report(call: ApiCall) -> Answer:
    """Figures over time."""
    asked = Asked.of(call)
    metrics = call.reader.get(p.SEGMENTS) or DORA
    dimension = call.reader.get(p.SEGMENT_BY)
    _check_dimension(metrics, dimension)
    interval = choose_interval(asked.window, call.reader.get(p.INTERVAL))
    ground = ground_of(asked.place, asked.environment, asked.window)
    some, left_out = _groups(ground, asked.window, dimension)
    _check_size(len(some) * len(metrics), asked.window, interval)
    of_metrics = measure_groups(ground, metrics, asked.window, interval, some)
    found = [
        (Segment(metric, group, dimension is not None), measured)
        for metric in metrics
        for group, measured in zip(some, of_metrics[metric], strict=True)
    ]
    rows = asked.rows(call)
    more: dict[str, Any] = {
        "context": asked.context_json(),
        "rules": {"rollbacks_fail": ground.rules.rollbacks_fail},
        "interval_em": interval,
        "segments": [segment.json(asked) for segment, _ in found],
        "series_segments": {
            segment.name: _series_json(measured, rows.pages(segment.metric, segment.group))
            for segment, measured in found
        },
        "warnings": list(_warnings(asked, metrics, left_out)),
    }
    if call.reader.get(p.SUMMARY_STATS):
        more["summary_stats"] = {
            segment.name: _summary_json(segment, measured, asked.window, rows) for segment, measured in found
        }
    detail = f"{several(len(found), 'segment')} from {asked.window.first} to {asked.window.last}, {interval}."
    return Answer(GET_RESOURCE, detail, more=more)


def _warnings(asked: Asked, metrics: Sequence[Metric], left_out: int) -> Iterator[str]:
    """What the figures leave out. `left_out`: how many groups."""
    if left_out:
        yield f"{several(left_out, 'other')}, who shipped less, {'is' if left_out == 1 else 'are'} left out."
    unseen = len(unseen_repos(asked.place)) if Metric.COMMITS_WAITING in metrics else 0
    if unseen:
        repos = several(unseen, "repo")
        yield f"{Metric.COMMITS_WAITING} leaves out {repos} that can't be looked at: GET waiting says which, and why."


def _check_dimension(metrics: Sequence[Metric], dimension: Dimension | None) -> None:
    """Whether all can be split by it."""
    without = [metric for metric in metrics if dimension and dimension not in INFO[metric].dimensions]
    if not without:
        return
    fitting = [each for each in Dimension if all(each in INFO[metric].dimensions for metric in metrics)]
    having = [metric for metric in Metric if dimension in INFO[metric].dimensions]
    because = f"does not split {', '.join(without)}"
    mend = f"segments that it splits are {', '.join(having)}; these ones are split by {' or '.join(fitting)}"
    raise Invalid("segment_by", because, value=str(dimension), mend=mend)


def _groups(ground: Ground, window: Window, dimension: Dimension | None) -> tuple[Sequence[Group], int]:
    """What to report on, and how many groups are left out."""
    if dimension is Dimension.AUTHOR:
        return author_groups(ground, window)
    return (groups(ground, dimension) if dimension else [whole(ground)]), 0


def _check_size(segments: int, window: Window, interval: Interval) -> None:
    points = segments * len(window.parts(interval))
    if points > MOST_POINTS:
        because = f"makes {points} points of {segments} segments"
        mend = f"at most {MOST_POINTS} are given, so take a longer interval, fewer days or fewer segments"
        raise Invalid("interval_em", because, value=str(interval), mend=mend)


def _series_json(measured: Measured, address: Callable[[Window], str]) -> list[dict[str, Any]]:
    return [point_json(point, address(point.part)) for point in measured.points]


def _summary_json(segment: Segment, measured: Measured, window: Window, rows: Rows) -> dict[str, Any]:
    metric, group, before = segment.metric, segment.group, window.previous
    is_of_now = measured.before is None
    return {
        **figure_json(measured.now, None if is_of_now else window, rows.url(metric, group, window)),
        "definition": INFO[metric].definition,
        "previous": figure_json(measured.before, before, rows.url(metric, group, before)) if measured.before else None,
    }


def introspect(call: ApiCall) -> Answer:
    """What one segment means, or each."""
    named = call.reader.get(p.SEGMENT)
    found = [INFO[metric_named(named)]] if named else list(INFO.values())
    more = {"segment_introspections": [_info_json(info) for info in found]}
    return Answer(
        GET_RESOURCE, " ".join(info.definition for info in found[:1]) if named else f"{len(found)} segments.", more=more
    )


def _info_json(info: MetricInfo) -> dict[str, Any]:
    return {
        "segment_em": info.metric,
        "name": info.name,
        "definition": info.definition,
        "unit": info.unit,
        "dimensions": list(info.dimensions),
        "rows": info.rows,
        "aliases": list(aliases_of(info.metric)),
        "is_better_low": info.is_better_low,
    }


REPORTS = (
    Operation(
        method="GET",
        action_em=GET_RESOURCE,
        summary="Report figures over time",
        doc="Each segment as a series over a window of whole days in the entity's zone: `x` is the first day of a part"
        " in words and `date` the same in numbers, `y` the figure (null where there is nothing to go by), `n` its data"
        " points, `url` the page that explains it. `segments` says what each series is of.",
        run=get_report,
        fields=(*WINDOW_FIELDS, p.SEGMENTS, p.SEGMENT_BY, p.INTERVAL, p.SUMMARY_STATS),
        answers=("series_segments", "SeriesSegments", False),
        beside=(("segments", "Segments"), ("summary_stats", "SummaryStats")),
    ),
)
INTROSPECTIONS = (
    Operation(
        method="GET",
        action_em=GET_RESOURCE,
        summary="Say what a segment means",
        doc="The definition of one segment of the reports, or of all: its unit, what it can be split by, what its rows"
        " are, and by which other names it goes.",
        run=introspect,
        fields=(p.SEGMENT,),
        answers=("segment_introspections", "Introspection", True),
    ),
)

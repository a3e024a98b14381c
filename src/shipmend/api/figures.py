"""Figures as the API shows them, each with the call that lists its rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse

from shipmend.core.dora import ASIDES, Figure
from shipmend.core.facts import REASONS
from shipmend.core.metrics import INFO, Metric, Unit
from shipmend.core.values import ResourcePath
from shipmend.core.windows import Window
from shipmend.reports.series import COMMITTER, SEVERITY, Group, Point

BASE = "/api/v1"
SHARE_DIGITS = 6
"""After the point, of the ends of a share's interval; the share itself is given in full."""


@dataclass(frozen=True, slots=True)
class Rows:
    """The way to the rows behind the figures of a report."""

    origin: str
    """The address of this instance."""
    place: ResourcePath
    environment: str

    def pages(self, metric: Metric, group: Group) -> Callable[[Window], str]:
        """The page that explains a figure of a group, over some days."""
        path = group.path or self.place
        steps = [step for step in (path.entity, path.organization, path.repo) if step]
        page = reverse("metric" if path.level == "entity" else f"{path.level}-metric", args=[*steps, metric])
        more = {"severity": group.label} if SEVERITY in group.filters else {}
        more |= {"author": group.filters[COMMITTER]} if COMMITTER in group.filters else {}

        def address(window: Window) -> str:
            days = {"start_date": window.first, "end_date": window.last}
            return f"{self.origin}{page}?{urlencode({**days, 'environment': self.environment, **more})}"

        return address

    def url(self, metric: Metric, group: Group, window: Window) -> str:
        """The call that lists what a figure of a group is made of."""
        path = str(group.path or self.place)
        if metric is Metric.COMMITS_WAITING:
            return f"{self.origin}{BASE}/waiting?{urlencode({'resource_path': path, 'environment': self.environment})}"
        given = {
            "resource_path": path,
            "resource_type": INFO[metric].rows,
            "segment_em": metric,
            "environment": self.environment,
            "start_date": window.first,
            "end_date": window.last,
            **group.filters,
        }
        return f"{self.origin}{BASE}/audits?{urlencode(given)}"


def point_json(point: Point, url: str) -> dict[str, Any]:
    """A point of a series, in GitClear's words and a few more."""
    day, figure = point.part.first, point.figure
    return {
        "url": url,
        "x": f"{day:%B} {day.day}",
        "y": figure.value,
        "date": day.isoformat(),
        "n": figure.n,
        "numerator": figure.numerator,
        "denominator": figure.denominator,
    }


def figure_json(figure: Figure, window: Window | None, rows_url: str) -> dict[str, Any]:
    """A figure with all that it is made of. `window` is None for what is only known of now."""
    sample = figure.sample
    return {
        "start_date": window.first.isoformat() if window else None,
        "end_date": window.last.isoformat() if window else None,
        "value": figure.value,
        "unit": figure.info.unit,
        "n": figure.n,
        "numerator": figure.numerator,
        "denominator": figure.denominator,
        "mean": sample.mean if sample else None,
        "median": sample.median if sample else None,
        "p75": sample.p75 if sample else None,
        "p90": sample.p90 if sample else None,
        "interval": _interval_json(figure),
        "is_enough": figure.value is not None and figure.is_enough,
        "excluded": [
            {"reason": left.reason, "words": REASONS[left.reason], "count": left.amount} for left in figure.excluded
        ],
        "beside": [{"aside": each.aside, "words": ASIDES[each.aside], "count": each.amount} for each in figure.beside],
        "rows_url": rows_url,
    }


def _interval_json(figure: Figure) -> list[float] | None:
    if figure.interval is None:
        return None
    ends = list(figure.interval)
    return [round(end, SHARE_DIGITS) for end in ends] if figure.info.unit is Unit.SHARE else ends

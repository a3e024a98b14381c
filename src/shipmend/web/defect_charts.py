"""How severe defects are against how long they took, and against how long their fixes were under way."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from shipmend.core.defect_browser import BrowsedDefect
from shipmend.delivery.defect_browser import DrawnDefect
from shipmend.web.addresses import defect_address
from shipmend.web.amounts import duration
from shipmend.web.charts.picture import Cell, Chart
from shipmend.web.charts.scales import spans
from shipmend.web.charts.scatter import Dot, categories, scatter

NOT_GIVEN = "none given"


def charts_of(latest: Sequence[DrawnDefect], of: int, entity: str, now: int) -> tuple[Chart, ...]:
    """The pictures of the latest of so many defects that there is something to see in."""
    severities = sorted({severity for each in latest if (severity := each.defect.severity) is not None})
    has_none = any(each.defect.severity is None for each in latest)
    names = [*map(str, severities), *([NOT_GIVEN] if has_none else [])]
    left_out = f"The latest {len(latest)} of {of} defects." if of > len(latest) else ""
    draw = partial(_chart, names=names, entity=entity, left_out=left_out)
    some = [each.defect for each in latest]
    took = [(each, seconds, each.resolved_at is None) for each in some if (seconds := _so_far(each, now)) is not None]
    leads = [(each.defect, lead, False) for each in latest for lead in each.leads]
    pictures = (
        draw("took", "Time to resolve by severity", "Hollow: still open.", "Took", took),
        draw("lead", "Lead time of the fixes by severity", "From a fix's commit to its release.", "Lead time", leads),
    )
    return tuple(picture for picture in pictures if picture.table.rows)


def _so_far(defect: BrowsedDefect, now: int) -> int | None:
    return max(0, now - defect.detected_at) if defect.resolved_at is None else defect.took


def _chart(
    name: str,
    title: str,
    summary: str,
    column: str,
    times: Sequence[tuple[BrowsedDefect, int, bool]],
    *,
    names: list[str],
    entity: str,
    left_out: str,
) -> Chart:
    def dot(defect: BrowsedDefect, seconds: int, *, is_open: bool) -> Dot:
        severity = NOT_GIVEN if defect.severity is None else str(defect.severity)
        address = defect_address(entity, defect.key)
        told = f"{duration(seconds)}, still open" if is_open else duration(seconds)
        return Dot(
            names.index(severity),
            seconds,
            f"{defect.key}, severity {severity}: {told}",
            (Cell(defect.key, address), Cell(severity), Cell(told)),
            address,
            is_open,
        )

    return scatter(
        name,
        title,
        f"{summary} {left_out}".rstrip(),
        [dot(defect, seconds, is_open=is_open) for defect, seconds, is_open in times],
        x_axis=categories(names),
        y_axis=spans(seconds for _, seconds, _ in times),
        columns=("Defect", "Severity", column),
        numbers=2,
    )

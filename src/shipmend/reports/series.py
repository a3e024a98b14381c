"""From facts to what pages and the API show: figures with the period before, series over a window, and groups."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from shipmend.catalog.queries import Place
from shipmend.core import dora
from shipmend.core.dora import Figure
from shipmend.core.facts import Facts
from shipmend.core.metrics import Dimension, Metric
from shipmend.core.values import ResourcePath
from shipmend.core.windows import Interval, Window
from shipmend.delivery.waiting import count_waiting
from shipmend.reports.load import Ground, load


@dataclass(frozen=True, slots=True)
class Point:
    """A part of the window, and the figure of it."""

    part: Window
    figure: Figure


@dataclass(frozen=True, slots=True)
class Measured:
    """A metric over a window."""

    now: Figure
    before: Figure | None
    """Over the window before; None for what is only known of now."""
    points: tuple[Point, ...]
    """By the parts of the window; none for what is only known of now."""


@dataclass(frozen=True, slots=True)
class Group:
    """One value of a dimension, with the facts that have it."""

    label: str
    facts: Facts
    path: ResourcePath | None = None
    """Of a repo or an organization."""


def ground_of(place: Place, environment: str, window: Window) -> Ground:
    """The facts of a window and of the one before it."""
    return load(place, environment, window.previous.start, window.end)


def measure(ground: Ground, metric: Metric, window: Window, interval: Interval, facts: Facts | None = None) -> Measured:
    """A metric of a place, or of a group of it."""
    facts = ground.facts if facts is None else facts
    if metric is Metric.COMMITS_WAITING:
        return Measured(dora.waiting(count_waiting(ground.place, environment=ground.environment)), None, ())
    return Measured(
        dora.figure(metric, facts, window, ground.rules),
        dora.figure(metric, facts, window.previous, ground.rules),
        tuple(Point(part, dora.figure(metric, facts, part, ground.rules)) for part in window.parts(interval)),
    )


def groups(ground: Ground, dimension: Dimension) -> Sequence[Group]:
    """The facts of a place by repo, organization or severity. By author, see `authors`.

    A defect that concerns two repos is in the groups of both, so defects of groups need not add up; releases do.
    """
    if dimension is Dimension.REPO:
        return [Group(str(repo.path), ground.facts.of_place(repo.id, {repo.id}), repo.path) for repo in ground.repos]
    if dimension is Dimension.ORGANIZATION:
        return _organizations(ground)
    if dimension is Dimension.SEVERITY:
        found = {defect.severity for defect in ground.facts.defects}
        ordered = sorted(found, key=lambda severity: (severity is None, severity or 0))
        return [
            Group("not given" if severity is None else str(severity), ground.facts.of_severity(severity))
            for severity in ordered
        ]
    raise ValueError(f"commits have an author, facts don't: {dimension}")


def _organizations(ground: Ground) -> list[Group]:
    repos = {repo.organization_id: {each.id for each in ground.repos if each.organization_id == repo.organization_id}
             for repo in ground.repos}  # fmt: skip
    paths = {repo.organization_id: ResourcePath(repo.path.entity, repo.path.organization) for repo in ground.repos}
    return [
        Group(str(paths[organization]), ground.facts.of_place(organization, own), paths[organization])
        for organization, own in repos.items()
    ]

"""From facts to what pages and the API show: figures with the period before, series over a window, and groups."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from shipmend.catalog.queries import Place
from shipmend.core import dora
from shipmend.core.cuts import Cut
from shipmend.core.dora import Figure
from shipmend.core.facts import Facts
from shipmend.core.metrics import Dimension, Metric
from shipmend.core.values import ResourcePath
from shipmend.core.windows import Interval, Window
from shipmend.delivery.waiting import waiting_by_repo
from shipmend.reports.load import Ground, load

NO_SEVERITY = "not given"
SEVERITY, COMMITTER = "severity", "committer_user_name"
"""Filters of audits."""


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
    repos: frozenset[UUID] = frozenset()
    """Those of that place."""
    filters: Mapping[str, str] = field(default_factory=dict)
    """What else than a place picks its rows, as the audits of the API name it."""


def ground_of(place: Place, environment: str, window: Window) -> Ground:
    """The facts of a window and of the one before it."""
    return load(place, environment, window.previous.start, window.end)


def whole(ground: Ground) -> Group:
    """All of a place, as a group."""
    repos = frozenset(repo.id for repo in ground.repos)
    return Group(str(ground.place.path), ground.facts, ground.place.path, repos)


class Course:
    """What happened in a window, in its parts and in the window before: cut once, for any number of metrics."""

    def __init__(self, ground: Ground, window: Window, interval: Interval, facts: Facts | None = None) -> None:
        """Of a place, or of some of its facts."""
        facts = ground.facts if facts is None else facts
        self._ground = ground
        self.now = Cut.in_parts(facts, window, interval)
        self._before = Cut.of(facts, window.previous)

    def measure(self, metric: Metric) -> Measured:
        """A metric of the window. Raises KeyError for `COMMITS_WAITING`, which is of now."""
        rules = self._ground.rules
        return Measured(
            dora.figure_of(metric, self.now, rules),
            dora.figure_of(metric, self._before, rules),
            tuple(Point(part.window, dora.figure_of(metric, part, rules)) for part in self.now.parts),
        )


def measure(ground: Ground, metric: Metric, window: Window, interval: Interval) -> Measured:
    """One metric of a place."""
    return measure_groups(ground, [metric], window, interval, [whole(ground)])[metric][0]


def measure_groups(
    ground: Ground, metrics: Iterable[Metric], window: Window, interval: Interval, some: Sequence[Group]
) -> dict[Metric, list[Measured]]:
    """Metrics of each of some groups of a place."""
    courses = [Course(ground, window, interval, group.facts) for group in some]
    return {
        metric: _waiting(ground, some)
        if metric is Metric.COMMITS_WAITING
        else [course.measure(metric) for course in courses]
        for metric in metrics
    }


def _waiting(ground: Ground, some: Sequence[Group]) -> list[Measured]:
    waiting = waiting_by_repo(ground.place, environment=ground.environment)
    return [Measured(_waiting_in(group, waiting), None, ()) for group in some]


def _waiting_in(group: Group, waiting: Mapping[UUID, int | None]) -> Figure:
    """Of the repos that can be looked at; without a value where there are only others."""
    counts = [waiting.get(repo_id) for repo_id in group.repos]
    seen = [commits for commits in counts if commits is not None]
    return dora.waiting(sum(seen)) if seen or not counts else Figure(Metric.COMMITS_WAITING, None, 0, 0, 0)


def groups(ground: Ground, dimension: Dimension) -> Sequence[Group]:
    """The facts of a place by repo, organization or severity. By author, see `authors`.

    A defect that concerns two repos is in the groups of both, so defects of groups need not add up; releases do.
    """
    if dimension is Dimension.REPO:
        parts = ground.facts.by_place({repo.id: repo.id for repo in ground.repos})
        return [Group(str(repo.path), parts[repo.id], repo.path, frozenset({repo.id})) for repo in ground.repos]
    if dimension is Dimension.ORGANIZATION:
        return _organizations(ground)
    if dimension is Dimension.SEVERITY:
        return _severities(ground)
    raise ValueError(f"commits have an author, facts don't: {dimension}")


def _organizations(ground: Ground) -> list[Group]:
    home = {repo.id: repo.organization_id for repo in ground.repos}
    paths = {repo.organization_id: ResourcePath(repo.path.entity, repo.path.organization) for repo in ground.repos}
    parts = ground.facts.by_place(home)
    here = ground.place.path
    return [
        Group(
            str(path),
            parts[place],
            # Of the organization of a single repo there is no more than that repo.
            path if here.holds(path) else here,
            frozenset(repo_id for repo_id, own in home.items() if own == place),
        )
        for place, path in paths.items()
    ]


def _severities(ground: Ground) -> list[Group]:
    parts = ground.facts.by_severity()
    ordered = sorted(parts, key=lambda severity: (severity is None, severity or 0))
    return [
        Group(
            NO_SEVERITY if severity is None else str(severity),
            parts[severity],
            filters={SEVERITY: "none" if severity is None else str(severity)},
        )
        for severity in ordered
    ]

"""The lanes of a timeline, from the facts of a place."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from uuid import UUID

from shipmend.core.facts import DefectFact, ReleaseRow
from shipmend.core.releases import Kind, Status
from shipmend.core.values import ResourcePath
from shipmend.core.windows import Window
from shipmend.reports.load import Ground
from shipmend.reports.rows import ReleaseRecord
from shipmend.web.addresses import defect_address, release_address
from shipmend.web.amounts import duration
from shipmend.web.charts.lanes import Bar, Lane, Shape, Tick, Told

NO_REPO = "of no single repo"
_NO_FIXES: Mapping[UUID, list[int]] = {}


def lanes_of(ground: Ground, window: Window) -> list[Lane]:
    """A lane for each repo of the place, and one for the defects of none."""
    tellers = _Teller(ground, window)
    ticks: defaultdict[UUID, list[Tick]] = defaultdict(list)
    for row in ground.facts.within(window).releases:
        ticks[row.release.repo_id].append(tellers.tick(row))
    bars: defaultdict[UUID | None, list[Bar]] = defaultdict(list)
    start, end = window.start, window.end
    for defect in ground.facts.defects:
        if defect.detected_at < end and (defect.resolved_at is None or defect.resolved_at >= start):
            for repo_id, bar in tellers.bars(defect):
                bars[repo_id].append(bar)
    lanes = [Lane(_label(ground, repo.path), ticks[repo.id], bars[repo.id]) for repo in ground.repos]
    return [*lanes, Lane(NO_REPO, (), bars[None])] if None in bars else lanes


def _label(ground: Ground, path: ResourcePath) -> str:
    return path.repo if ground.place.path.organization else f"{path.organization}/{path.repo}"


class _Teller:
    """Says what each release and defect is."""

    def __init__(self, ground: Ground, window: Window) -> None:
        self._ground = ground
        self._window = window
        self._paths = ground.paths
        self._of_repo: defaultdict[UUID, list[ReleaseRecord]] = defaultdict(list)
        for record in ground.releases.values():
            self._of_repo[record.repo_id].append(record)
        self._fixes: defaultdict[UUID, defaultdict[UUID, list[int]]] = defaultdict(partial(defaultdict, list))
        for row in ground.facts.fixes:
            self._fixes[row.defect.id][row.fix.repo_id].append(row.at)

    def tick(self, row: ReleaseRow) -> Tick:
        return Tick(row.at, shape_of(row), partial(self._release, row), bool(row.defects), row.is_undone)

    def _release(self, row: ReleaseRow) -> Told:
        release, record, shape = row.release, self._ground.releases[row.release.id], shape_of(row)
        said = [f"{self._clock(row.at)} {record.title}, {shape if shape is not Shape.FORWARD else 'release'}"]
        if row.defects:
            said.append(f"caused {named(self._ground, row.defects)}{' (a guess)' if row.is_guess else ''}")
        if release.undone_by:
            undoing = self._ground.releases.get(release.undone_by)
            said.append(f"undone by {undoing.title if undoing else 'a rollback'}")
        back_to = self._back_to(record) if shape is Shape.ROLLBACK else None
        return Told(record.title, ", ".join(said), release_address(self._paths[release.repo_id], release.id), back_to)

    def bars(self, defect: DefectFact) -> Iterator[tuple[UUID | None, Bar]]:
        fixes = self._fixes.get(defect.id, _NO_FIXES)
        where: list[UUID | None] = [repo_id for repo_id in defect.places if repo_id in self._paths]
        for repo_id in where or [None]:
            own = tuple(sorted(fixes.get(repo_id, ()))) if repo_id else ()
            end = defect.resolved_at if defect.resolved_at is None or not own else max(own)
            yield repo_id, Bar(defect.detected_at, end, partial(self._defect, defect, own))

    def _defect(self, defect: DefectFact, fixes: tuple[int, ...]) -> Told:
        key = self._ground.defects[defect.id].key
        address = defect_address(self._ground.place.tenant.slug, key)
        detected = self._clock(defect.detected_at)
        if defect.resolved_at is None:
            return Told(key, f"{key}, detected {detected}, still open", address, fixes=fixes)
        seconds = defect.resolved_at - defect.detected_at
        took = f" after {duration(seconds)}" if seconds >= 0 else ""
        held = f", {len(fixes)} fixes here" if len(fixes) > 1 else ""
        return Told(key, f"{key}, detected {detected}, resolved{took}{held}", address, fixes=fixes)

    def _back_to(self, rollback: ReleaseRecord) -> int:
        """When that was released to which a rollback went back; before the window if nobody knows."""
        records = self._of_repo[rollback.repo_id]
        earlier = records[: bisect_left(records, rollback.released_at, key=lambda record: record.released_at)]
        for record in reversed(earlier):
            if record.release_sha == rollback.release_sha and record.status == Status.SUCCEEDED:
                return record.released_at
        undone = next((n for n, record in enumerate(earlier) if record.undone_by == rollback.id), 0)
        return earlier[undone - 1].released_at if undone else self._window.start

    def _clock(self, instant: int) -> str:
        return f"{datetime.fromtimestamp(instant, self._window.zone):%Y-%m-%d %H:%M}"


def shape_of(row: ReleaseRow) -> Shape:
    """What a release is drawn as."""
    release = row.release
    if release.status is not Status.SUCCEEDED:
        return Shape(release.status)
    return Shape(release.kind or Kind.FORWARD)


def named(ground: Ground, defects: Sequence[UUID], most: int = 3) -> str:
    """The keys of some defects, the first few."""
    keys: Mapping[UUID, str] = {id_: ground.defects[id_].key for id_ in defects}
    shown = ", ".join(list(keys.values())[:most])
    return f"{shown} and {len(keys) - most} more" if len(keys) > most else shown

"""Which commits a part of a repo counts: those of its source that touch its paths.

They are found in the background (`sifting`), after each index of the source and when the paths change. Until then a
part counts as it did before: see `is_behind`.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from shipmend.catalog.queries import RepoRef
from shipmend.core.runs import Run, Runs, intersect
from shipmend.db.sql import Statement

MOST_RUNS = 500_000
"""Held in memory for all parts together, at some ninety bytes each."""

_CURRENT = "LEFT JOIN history_sieve s ON s.entity_id = p.entity_id AND s.repo_id = p.id AND s.is_current"
_STANDING = Statement(
    f"SELECT p.source_id, s.version, s.upto FROM catalog_repo p {_CURRENT} WHERE p.entity_id = ? AND p.id = ?"
)
_RUNS = Statement(
    "SELECT first, last FROM history_touched WHERE entity_id = ? AND repo_id = ? AND version = ? ORDER BY first"
)
# A source that was never indexed has no state, and its parts have nothing to wait for.
_BEHIND = (
    "SELECT p.id FROM catalog_repo p JOIN catalog_repo source"
    " ON source.entity_id = p.entity_id AND source.id = p.source_id"
    " JOIN history_state state ON state.entity_id = p.entity_id AND state.repo_number = source.number"
    f" {_CURRENT} WHERE p.entity_id = ? AND (s.version IS NULL OR s.globs <> p.path_globs OR s.upto < state.commits"
)
_PART_BEHIND = Statement(f"{_BEHIND}) AND p.id = ?")
_PARTS_BEHIND = Statement(f"{_BEHIND} OR p.index_state <> 'ready') AND p.source_id = ?")


def touched_runs(entity_id: UUID, repo_id: UUID) -> Runs[bool] | None:
    """The commits of its source that a part counts, by number: True, and None for all others.

    None for a repo that is not a part: all commits of its history count. Not to be changed: it is shared.
    """
    return _kept.get(entity_id, repo_id)


def counted(entity_id: UUID, repo: RepoRef, spans: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Those of ascending spans of commits (first and last numbers, both included) that count for a repo.

    All of them, but for a part; costs an ordinary repo nothing.
    """
    runs = touched_runs(entity_id, repo.id) if repo.source_id else None
    return list(spans) if runs is None else intersect(spans, runs)


def is_behind(entity_id: UUID, repo_id: UUID) -> bool:
    """Whether a part has commits before it, or paths, that have not been looked at yet."""
    return _PART_BEHIND.row(entity_id, repo_id) is not None


def has_parts_behind(entity_id: UUID, source_id: UUID) -> bool:
    """Whether any part of this repo is behind, or got its old paths back before others had been applied."""
    return _PARTS_BEHIND.row(entity_id, source_id) is not None


@dataclass(frozen=True, slots=True)
class _Part:
    """The runs of a part as they were at one time."""

    version: int
    upto: int
    runs: Runs[bool]
    size: int


_NOTHING: Runs[bool] = Runs()


class _Kept:
    """The parts that this process has read lately."""

    def __init__(self) -> None:
        self._parts: OrderedDict[tuple[UUID, UUID], _Part] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, entity_id: UUID, repo_id: UUID) -> Runs[bool] | None:
        where = entity_id, repo_id
        while True:
            row = _STANDING.row(*where)
            if row is None or row[0] is None:
                return None
            _, version, upto = row
            if version is None:
                return _NOTHING
            part = self._parts.get(where)
            if part is not None and (part.version, part.upto) == (version, upto):
                return part.runs
            # Others may take its place while its rows are read, and delete them: then the next round reads those.
            self._keep(where, _load(entity_id, repo_id, version, upto))

    def _keep(self, where: tuple[UUID, UUID], part: _Part) -> None:
        with self._lock:
            self._parts[where] = part
            self._parts.move_to_end(where)
            while len(self._parts) > 1 and sum(each.size for each in self._parts.values()) > MOST_RUNS:
                self._parts.popitem(last=False)


def _load(entity_id: UUID, repo_id: UUID, version: int, upto: int) -> _Part:
    rows = _RUNS.rows(entity_id, repo_id, version)
    return _Part(version, upto, Runs(Run(first, last, value=True) for first, last in rows), len(rows))


_kept = _Kept()

"""The first-parent chain of the release branch, kept so that "the last commit at or before an instant" is one step.

Decided by reading rows of commits that are there to stay, so the plan needs no transaction; applied in the
write that completes an index.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, takewhile
from operator import eq, truth
from typing import NamedTuple

from shipmend.db.sql import Statement
from shipmend.history.arranging import Numbered
from shipmend.history.store import TRUNK, Key

_LAST = Statement(
    "SELECT floor, position, commit_number FROM history_trunk WHERE entity_id = ? AND repo_number = ?"
    " ORDER BY floor DESC, position DESC LIMIT 1"
)
_ALL = Statement(
    "SELECT floor, position, commit_number FROM history_trunk WHERE entity_id = ? AND repo_number = ?"
    " ORDER BY floor, position"
)
_COMMITS = Statement(
    "SELECT parent, committed_at FROM history_commit WHERE entity_id = ? AND repo_number = ? AND id > ? AND id <= ?"
    " ORDER BY id"
)
_LOWER = Statement("UPDATE history_trunk SET floor = ? WHERE entity_id = ? AND repo_number = ? AND floor > ?")
_CUT = Statement("DELETE FROM history_trunk WHERE entity_id = ? AND repo_number = ? AND floor >= ? AND position >= ?")


class Row(NamedTuple):
    """A step of the chain; see models.Trunk."""

    floor: int
    position: int
    commit: int


@dataclass(frozen=True, slots=True)
class Steps:
    """Steps that follow each other, as columns."""

    floors: Sequence[int] = ()
    commits: Sequence[int] = ()
    first: int = 1
    """The position of the first of them."""

    def without(self, count: int) -> Steps:
        """All but the first so many."""
        return Steps(self.floors[count:], self.commits[count:], self.first + count)

    @property
    def rows(self) -> Iterator[Row]:
        """One by one."""
        return map(Row, self.floors, self.positions, self.commits)

    @property
    def positions(self) -> range:
        """Of each."""
        return range(self.first, self.first + len(self.commits))


@dataclass(frozen=True, slots=True)
class TrunkPlan:
    """What to do to the stored chain, in this order."""

    cut: Row | None = None
    """From here on, the stored chain is not the branch's any more."""
    ceiling: int | None = None
    """No floor of what stays may be above."""
    added: Steps = Steps()


def plan_trunk(key: Key, tip: int | None, fresh: Numbered) -> TrunkPlan:
    """How the stored chain becomes that of the commit numbered `tip`; None: there is no release branch.

    `fresh` spares reading back what has just been written.
    """
    last = _last(key)
    if tip is None:
        return TrunkPlan(cut=None if last is None else _rows(key)[0])
    if last is not None and tip == last.commit:
        return TrunkPlan()
    if last is not None:
        longer = _chain(key, tip, fresh, above=last.commit)
        if longer.commits and longer.below == last.commit:
            return _longer(last, longer)
    return _changed(_rows(key), _chain(key, tip, fresh, above=0))


def apply_trunk(key: Key, plan: TrunkPlan) -> None:
    """Carry out a plan, inside write()."""
    where = (key.entity_id, key.repo_number)
    if plan.cut is not None:
        _CUT.run(*where, plan.cut.floor, plan.cut.position)
    if plan.ceiling is not None:
        _LOWER.run(plan.ceiling, *where, plan.ceiling)
    if plan.added.commits:
        TRUNK.append(key, plan.added.floors, plan.added.positions, plan.added.commits)


@dataclass(frozen=True, slots=True)
class _Chain:
    """Commits of a first-parent chain and their times, the oldest first."""

    commits: list[int]
    times: list[int | None]
    below: int
    """The parent of the oldest; 0: it has none."""


def _last(key: Key) -> Row | None:
    row = _LAST.row(key.entity_id, key.repo_number)
    return Row(*row) if row else None


def _rows(key: Key) -> list[Row]:
    return [Row(*row) for row in _ALL.rows(key.entity_id, key.repo_number)]


def _chain(key: Key, tip: int, fresh: Numbered, *, above: int) -> _Chain:
    """The first-parent chain of `tip` as far as its numbers are above `above`."""
    commits, times, commit = fresh.chain(tip, above=above)
    rows = _COMMITS.rows(key.entity_id, key.repo_number, above, commit) if commit > above else []
    while commit > above:
        parent, committed_at = rows[commit - above - 1]
        commits.append(commit)
        times.append(committed_at)
        commit = parent or 0
    return _Chain(commits[::-1], times[::-1], commit)


def _longer(last: Row, longer: _Chain) -> TrunkPlan:
    # The tip's floor is its own time.
    added = _placed(longer, after=last.position, time_before=last.floor)
    return TrunkPlan(ceiling=added.floors[0], added=added)


def _changed(stored: Sequence[Row], chain: _Chain) -> TrunkPlan:
    wanted = _placed(chain, after=0, time_before=0)
    same = sum(1 for _ in takewhile(truth, map(eq, stored, wanted.rows)))
    return TrunkPlan(cut=stored[same] if same < len(stored) else None, added=wanted.without(same))


def _placed(chain: _Chain, *, after: int, time_before: int) -> Steps:
    return Steps(floors_of(known_times(chain.times, time_before)), chain.commits, after + 1)


def known_times(times: Sequence[int | None], before: int) -> list[int]:
    """`times` with each unknown one replaced by that before it; `before` stands before the first."""
    return list(accumulate(times, lambda known, time: known if time is None else time, initial=before))[1:]


def floors_of(times: Sequence[int]) -> list[int]:
    """For each place the least time from there to the end."""
    return list(accumulate(reversed(times), min))[::-1]

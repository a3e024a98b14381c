"""The first-parent chain of the release branch, kept so that "the last commit at or before an instant" is one step.

Decided by reading rows of commits that are there to stay, so the plan needs no transaction; applied in the
write that completes an index.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
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
class TrunkPlan:
    """What to do to the stored chain, in this order."""

    cut: Row | None = None
    """From here on, the stored chain is not the branch's any more."""
    ceiling: int | None = None
    """No floor of what stays may be above."""
    added: tuple[Row, ...] = ()


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
        if longer and longer[0].parent == last.commit:
            return _longer(last, longer)
    return _changed(_rows(key), _chain(key, tip, fresh, above=0))


def apply_trunk(key: Key, plan: TrunkPlan) -> None:
    """Carry out a plan, inside write()."""
    where = (key.entity_id, key.repo_number)
    if plan.cut is not None:
        _CUT.run(*where, plan.cut.floor, plan.cut.position)
    if plan.ceiling is not None:
        _LOWER.run(plan.ceiling, *where, plan.ceiling)
    if plan.added:
        TRUNK.append(
            key,
            [row.floor for row in plan.added],
            [row.position for row in plan.added],
            [row.commit for row in plan.added],
        )


class _Step(NamedTuple):
    commit: int
    parent: int
    committed_at: int | None


def _last(key: Key) -> Row | None:
    row = _LAST.row(key.entity_id, key.repo_number)
    return Row(*row) if row else None


def _rows(key: Key) -> list[Row]:
    return [Row(*row) for row in _ALL.rows(key.entity_id, key.repo_number)]


def _chain(key: Key, tip: int, fresh: Numbered, *, above: int) -> list[_Step]:
    """The first-parent chain of `tip`, oldest first, as far as its numbers are above `above`."""
    steps: list[_Step] = []
    commit = tip
    while commit > max(above, fresh.above):
        steps.append(_Step(commit, *fresh.step(commit)))
        commit = steps[-1].parent
    rows = _COMMITS.rows(key.entity_id, key.repo_number, above, commit) if commit > above else []
    while commit > above:
        parent, committed_at = rows[commit - above - 1]
        steps.append(_Step(commit, parent or 0, committed_at))
        commit = steps[-1].parent
    return steps[::-1]


def _longer(last: Row, longer: Sequence[_Step]) -> TrunkPlan:
    # The tip's floor is its own time.
    added = _placed(longer, after=last.position, time_before=last.floor)
    return TrunkPlan(ceiling=added[0].floor, added=added)


def _changed(stored: Sequence[Row], chain: Sequence[_Step]) -> TrunkPlan:
    wanted = _placed(chain, after=0, time_before=0)
    same = 0
    while same < min(len(stored), len(wanted)) and stored[same] == wanted[same]:
        same += 1
    return TrunkPlan(cut=stored[same] if same < len(stored) else None, added=wanted[same:])


def _placed(chain: Sequence[_Step], *, after: int, time_before: int) -> tuple[Row, ...]:
    times = known_times([step.committed_at for step in chain], time_before)
    floors = floors_of(times)
    return tuple(Row(floors[i], after + 1 + i, step.commit) for i, step in enumerate(chain))


def known_times(times: Sequence[int | None], before: int) -> list[int]:
    """`times` with each unknown one replaced by that before it; `before` stands before the first."""
    return list(accumulate(times, lambda known, time: known if time is None else time, initial=before))[1:]


def floors_of(times: Sequence[int]) -> list[int]:
    """For each place the least time from there to the end."""
    return list(accumulate(reversed(times), min))[::-1]

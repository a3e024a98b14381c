"""The first-parent chain of the release branch, kept so that "the last commit at or before an instant" is one row.

Decided by reading rows of commits that are there to stay, so the plan needs no transaction; applied in the
write that completes an index.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, takewhile
from operator import eq, truth
from typing import NamedTuple

from shipmend.db.sql import Row, Statement
from shipmend.history.arranging import Numbered
from shipmend.history.store import STRETCHES, Key
from shipmend.history.stretches import STEPS, pack, unpack

_OF_REPO = "SELECT floor, position, steps FROM history_stretch WHERE entity_id = ? AND repo_number = ?"
_LAST = Statement(f"{_OF_REPO} AND floor <= ? ORDER BY floor DESC, position DESC LIMIT 1")
_FROM = Statement(f"{_OF_REPO} AND floor >= ? AND position >= ? ORDER BY floor, position")
_COMMITS = Statement(
    "SELECT parent, committed_at FROM history_commit WHERE entity_id = ? AND repo_number = ? AND id > ? AND id <= ?"
    " ORDER BY id"
)
_CUT = Statement("DELETE FROM history_stretch WHERE entity_id = ? AND repo_number = ? AND floor >= ? AND position >= ?")
_END_OF_TIME = 2**62


class Stretch(NamedTuple):
    """Steps of the chain that lie in one row; see models.Stretch."""

    floor: int
    position: int
    floors: Sequence[int]
    commits: Sequence[int]

    @classmethod
    def read(cls, row: Row) -> Stretch:
        """As it is stored."""
        floor, position, steps = row
        return cls(floor, position, *unpack(steps))


@dataclass(frozen=True, slots=True)
class TrunkPlan:
    """What to do to the stored chain, in this order."""

    cut: Stretch | None = None
    """From here on, the stored chain is not the branch's any more, or is stored otherwise."""
    added: Sequence[Stretch] = ()


def plan_trunk(key: Key, tip: int | None, fresh: Numbered) -> TrunkPlan:
    """How the stored chain becomes that of the commit numbered `tip`; None: there is no release branch.

    `fresh` spares reading back what has just been written.
    """
    last = _last(key, _END_OF_TIME)
    if tip is None:
        return TrunkPlan(cut=None if last is None else _from(key)[0])
    if last is not None and tip == last.commits[-1]:
        return TrunkPlan()
    if last is not None:
        longer = _chain(key, tip, fresh, above=last.commits[-1])
        if longer.commits and longer.below == last.commits[-1]:
            return _longer(key, last, longer)
    return _changed(_from(key), _chain(key, tip, fresh, above=0))


def apply_trunk(key: Key, plan: TrunkPlan) -> None:
    """Carry out a plan, inside write()."""
    if plan.cut is not None:
        _CUT.run(key.entity_id, key.repo_number, plan.cut.floor, plan.cut.position)
    if plan.added:
        floors, positions, *columns = zip(*plan.added, strict=True)
        STRETCHES.append(key, floors, positions, map(pack, *columns))


@dataclass(frozen=True, slots=True)
class _Chain:
    """Commits of a first-parent chain and their times, the oldest first."""

    commits: list[int]
    times: list[int | None]
    below: int
    """The parent of the oldest; 0: it has none."""


def _last(key: Key, epoch: int) -> Stretch | None:
    """The one that holds the last step at or before an instant."""
    row = _LAST.row(key.entity_id, key.repo_number, epoch)
    return Stretch.read(row) if row else None


def _from(key: Key, first: Stretch | None = None) -> list[Stretch]:
    """The stretches from `first` on, or all."""
    floor, position = (first.floor, first.position) if first else (0, 0)
    return [Stretch.read(row) for row in _FROM.rows(key.entity_id, key.repo_number, floor, position)]


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


def _longer(key: Key, last: Stretch, longer: _Chain) -> TrunkPlan:
    """The steps whose floors a new one lowers are stored anew, and with them the stretch that has room for more."""
    times = known_times(longer.times, last.floors[-1])  # the tip's floor is its own time
    stored = _from(key, _last(key, min(times)))
    floors = [floor for stretch in stored for floor in stretch.floors]
    commits = [commit for stretch in stored for commit in stretch.commits]
    return _plan(stored, stretched(floors_of(floors + times), commits + longer.commits, stored[0].position))


def _changed(stored: Sequence[Stretch], chain: _Chain) -> TrunkPlan:
    return _plan(stored, stretched(floors_of(known_times(chain.times, 0)), chain.commits, 1))


def _plan(stored: Sequence[Stretch], wanted: Sequence[Stretch]) -> TrunkPlan:
    same = sum(1 for _ in takewhile(truth, map(eq, stored, wanted)))
    return TrunkPlan(cut=stored[same] if same < len(stored) else None, added=wanted[same:])


def stretched(floors: Sequence[int], commits: Sequence[int], position: int) -> list[Stretch]:
    """Steps, of which the first has this position, as they lie in rows."""
    return [
        Stretch(floors[at], position + at, tuple(floors[at : at + STEPS]), tuple(commits[at : at + STEPS]))
        for at in range(0, len(floors), STEPS)
    ]


def known_times(times: Sequence[int | None], before: int) -> list[int]:
    """`times` with each unknown one replaced by that before it; `before` stands before the first."""
    return list(accumulate(times, lambda known, time: known if time is None else time, initial=before))[1:]


def floors_of(times: Sequence[int]) -> list[int]:
    """For each place the least time from there to the end."""
    return list(accumulate(reversed(times), min))[::-1]

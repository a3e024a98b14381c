"""Where commits stand, against a replay over sets of what was live after each release."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipmend.core.ledger import Fate, Ledger
from shipmend.core.live import CommitLife, State, Turn, Verdict, decide
from tests.core.histories import Shape, ancestors_in, parents_of, shapes

SHIPPED, WITHDRAWN, RETURNED = Fate
V1, V2, V3 = (UUID(int=n) for n in range(3))


def life(*fates: Fate, start: int = 0) -> CommitLife:
    turns = [Turn(place, 100 + place, fate, UUID(int=place)) for place, fate in enumerate(fates, start)]
    return CommitLife(tuple(turns))


waits, waits_longer = (CommitLife(is_merged=True, merged_at=at) for at in (50, 40))
unmerged, undated = CommitLife(), CommitLife(is_merged=True)


@pytest.mark.parametrize(
    ("lives", "verdict"),
    [
        ([], Verdict(State.NOT_KNOWN)),
        ([unmerged], Verdict(State.NOT_MERGED, commits=1)),
        ([waits], Verdict(State.MERGED_NOT_RELEASED, 50, commits=1)),
        ([waits, waits_longer], Verdict(State.MERGED_NOT_RELEASED, 50, commits=2)),
        ([waits, unmerged], Verdict(State.NOT_MERGED, commits=2)),
        ([waits, undated], Verdict(State.MERGED_NOT_RELEASED, None, commits=2)),
        ([life(SHIPPED)], Verdict(State.LIVE, 100, V1, 100, 1, 1)),
        ([life(SHIPPED, WITHDRAWN)], Verdict(State.WITHDRAWN, 101, V2, 100, 1, 0)),
        ([life(SHIPPED, WITHDRAWN, RETURNED)], Verdict(State.LIVE, 102, V3, 100, 1, 1)),
        ([life(SHIPPED), life(SHIPPED, start=2)], Verdict(State.LIVE, 102, V3, 102, 2, 2)),
        ([life(SHIPPED), life(SHIPPED, WITHDRAWN)], Verdict(State.PARTLY_LIVE, 100, V1, 100, 2, 1)),
        ([life(SHIPPED), waits], Verdict(State.PARTLY_LIVE, 100, V1, None, 2, 1)),
        ([life(SHIPPED, WITHDRAWN), waits], Verdict(State.WITHDRAWN, 101, V2, None, 2, 0)),
    ],
)
def test_where_something_stands(lives: list[CommitLife], verdict: Verdict) -> None:
    assert decide(lives) == verdict
    assert decide(lives[::-1]) == verdict


def replayed(contained: list[frozenset[int]], stream: Sequence[int], wanted: frozenset[int]) -> Verdict:
    """The verdict on shipped commits by the definition, from what was live after each release."""
    after = [contained[commit] for commit in stream]
    shipped = [min((n for n, live in enumerate(after) if commit in live), default=None) for commit in wanted]
    if not after or all(n is None for n in shipped):
        return Verdict(State.NOT_MERGED, commits=len(wanted))
    now = wanted & after[-1]
    state = State.LIVE if now == wanted else State.PARTLY_LIVE if now else State.WITHDRAWN
    of_them = now or frozenset(commit for commit, n in zip(wanted, shipped, strict=True) if n is not None)
    before = [frozenset[int](), *after]
    last = max(n for n, live in enumerate(after) for c in of_them if (c in live) != (c in before[n]))
    first = None if None in shipped else max(n for n in shipped if n is not None)
    return Verdict(state, last, UUID(int=last), first, len(wanted), len(now))


@given(
    shapes().flatmap(
        lambda shape: st.tuples(
            st.just(shape),
            st.lists(st.integers(1, len(shape)), max_size=12),
            st.frozensets(st.integers(1, len(shape)), min_size=1, max_size=5),
        )
    )
)
def test_the_verdict_is_what_a_replay_says(drawn: tuple[Shape, list[int], frozenset[int]]) -> None:
    shape, stream, wanted = drawn
    ledger = Ledger(parents_of(shape), stream)
    lives = [
        CommitLife(
            tuple(Turn(at, at, fate, UUID(int=at)) for at, fate in ((e.release, e.fate) for e in ledger.history_of(c)))
        )
        for c in wanted
    ]
    assert decide(lives) == replayed(ancestors_in(shape), stream, wanted)

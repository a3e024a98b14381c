"""The judge of all faults is judged first: what it must let pass, and every kind of fault that it must see."""

from __future__ import annotations

import itertools
import random
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from tests.faults.history import Event, Outcome, judge

OK, NO, MAYBE = Outcome.ACKNOWLEDGED, Outcome.REFUSED, Outcome.UNKNOWN
outcomes = st.lists(st.sampled_from(Outcome), min_size=1, max_size=6)


def writes(*ends: Outcome, cell: str = "a") -> list[Event]:
    """One write after the other, of the values 0, 1, 2, …"""
    return [Event(n, n + 0.5, cell, str(n), outcome) for n, outcome in enumerate(ends)]


def read(at: float, value: str | None) -> Event:
    return Event(at, at + 0.1, "a", value, OK, is_read=True)


@given(outcomes, st.randoms(use_true_random=False))
def test_a_store_that_keeps_its_word_is_never_blamed(ends: list[Outcome], chance: random.Random) -> None:
    events, stored = [], None
    for event in writes(*ends):
        events += [event, read(event.ended + 0.1, None)]
        if event.outcome is OK or (event.outcome is MAYBE and chance.random() < 0.5):
            stored = event.value
        events[-1] = read(event.ended + 0.1, stored)
    assert judge(events, {"a": [stored]} if stored is not None else {}).is_clean


@given(outcomes)
def test_what_was_acknowledged_and_is_gone_or_older_is_lost(ends: list[Outcome]) -> None:
    events = writes(*ends, OK)
    last = str(len(ends))
    assert judge(events, {"a": [last]}).is_clean
    assert judge(events, {}).lost
    for earlier in range(len(ends)):
        verdict = judge(events, {"a": [str(earlier)]})
        assert verdict.kept if ends[earlier] is NO else verdict.lost


def test_what_was_refused_and_is_there_is_seen() -> None:
    assert judge(writes(NO), {"a": ["0"]}).kept
    assert judge(writes(OK, NO), {"a": ["1"]}).kept
    assert judge([], {"b": ["0"]}).kept


def test_what_is_there_twice_or_was_made_twice_is_doubled() -> None:
    assert judge(writes(OK), {"a": ["0", "0"]}).doubled
    first, second = (replace(event, value="0", created=True) for event in writes(OK, OK))
    assert judge([first, second], {"a": ["0"]}).doubled
    assert judge([first, replace(second, created=False)], {"a": ["0"]}).is_clean


def test_a_read_that_forgets_what_was_acknowledged_is_stale() -> None:
    history = writes(OK, MAYBE, OK)
    for at, value, is_fine in [
        (0.6, "0", True),
        (0.6, None, False),
        (1.2, "1", True),
        (1.2, "0", True),
        (1.7, "0", True),
        (1.7, "1", True),
        (2.6, "2", True),
        (2.6, "1", False),
        (2.6, "0", False),
    ]:
        assert judge([*history, read(at, value)], {"a": ["2"]}).is_clean == is_fine, (at, value)


def test_each_cell_is_judged_alone() -> None:
    events = list(itertools.chain(writes(OK, cell="a"), writes(OK, cell="b")))
    verdict = judge(events, {"a": ["0"]})
    assert [sentence.split(":")[0] for sentence in verdict.lost] == ["b"]

"""A window that moves: never more than allowed in a period, never shut for longer than it says."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from shipmend.core.rates import MovingWindow

PERIOD = 60
steps = st.lists(st.floats(0, 90, allow_nan=False), min_size=1, max_size=200)


@given(steps, st.integers(1, 20))
def test_of_any_pattern_of_calls_no_period_of_the_clock_has_more_than_allowed(waits: list[float], allowed: int) -> None:
    window, now, taken = MovingWindow(PERIOD), 0.0, list[float]()
    for wait in waits:
        now += wait
        if window.take("k", allowed, now=now) == 0:
            taken.append(now)
    periods = [int(at // PERIOD) for at in taken]
    assert all(periods.count(period) <= allowed for period in periods)


@given(steps, st.integers(1, 20))
def test_after_the_time_it_says_there_is_room(waits: list[float], allowed: int) -> None:
    window, now = MovingWindow(PERIOD), 0.0
    for wait in waits:
        now += wait
        told = window.take("k", allowed, now=now)
        assert 0 <= told <= 2 * PERIOD
        if told:
            now += told
            assert window.take("k", allowed, now=now) == 0


@given(st.integers(1, 60))
def test_an_even_stream_within_the_limit_is_never_stopped(allowed: int) -> None:
    window = MovingWindow(PERIOD)
    assert not any(window.take("k", allowed, now=n * (PERIOD / allowed) * 1.001) for n in range(allowed * 5))


def test_an_uneven_stream_that_is_twice_the_limit_gets_half_through() -> None:
    window = MovingWindow(PERIOD)
    passed = sum(window.take("k", 60, now=n / 2) == 0 for n in range(2 * 60 * 20))
    assert 0.9 < passed / (60 * 20) <= 1.05


def test_keys_do_not_count_for_each_other_and_the_longest_unused_are_forgotten() -> None:
    window = MovingWindow(PERIOD, keys=2)
    assert [bool(window.take(key, 1, now=0)) for key in "aabba"] == [False, True, False, True, True]
    assert window.take("c", 1, now=0) == 0
    assert window.take("b", 1, now=0) == 0, "forgotten, since a was asked for after it"

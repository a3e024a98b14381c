"""The lane by itself: who waits for whom, what is done together, and what breaks."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from functools import partial
from queue import SimpleQueue

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipmend.db.lane import Lane

PATIENCE = 10.0


class Piece:
    """Something to be done together with others."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.done_in = ""


class Desk:
    """A lane that notes what it did together."""

    def __init__(self, most: int = 100) -> None:
        self.groups: list[list[str]] = []
        self.lane: Lane[Piece] = Lane(self._together, most=most, name="desk")

    def _together(self, pieces: Sequence[Piece]) -> None:
        self.groups.append([piece.name for piece in pieces])
        for piece in pieces:
            piece.done_in = threading.current_thread().name

    def run(self, *calls: Callable[[], None]) -> None:
        """Hand all calls over while the lane is busy, and wait for the last of them to end."""
        busy, left = threading.Event(), threading.Semaphore(0)
        self.lane.hand(lambda: self._hold(busy))
        for call in calls:
            self.lane.hand(partial(self._tell, call, left))
        busy.set()
        for _ in calls:
            assert left.acquire(timeout=PATIENCE), "a call never ended"

    @staticmethod
    def _tell(call: Callable[[], None], left: threading.Semaphore) -> None:
        call()
        left.release()

    @staticmethod
    def _hold(busy: threading.Event) -> None:
        assert busy.wait(PATIENCE)


def test_what_calls_want_done_is_done_together_and_each_goes_on_where_it_was() -> None:
    desk, said = Desk(), []

    def call(name: str) -> Callable[[], None]:
        def work() -> None:
            for step in range(3):
                said.append((name, step))
                desk.lane.do(Piece(f"{name}{step}"))

        return work

    desk.run(*(call(name) for name in "abc"))
    assert desk.groups == [["a0", "b0", "c0"], ["a1", "b1", "c1"], ["a2", "b2", "c2"]]
    assert said == [(name, step) for step in range(3) for name in "abc"]


@given(st.lists(st.integers(0, 4), min_size=1, max_size=12), st.integers(1, 5))
def test_whatever_calls_want_all_of_it_is_done_once_and_in_each_ones_order(wanted: list[int], most: int) -> None:
    desk = Desk(most)

    def call(name: int, times: int) -> Callable[[], None]:
        def work() -> None:
            for step in range(times):
                piece = Piece(f"{name}.{step}")
                desk.lane.do(piece)
                assert piece.done_in == "desk"

        return work

    desk.run(*(call(name, times) for name, times in enumerate(wanted)))
    done = [each for group in desk.groups for each in group]
    for name, times in enumerate(wanted):
        assert [each for each in done if each.startswith(f"{name}.")] == [f"{name}.{n}" for n in range(times)]
    assert len(done) == sum(wanted)
    assert all(len(group) <= most + len(wanted) for group in desk.groups)


def test_calls_that_want_nothing_keep_nobody_waiting_however_many_come() -> None:
    desk, done = Desk(), threading.Event()

    def endless() -> None:
        if not done.is_set():
            desk.lane.hand(endless)

    def call() -> None:
        desk.lane.do(Piece("wanted"))
        done.set()

    desk.run(endless, endless, call)
    assert desk.groups == [["wanted"]]


def test_other_threads_have_theirs_done_in_the_lane_too() -> None:
    desk, pieces = Desk(), [Piece(str(n)) for n in range(8)]
    threads = [threading.Thread(target=desk.lane.do, args=[piece]) for piece in pieces]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert {piece.done_in for piece in pieces} == {"desk"}


def test_what_is_done_aside_keeps_nobody_waiting() -> None:
    desk, gate, said = Desk(), threading.Event(), SimpleQueue[str]()

    def slow() -> None:
        where = desk.lane.aside(lambda: gate.wait(PATIENCE) and threading.current_thread().name)
        desk.lane.do(Piece("slow"))
        said.put(f"slow, {where}")

    def quick() -> None:
        desk.lane.do(Piece("quick"))
        said.put("quick")
        gate.set()

    desk.run(slow, quick)
    assert said.get(timeout=PATIENCE) == "quick"
    assert said.get(timeout=PATIENCE).startswith("slow, desk-aside")
    assert desk.groups == [["quick"], ["slow"]]


def test_what_fails_aside_fails_its_own_call_alone() -> None:
    desk, caught = Desk(), []

    def fails() -> int:
        raise OSError("gone")

    def call() -> None:
        try:
            desk.lane.aside(fails)
        except OSError as error:
            caught.append(str(error))

    desk.run(call, call)
    assert caught == ["gone", "gone"]


def test_outside_the_lane_nothing_is_put_aside() -> None:
    assert Desk().lane.aside(threading.current_thread) is threading.current_thread()


def test_a_call_that_breaks_is_told_to_the_log_and_ends_nothing(caplog: pytest.LogCaptureFixture) -> None:
    desk = Desk()

    def breaks() -> None:
        raise SystemExit(3)

    desk.lane.hand(breaks)
    desk.run(lambda: desk.lane.do(Piece("after")))
    assert desk.groups == [["after"]]
    assert "A short call broke." in caplog.text

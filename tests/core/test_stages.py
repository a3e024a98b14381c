"""The stages of a defect in a repo."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from shipmend.core.stages import Milestone, Work, first_activity, out_of_order, stages

times = st.one_of(st.none(), st.integers(0, 20))
works = st.builds(Work, times, times, times)
D, A, F, R = Milestone


@given(st.integers(0, 20), works)
def test_stages_follow_one_another_without_a_gap_from_the_detection(detected: int, work: Work) -> None:
    found = stages(detected, work)
    at, since = detected, D
    for stage in found:
        assert (stage.start, stage.since) == (at, since)
        if stage.end is None or stage.until is None:
            assert stage is found[-1]
            assert work.released is None
        else:
            assert stage.end >= at
            at, since = stage.end, stage.until


@given(st.integers(0, 20), works)
def test_every_milestone_that_is_known_ends_a_stage_or_is_told_of(detected: int, work: Work) -> None:
    known = {name for name, at in zip((A, F, R), work, strict=True) if at is not None}
    ended = {stage.until for stage in stages(detected, work)} - {None}
    assert ended.isdisjoint(out_of_order(detected, work))
    assert ended | set(out_of_order(detected, work)) == known


def test_a_fix_whose_commit_is_not_known_is_one_stage() -> None:
    assert [(stage.since, stage.until) for stage in stages(5, Work(released=9))] == [(D, R)]


def test_a_fix_authored_before_the_detection_is_left_out_and_told() -> None:
    work = Work(authored=3, released=9)
    assert [(stage.since, stage.until) for stage in stages(5, work)] == [(D, R)]
    assert out_of_order(5, work) == (F,)


def test_while_no_fix_is_released_the_last_stage_goes_on() -> None:
    assert stages(5, Work(activity=7))[-1] == (A, None, 7, None)


@given(st.integers(0, 20), st.lists(times))
def test_the_first_activity_is_the_first_commit_since_the_detection(detected: int, authored: list[int | None]) -> None:
    later = sorted(at for at in authored if at is not None and at >= detected)
    assert first_activity(detected, authored) == (later[0] if later else None)

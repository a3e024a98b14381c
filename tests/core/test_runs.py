"""Runs against a plain dict."""

from __future__ import annotations

from array import array
from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from shipmend.core.runs import Redrawn, Runs, spans_of

numbers = st.integers(1, 30)
words = st.sampled_from(["a", "b", "c"])
maybe_words = st.none() | words
drawings = st.dictionaries(numbers, maybe_words, max_size=20)


def drawn(*each: Mapping[int, str | None]) -> Runs[str]:
    runs = Runs[str]()
    for drawing in each:
        runs.redraw(drawing)
    return runs


def as_dict(runs: Runs[str]) -> dict[int, str]:
    return {number: run.value for run in runs for number in range(run.first, run.last + 1)}


@given(st.lists(drawings, max_size=6))
def test_each_number_has_the_value_it_was_given_last(each: list[dict[int, str | None]]) -> None:
    runs = drawn(*each)
    expected: dict[int, str | None] = {}
    for drawing in each:
        expected |= drawing
    assert {number: runs.at(number) for number in range(1, 33)} == {n: expected.get(n) for n in range(1, 33)}
    assert as_dict(runs) == {number: value for number, value in expected.items() if value is not None}


@given(st.lists(drawings, max_size=6))
def test_runs_are_as_long_as_can_be(each: list[dict[int, str | None]]) -> None:
    runs = drawn(*each)
    assert list(runs) == list(spans_of(as_dict(runs)))


@given(st.lists(drawings, max_size=4), drawings)
def test_what_came_and_went_leads_from_the_old_runs_to_the_new_and_names_no_other(
    each: list[dict[int, str | None]], drawing: dict[int, str | None]
) -> None:
    runs = drawn(*each)
    before = set(runs)
    redrawn = runs.redraw(drawing)
    assert set(redrawn.gone) == before - set(runs)
    assert set(redrawn.come) == set(runs) - before


@given(st.lists(drawings, max_size=4), drawings, drawings)
def test_two_changes_are_one_change(
    each: list[dict[int, str | None]], one: dict[int, str | None], other: dict[int, str | None]
) -> None:
    runs = drawn(*each)
    before = set(runs)
    both = runs.redraw(one).then(runs.redraw(other))
    assert both == Redrawn.between(before, set(runs))


@given(st.lists(drawings, max_size=4))
def test_runs_that_were_stored_can_be_had_back_in_any_order(each: list[dict[int, str | None]]) -> None:
    runs = drawn(*each)
    assert list(Runs(reversed(list(runs)))) == list(runs)


@given(st.lists(st.integers(0, 3), max_size=30))
def test_a_column_of_places_becomes_runs(places: list[int]) -> None:
    runs = Runs.of(array("i", [0, *places]), ["a", "b", "c"])
    assert as_dict(runs) == {number: "abc"[place - 1] for number, place in enumerate(places, start=1) if place}
    assert list(runs) == list(spans_of(as_dict(runs)))
    assert runs.at(len(places) + 1) is None


@given(st.lists(drawings, max_size=4), numbers, numbers)
def test_overlapping_runs_are_those_with_a_number_in_the_range(
    each: list[dict[int, str | None]], one: int, other: int
) -> None:
    runs = drawn(*each)
    first, last = sorted((one, other))
    assert list(runs.overlapping(first, last)) == [run for run in runs if run.first <= last and run.last >= first]

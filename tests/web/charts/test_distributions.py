"""The histogram of times and the scatter of two values."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from shipmend.web.amounts import DAY, HOUR
from shipmend.web.charts.histogram import CLASSES, EDGES, distribution, histogram
from shipmend.web.charts.picture import Cell
from shipmend.web.charts.scales import spans
from shipmend.web.charts.scatter import Dot, categories, scatter
from tests.web.charts.reading import numbers, picture_of, share

some_times = st.lists(st.integers(0, 400 * DAY) | st.sampled_from(EDGES), max_size=150)


@settings(max_examples=50, deadline=None)
@given(some_times)
def test_every_time_is_counted_once_in_its_class(times: list[int]) -> None:
    found = distribution(sorted(times))
    expected = [0] * len(CLASSES)
    for seconds in times:
        expected[sum(seconds >= edge for edge in EDGES)] += 1
    assert list(found) == expected


def test_a_histogram_says_each_class_with_its_share() -> None:
    amounts = distribution([60, 2 * HOUR, 2 * HOUR, 100 * DAY])
    chart = histogram("h", "T", "s", amounts, what="commits")
    found = picture_of(chart)
    assert len(found.marks("bar")) == 3
    assert found.said()[0] == "less than 1 h: 1 commit, 25 %"
    assert numbers(chart)[1] == ["1 h to 6 h", "2", "50 %"]
    assert len(found.said()) == len(numbers(chart)) == len(CLASSES)


def test_a_dot_lies_at_its_values_opens_its_page_and_is_hollow_while_open() -> None:
    dots = [
        Dot(0, HOUR, "D-1 <1 h>", (Cell("D-1", "/d/1"), Cell("1 h")), "/d/1"),
        Dot(1, 30 * DAY, "D-2", (Cell("D-2"), Cell("30 d")), is_open=True),
    ]
    axis = spans([dot.up for dot in dots])
    chart = scatter("s", "T", "s", dots, x_axis=categories(["1", "2"]), y_axis=axis, columns=("Defect", "Took"))
    found = picture_of(chart)
    places = [each for each in found.root.iter("svg") if each.find("circle") is not None]
    assert [share(place.get("x")) for place in places] == [0.25, 0.75]
    assert float(places[0].get("y", "")) > float(places[1].get("y", ""))
    assert [dot.get("data-to") for dot in found.marks("dot")] == ["/d/1", None]
    assert len(found.marks("few")) == 1
    assert found.said() == ["D-1 <1 h>", "D-2"]
    assert numbers(chart) == [["D-1", "1 h"], ["D-2", "30 d"]]

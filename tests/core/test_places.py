"""Where the changes are: few lines, nothing left out, nothing twice, and the point of it on top."""

from __future__ import annotations

from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from shipmend.core.changes import Amount
from shipmend.core.places import ELSEWHERE, MOST_PLACES, top_places

NAMES = st.sampled_from(["a", "b", "c", "d", ELSEWHERE, "*"])
DIRECTORIES = st.lists(NAMES, max_size=4).map("/".join)
AMOUNTS = st.builds(Amount, st.integers(1, 9), st.integers(0, 99), st.integers(0, 99))
CHANGES = st.dictionaries(DIRECTORIES, AMOUNTS, max_size=30)


def lines(**counts: int) -> dict[str, Amount]:
    """Directories (`_` for `/`) with as many inserted lines, in one file each."""
    return {name.replace("_", "/").removeprefix("top"): Amount(1, count, 0) for name, count in counts.items()}


def places(directories: Mapping[str, Amount], most: int = MOST_PLACES) -> list[str]:
    return [place.place for place in top_places(directories, most)]


@given(CHANGES, st.integers(1, MOST_PLACES))
def test_a_handful_of_places_adds_up_to_everything(directories: dict[str, Amount], most: int) -> None:
    found = top_places(directories, most)
    assert len(found) <= most
    assert sum((place.amount for place in found), Amount()) == sum(directories.values(), Amount())
    assert len({place.place for place in found}) == len(found)


@given(CHANGES)
def test_each_directory_is_in_the_place_that_names_it(directories: dict[str, Amount]) -> None:
    named = dict(top_places(directories, 1000))
    assert ELSEWHERE not in named

    def holds(place: str, directory: str) -> bool:
        if place.endswith("*") and place in ("*", f"{directory}/*"):
            return directory == place.removesuffix("*").removesuffix("/")
        return place.endswith("/") and f"{directory}/".startswith(place)

    for place, amount in named.items():
        inside = [own for directory, own in directories.items() if holds(place, directory)]
        assert sum(inside, Amount()) == amount, place


@given(CHANGES)
def test_the_weightiest_place_comes_first_and_the_order_of_arrival_means_nothing(
    directories: dict[str, Amount],
) -> None:
    found = top_places(directories)
    by_lines = any(amount.lines for amount in directories.values())
    weights = [amount.lines if by_lines else amount.files for place, amount in found if place != ELSEWHERE]
    assert weights == sorted(weights, reverse=True)
    assert found == top_places(dict(reversed(directories.items())))


def test_nothing_changed_nowhere() -> None:
    assert top_places({}) == ()


def test_files_at_the_top_are_told_apart_from_the_directories() -> None:
    assert places(lines(top=5, src=9)) == ["src/", "*"]


def test_a_directory_that_holds_nothing_but_another_is_named_with_it() -> None:
    assert places(lines(src_main_java_acme_a=5, src_main_java_acme_b=4)) == [
        "src/main/java/acme/a/",
        "src/main/java/acme/b/",
    ]


def test_a_directory_with_nearly_everything_is_told_by_its_parts() -> None:
    many = lines(services_pay=60, services_mail=30, services_x=1, docs=5)
    assert places(many) == ["services/pay/", "services/mail/", "docs/", "services/x/"]


def test_a_directory_whose_files_lie_in_it_is_told_as_one() -> None:
    assert places(lines(t=90, t_lib=5, t_perf=4, docs=1)) == ["t/", "docs/"]


def test_a_directory_of_very_many_small_parts_is_told_as_one() -> None:
    many = {f"packages/p{n:03}": Amount(1, 10, 0) for n in range(100)}
    assert places({**many, "docs": Amount(1, 1, 0)}) == ["packages/", "docs/"]


def test_what_is_left_out_is_summed_up_at_the_end() -> None:
    many = {f"d{n}": Amount(1, 100 - n, 1) for n in range(20)}
    found = top_places(many)
    assert found[-1].place == ELSEWHERE
    assert found[-1].amount == Amount(13, sum(100 - n for n in range(7, 20)), 13)


def test_without_lines_files_weigh() -> None:
    assert places({"few": Amount(1), "many": Amount(7)}) == ["many/", "few/"]


def test_directories_nested_without_end_are_no_trouble() -> None:
    deep = {"/".join(["d"] * depth): Amount(1, 1, 0) for depth in range(1, 3000, 50)}
    assert sum((amount for _, amount in top_places(deep)), Amount()) == Amount(60, 60, 0)

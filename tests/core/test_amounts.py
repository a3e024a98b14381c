"""Numbers go with their words."""

from __future__ import annotations

import pytest

from shipmend.core.amounts import of_number, several
from shipmend.core.dora import ASIDES
from shipmend.core.facts import REASONS, Reason


def test_one_is_no_plural() -> None:
    assert [several(n, "tag") for n in (0, 1, 2, 1234)] == ["0 tags", "1 tag", "2 tags", "1,234 tags"]
    assert [several(n, "repo is", "repos are") for n in (1, 2)] == ["1 repo is", "2 repos are"]


@pytest.mark.parametrize(
    ("words", "of_one"),
    [
        (REASONS[Reason.CANCELLED], "release that was cancelled"),
        (REASONS[Reason.BACKWARD], "defect whose fix is dated before its detection"),
        (REASONS[Reason.REDEPLOY], "redeploy, which changed nothing"),
        (
            REASONS[Reason.BASELINE],
            "commit of the first release of a stream, of which nobody knows when it was shipped",
        ),
        ("caused a defect", "caused a defect"),
    ],
)
def test_words_for_what_is_counted_go_with_one(words: str, of_one: str) -> None:
    assert of_number(1, words) == of_one
    assert of_number(2, words) == of_number(0, words) == words


def test_none_of_the_words_of_a_figure_stays_a_plural_of_one() -> None:
    for words in (*REASONS.values(), *ASIDES.values()):
        assert not of_number(1, words).split()[0].rstrip(",").endswith("s"), words

"""Totals, files and people of what changed."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from shipmend.core.changes import Amount, Author, ChangedFile, people, top_files

COUNTS = st.one_of(st.none(), st.integers(0, 5))
FILES = st.builds(ChangedFile, st.text(max_size=3), st.just("M"), COUNTS, COUNTS)
ADDRESSES = st.sampled_from(["ann@x", "Ann@X", "bob@x", ""])
ROWS = st.lists(st.tuples(st.sampled_from(["Ann", "ann", "Bob", ""]), ADDRESSES, st.integers(1, 9)))


@given(st.lists(FILES, unique_by=lambda file: file.path), st.integers(0, 6))
def test_the_top_files_are_those_with_the_most_lines(files: list[ChangedFile], most: int) -> None:
    def lines(file: ChangedFile) -> int:
        return sum(filter(None, (file.insertions, file.deletions)))

    top = top_files(files, most)
    assert len(top) == min(most, len(files))
    left_out = [lines(file) for file in files if file not in top]
    listed = [lines(file) for file in top]
    assert listed == sorted(listed, reverse=True)
    assert max(left_out, default=0) <= min(listed, default=0) or not listed
    assert top == top_files(reversed(files), most)


@given(ROWS)
def test_people_have_all_their_commits_together_whatever_the_case_of_their_address(
    rows: list[tuple[str, str, int]],
) -> None:
    found = people(rows)
    assert sum(author.commits for author in found) == sum(commits for _, _, commits in rows)
    by_address: Counter[str] = Counter()
    for name, email, commits in rows:
        by_address[(email or name).casefold()] += commits
    assert sorted(author.commits for author in found) == sorted(by_address.values())
    assert list(found) == sorted(found, key=lambda author: -author.commits)


def test_someone_is_shown_by_their_usual_name() -> None:
    rows = [("A. Lovelace", "ada@x", 2), ("Ada Lovelace", "ada@x", 5), ("ada", "ADA@x", 1)]
    assert people(rows) == (Author("Ada Lovelace", "ada@x", 8),)


def test_who_gives_no_name_is_shown_by_address() -> None:
    assert people([("", "ada@x", 1)]) == (Author("ada@x", "ada@x", 1),)


def test_amounts_add_up() -> None:
    assert Amount(1, 2, 3) + Amount(10, 20, 30) == Amount(11, 22, 33)
    assert Amount(1, 2, 3).lines == 5

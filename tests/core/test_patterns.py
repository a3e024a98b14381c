"""Patterns: what they find (with Python's own `re` as the oracle), what is refused, and how long they may take."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from importlib import import_module
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shipmend.core.errors import Invalid
from shipmend.core.patterns import PATTERN_CHARACTERS, TEXT_CHARACTERS, Pattern, read_pattern
from shipmend.core.patterns.automaton import MOST_REMEMBERED

# How `re` itself reads a pattern; by name, since the types of the standard library hide it.
words, reader = import_module("re._constants"), import_module("re._parser")

ALPHABET = "abAB01-._ é"


def pattern(text: str) -> Pattern:
    return read_pattern(text, parameter="value")


def read(text: str) -> Pattern | str:
    """The pattern, or why it is none."""
    try:
        return pattern(text)
    except Invalid as refusal:
        return str(refusal)


def _counted(part: str, least: int, more: int) -> str:
    return f"(?:{part}){{{least},{least + more}}}"


ATOMS = st.one_of(
    st.sampled_from(ALPHABET).map(re.escape),
    st.sampled_from(
        [
            ".",
            r"\d",
            r"\w",
            r"\s",
            r"\D",
            r"\W",
            r"\S",
            "[ab]",
            "[^ab]",
            r"[a-b\d]",
            r"[^\s-]",
            "[]a]",
            "[a-]",
            r"[\]\-]",
        ]
    ),
)


def _composed(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.lists(inner, max_size=4).map("".join),
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: f"({'|'.join(parts)})"),
        st.tuples(inner, st.sampled_from(["*", "+", "?", "*?", "{2}", "{1,}", "{,2}"])).map(
            lambda p: f"(?:{p[0]}){p[1]}"
        ),
        st.builds(_counted, inner, st.integers(0, 2), st.integers(0, 2)),
        inner.map(lambda part: f"(^{part}|{part}$)"),
    )


PATTERNS = st.recursive(ATOMS, _composed, max_leaves=8)


@settings(max_examples=400)
@given(PATTERNS, st.sampled_from(["", "^"]), st.sampled_from(["", "$"]), st.booleans(), st.data())
def test_a_pattern_finds_what_pythons_own_finds(
    inner: str, begin: str, end: str, any_case: bool, data: st.DataObject
) -> None:
    text = f"{'(?i)' if any_case else ''}{begin}({inner}){end}"
    found = read(text)
    if isinstance(found, str):
        # Ends that can be taken twice, texts that are too long, and too many repetitions: each is told.
        assert re.search("twice|characters|repeats too much", found), text
        return
    oracle = re.compile(text)
    for sample in data.draw(st.lists(st.text(ALPHABET, max_size=8), min_size=1, max_size=10)):
        assert found.is_in(sample) == bool(oracle.search(sample)), (text, sample)


@pytest.mark.parametrize(
    ("text", "found", "missed"),
    [
        (r"^v\d+\.\d+\.\d+$", ["v1.2.3", "v10.20.30"], ["v1.2", "v1.2.3-rc1", "xv1.2.3", "v1x2.3"]),
        (r"^(v|release-)\d", ["v1", "release-2"], ["pre-v1", "release"]),
        (r"(^|/)prod$", ["prod", "team/prod"], ["production", "nonprod"]),
        (r"^[^-]*$", ["v1.0"], ["v1.0-rc1"]),
        ("(?i)RELEASE", ["my-release", "Release"], ["rel"]),
        (r"v1.0|latest", ["v1x0", "latest-2"], ["v1"]),
        (r"^20[0-9]{2}-[01]\d-[0-3]\d$", ["2024-01-31"], ["2024-1-31"]),
        ("", ["anything", ""], []),
    ],
)
def test_what_people_write_finds_what_they_mean(text: str, found: list[str], missed: list[str]) -> None:
    assert [each for each in found + missed if pattern(text).is_in(each)] == found


@pytest.mark.parametrize(
    ("text", "because"),
    [
        ("(", "at character 1, a ( is not closed"),
        ("a)", "at character 2, a ) closes nothing"),
        ("[a", "at character 1, a [ is not closed"),
        ("[b-a]", "at character 3, the - is not between two characters in order"),
        (r"[a-\d]", "the - is not between"),
        ("[[:alpha:]]", r"write \["),
        ("*", "nothing to repeat"),
        ("a**", "a repetition is repeated"),
        ("a*+", "a repetition is repeated"),
        ("a{2}{3}", "a repetition is repeated"),
        ("a{3,2}", "not in order"),
        ("a{101}", "above 100"),
        ("a{x}", r"write \{"),
        ("^*", "can't be repeated"),
        ("^^a", "can begin twice"),
        ("a$($)", "can end twice"),
        (r"(a)\1", r"\1 is not supported"),
        (r"\bprod", r"\b is not supported"),
        ("a(?=b)", "this kind of group is not supported"),
        ("(?P<n>a)", "this kind of group is not supported"),
        ("a(?i)", "this kind of group is not supported"),
        ("\\", "is not supported"),
        ("[\\", "is not supported"),
        ("[", "a [ is not closed"),
        ("x" * (PATTERN_CHARACTERS + 1), "201 characters"),
        ("(((((((((a{99}){99}){99}){99}){99}){99}){99}){99}){99})", "repeats too much"),
        ("((((((((((){99}){99}){99}){99}){99}){99}){99}){99}){99})", "repeats too much"),
    ],
)
def test_what_is_refused_is_told_with_its_place(text: str, because: str) -> None:
    with pytest.raises(Invalid) as refused:
        pattern(text)
    assert because in str(refused.value)
    assert refused.value.parameter == "value"


@given(st.text(max_size=40))
def test_no_text_is_read_as_something_else_than_python_reads(text: str) -> None:
    found = read(text)
    if isinstance(found, str):
        return
    oracle = re.compile(text)
    assert all(
        found.is_in(sample) == bool(oracle.search(sample)) for sample in ("", "a", text, text[1:]) if "\n" not in sample
    )


class Tries:
    """Goes through a pattern as `re` reads it in every way there is, counting the characters it looks at."""

    def __init__(self, text: str) -> None:
        self.count = 0
        for _ in self._row(list(reader.parse(text))):
            pass

    def _row(self, nodes: Sequence[Any]) -> Iterator[None]:
        if not nodes:
            yield
            return
        for _ in self._node(*nodes[0]):
            yield from self._row(nodes[1:])

    def _node(self, kind: object, value: Any) -> Iterator[None]:
        if kind is words.SUBPATTERN:
            yield from self._row(list(value[3]))
        elif kind is words.BRANCH:
            for part in value[1]:
                yield from self._row(list(part))
        elif kind in (words.MAX_REPEAT, words.MIN_REPEAT):
            yield from self._repeated(*value)
        else:
            self.count += 1
            yield

    def _repeated(self, least: int, most: int, part: Any) -> Iterator[None]:
        if least <= 0:
            yield
        if most > 0:
            for _ in self._row(list(part)):
                yield from self._repeated(least - 1, most - 1, part)


FINITE = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map("".join),
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: f"({'|'.join(['', *parts])})"),
        st.builds(_counted, inner, st.integers(0, 2), st.integers(0, 2)),
        inner.map(lambda part: f"(?:{part})?"),
    ),
    max_leaves=5,
)


@given(FINITE)
def test_no_matcher_takes_more_steps_at_one_place_than_a_pattern_says(text: str) -> None:
    found = pattern(text)
    if found.steps < 10_000:
        assert Tries(text).count <= found.steps
    for sample in ("aaaa", "ab-1", ""):
        oracle = re.match(text, sample)
        assert oracle is None or len(oracle[0]) <= found.longest


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        ("[A-Z]{2,9}-[0-9]{1,7}", 200),
        ("(SHOP|TILL)-[0-9]{1,6}", 50),
        ("(a{1,9}){1,9}", None),
        ("(|){40}x", None),
        ("(a?){40}", None),
        ("a{1,99}a{1,99}a{1,99}", None),
    ],
)
def test_the_steps_of_a_pattern_grow_with_the_ways_to_go_through_it(text: str, steps: int | None) -> None:
    assert pattern(text).steps <= steps if steps else pattern(text).steps > 100_000


@pytest.mark.parametrize("text", ["a*", "(ab)+", "a{2,}", "(a|b*)c"])
def test_what_may_go_on_without_end_has_no_longest_match(text: str) -> None:
    assert pattern(text).steps == pattern(text).longest == float("inf")


@pytest.mark.parametrize("text", ["(a+)+$", "^(a|a)*$", "(a*)*b", "(.*)*x", "(a?){100}a{100}$", "(.*a){20}$"])
def test_a_pattern_made_to_take_for_ever_takes_steps_in_proportion_to_the_text(text: str) -> None:
    """`re` would not come to an end of most of these; that this test does is the proof."""
    found = pattern(text)
    assert not found.is_in("a" * (TEXT_CHARACTERS - 1) + "!")
    assert len(found._nexts) <= TEXT_CHARACTERS + 2


def test_what_is_remembered_is_bounded() -> None:
    found = pattern(".{3}$")
    for start in range(0, 3 * MOST_REMEMBERED, 200):
        assert found.is_in("".join(map(chr, range(0x4E00 + start, 0x4E00 + start + 200))))
    assert len(found._takers) <= MOST_REMEMBERED


def test_a_text_is_looked_at_up_to_its_limit() -> None:
    long = "a" * TEXT_CHARACTERS
    assert pattern("a$").is_in(long)
    assert not pattern("a$").is_in(long + "a")
    assert not pattern("b").is_in(long + "b")

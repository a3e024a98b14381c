"""Ticket keys in messages: what is found, what is refused, with lookbehind in Python's `re` as the oracle."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipmend.core.errors import Invalid
from shipmend.core.tickets import (
    KEY_CHARACTERS,
    MOST_KEYS,
    NUMBER,
    SEPARATOR,
    STANDARDS,
    TEXT_CHARACTERS,
    USUAL,
    TicketPattern,
    in_order,
    normal,
)

usual, numbered = TicketPattern(), TicketPattern(numbers=True)


@pytest.mark.parametrize(
    ("message", "keys"),
    [
        ("SHOP-12: mend the till", ["SHOP-12"]),
        ("Mend the till (SHOP-12, TILL-3)\n\nRefs: SHOP-12", ["SHOP-12", "TILL-3"]),
        ("Merge branch 'feature/SHOP-12-mend-the-till' into main", ["SHOP-12"]),
        ("See https://tracker.example/browse/SHOP-12?focus=1", ["SHOP-12"]),
        ("[SHOP-12][TILL-3]fix", ["SHOP-12", "TILL-3"]),
        ("SHOP-12.", ["SHOP-12"]),
        ("fix-SHOP-12", ["SHOP-12"]),
        ("P2P-7 has a digit", ["P2P-7"]),
        ("SHOP-12345678 is too long a number", []),
        ("SHOPKEEPERS-1 is too long a word", []),
        ("xSHOP-12, _SHOP-12, 9SHOP-12, éSHOP-12", []),
        ("SHOP-12x SHOP-12_ SHOP-12é", []),
        ("XSHOP-1 SHOP-2", ["XSHOP-1", "SHOP-2"]),
        ("S-1 is one letter", []),
        ("shop-12 is lower case", []),
        ("UTF-8, SHA-256 and ISO-8601; CVE-2021-44228", []),
        ("ISO-8859-1, GCC-4.2 and D295145E-7596-47E4", []),
        ("#12", []),
        ("", []),
    ],
)
def test_the_usual_keys(message: str, keys: list[str]) -> None:
    assert list(usual.keys(message)) == keys


@pytest.mark.parametrize(
    ("message", "keys"),
    [
        ("Mend the till (#12)", ["#12"]),
        ("Fixes #12, closes #3; SHOP-4", ["#12", "#3", "SHOP-4"]),
        ("acme/till#12 is another repo's", []),
        ("C#7 and &x#12;", []),
        ("##12", ["#12"]),
        ("#12345678", []),
        ("#1.5", []),
        ("#ff0000", []),
    ],
)
def test_numbers_are_keys_where_they_are_wanted(message: str, keys: list[str]) -> None:
    assert list(numbered.keys(message)) == keys


@pytest.mark.parametrize(
    ("pattern", "message", "keys"),
    [
        ("(SHOP|TILL)-[0-9]{1,6}", "SHOP-1 BACK-2 TILL-3", ["SHOP-1", "TILL-3"]),
        ("UTF-[0-9]{1,2}", "UTF-8 is our ticket", ["UTF-8"]),
        ("(?i)shop-[0-9]{1,6}", "Shop-1, SHOP-1 and shop-2", ["SHOP-1", "SHOP-2"]),
        ("sc-[0-9]{3,7}", "sc-123 SC-456", ["SC-123"]),
        (r"T\d{1,7}", "T12 t13 TT14", ["T12"]),
        (r"[Bb]ug\s{1,3}\d{1,7}", "Bug  12, bug\n13 and debug 14", ["BUG 12", "BUG 13"]),
        (r"\[[0-9]{1,5}\]", "[12] a[13] [14]b", ["[12]"]),
        ("^[0-9]{1,5}", "12 and 13", ["12"]),
        ("A|AB", "AB A", ["AB", "A"]),
    ],
)
def test_a_teams_own_keys(pattern: str, message: str, keys: list[str]) -> None:
    assert list(TicketPattern(pattern).keys(message)) == keys


PIECES = st.sampled_from(["SHOP-1", "A1-22", "X", "x", "-", "_", "#7", "#", " ", "\n", ".", "1", "é", "UTF-8", "SHOP-"])
TEXTS = st.lists(PIECES, max_size=12).map("".join)


@given(TEXTS, st.booleans())
def test_keys_are_what_a_lookbehind_would_find(text: str, numbers: bool) -> None:
    either = f"(?:{USUAL}|{NUMBER})" if numbers else USUAL
    oracle = re.findall(rf"(?<!\w){either}(?!\w|[.-]\d)", text)
    wanted = [key for key in dict.fromkeys(oracle) if key.partition("-")[0] not in STANDARDS]
    assert list(TicketPattern(numbers=numbers).keys(text)) == wanted


@given(st.lists(TEXTS, max_size=5), st.sampled_from([usual, numbered, TicketPattern("[A-Z]{2,9}-[0-9]{1,7}")]))
def test_many_messages_are_searched_as_one_by_one(texts: list[str], pattern: TicketPattern) -> None:
    assert pattern.scan(texts) == [SEPARATOR.join(pattern.keys(text)) or None for text in texts]


@given(st.text(max_size=60), st.sampled_from(["(?i).{1,9}", "[^a]{2,5}", r"\s?\S{1,3}", "[^-]"]))
def test_a_key_is_printable_on_one_line_and_its_own_normal_form(text: str, pattern: str) -> None:
    for key in TicketPattern(pattern).keys(text):
        assert key.isprintable()
        assert SEPARATOR not in key
        assert normal(key) == key


def test_the_keys_of_one_message_are_bounded_and_so_is_what_is_read_of_it() -> None:
    assert len(usual.keys(" ".join(f"SHOP-{n}" for n in range(9 * MOST_KEYS)))) == MOST_KEYS
    assert usual.keys("x" * (TEXT_CHARACTERS - 7) + " SHOP-1") == ("SHOP-1",)
    assert usual.keys("x" * TEXT_CHARACTERS + " SHOP-1") == ()


@pytest.mark.parametrize(
    ("pattern", "because"),
    [
        ("[A-Z]+-[0-9]+", "may go on for too long: say how often at the most, as in [A-Z][A-Z0-9]{1,9}-[0-9]{1,7}"),
        ("(SHOP-[0-9]{1,99}){2}", f"keys of at most {KEY_CHARACTERS} characters"),
        ("[a-z]{1,30}[a-z]{1,30}[a-z]{1,30}", "could take too long"),
        ("((|){9}){9}x", "could take too long"),
        ("(a?){50}", "a key of no characters"),
        ("[0-9]{0,5}", "a key of no characters"),
        ("SHOP-1|", "a key of no characters"),
        ("(SHOP", "a ( is not closed"),
        (r"\bSHOP-1", r"\b is not supported"),
        ("(?P<key>SHOP)-1", "this kind of group is not supported"),
        ("x" * 201, "has 201 characters"),
    ],
)
def test_a_pattern_is_refused_with_the_reason(pattern: str, because: str) -> None:
    with pytest.raises(Invalid) as refused:
        TicketPattern(pattern)
    assert because in str(refused.value)
    assert refused.value.parameter == "ticket_pattern"


def test_what_tells_patterns_apart_differs_with_what_they_find() -> None:
    patterns = [usual, numbered, TicketPattern("A-1"), TicketPattern("A-1", numbers=True), TicketPattern("# A-1")]
    assert len({pattern.fingerprint for pattern in patterns}) == len(patterns)
    assert TicketPattern("A-1").fingerprint == TicketPattern("A-1").fingerprint


def test_keys_stand_in_the_order_people_expect() -> None:
    keys = ["SHOP-10", "#3", "SHOP-9", "TILL", "#12", "SHOP-9", "TILL-1"]
    assert in_order(keys) == ("#3", "#12", "SHOP-9", "SHOP-10", "TILL", "TILL-1")


def test_one_spelling_for_all() -> None:
    assert normal("  banana-12 ") == normal("BANANA-12") == "BANANA-12"
    assert normal("bug \n 7") == "BUG 7"

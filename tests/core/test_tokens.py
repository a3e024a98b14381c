"""The shape of tokens: checksums, masks, and what must never pass."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from shipmend.core import tokens


def test_a_fresh_token_is_well_formed_and_no_two_are_alike() -> None:
    minted = {tokens.mint() for _ in range(500)}
    assert len(minted) == 500
    assert all(tokens.is_well_formed(token) for token in minted)


@given(st.data())
def test_one_wrong_character_is_noticed_without_a_database(data: st.DataObject) -> None:
    token = tokens.mint()
    at = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(st.characters(codec="ascii").filter(lambda character: character != token[at]))
    assert not tokens.is_well_formed(token[:at] + other + token[at + 1 :])


@given(st.text())
def test_no_text_is_taken_for_a_token_by_chance(text: str) -> None:
    assert not tokens.is_well_formed(text)


def test_a_mask_leaves_nothing_to_use() -> None:
    token = tokens.mint()
    masked = tokens.mask(f"GET /x?token={token} and {token}")
    assert token not in masked
    assert masked.count(token[-4:]) == 2
    assert tokens.mask("nothing here") == "nothing here"

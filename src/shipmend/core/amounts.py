"""Numbers with the things they count, as people write them."""

from __future__ import annotations

import re

_HEAD = re.compile(r"(commit|defect|merge|redeploy|release)s\b")
_OF_ONE = {"they were": "it was", "were": "was", "their": "its"}
_MANY = re.compile(rf"\b({'|'.join(_OF_ONE)})\b")


def several(number: int, thing: str, things: str = "") -> str:
    """`1 commit`, `2,000 commits`; `things` where the plural is no mere s."""
    return f"{number:,} {thing if number == 1 else things or f'{thing}s'}"


def of_number(number: int, words: str) -> str:
    """Words for what is counted, as they go with a number: `releases that were cancelled` are `release that was …`."""
    if number != 1 or not _HEAD.match(words):
        return words
    return _MANY.sub(lambda found: _OF_ONE[found[0]], _HEAD.sub(r"\1", words, count=1))

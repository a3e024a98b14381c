"""Searching for a pattern by following all ways to match it at once.

Python's own `re` tries one way after the other, so that `(a+)+$` can keep a worker busy for years, and nothing ends
it. Here a pattern is a set of positions, each of which takes one character (Glushkov's automaton). What may have been
matched so far is an integer with a bit for each position, and a character of the text is one step from such an integer
to the next. Steps that were taken are remembered, up to a limit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import inf
from typing import NamedTuple, TypeVar

K = TypeVar("K", int, str)

TEXT_CHARACTERS = 250
"""Of a text; more are not looked at."""
MOST_POSITIONS = 500
MOST_PARTS = 5_000
"""Both of one pattern, its repetitions written out."""
MOST_REMEMBERED = 2_000

BEGIN, END = "begin", "end"
"""Stand before and after a text as if they were characters of it."""

Test = Callable[[str], bool]
"""Whether a position takes this character, which may be BEGIN or END."""


class TooLarge(ValueError):
    """Written out, the pattern has too many parts."""


class Fragment(NamedTuple):
    """A part of a pattern: whether it may match nothing, and with which positions its matches begin and end."""

    may_be_empty: bool
    first: int
    last: int
    ways: float = 1.0
    """In how many ways it can be gone through, whatever the text. Infinite, as the next two, when it may go on."""
    steps: float = 1.0
    """How many steps all these ways have: no more does a matcher take that tries one after the other, as `re` does."""
    longest: float = 0.0
    """The most characters that it can match."""


NOTHING = Fragment(may_be_empty=True, first=0, last=0)
NEVER = Fragment(may_be_empty=False, first=0, last=0, ways=0.0, steps=0.0)


class Positions:
    """The positions of a pattern that is being put together: what each takes, and which may come next."""

    def __init__(self) -> None:
        self.tests: list[Test] = []
        self.following: list[int] = []
        self._parts = 0

    def add(self, test: Test) -> Fragment:
        """A new position. Raises TooLarge, as the others do."""
        if len(self.tests) >= MOST_POSITIONS:
            raise TooLarge
        bit = 1 << len(self.tests)
        self.tests.append(test)
        self.following.append(0)
        return Fragment(may_be_empty=False, first=bit, last=bit, longest=1.0)

    def join(self, one: Fragment, other: Fragment) -> Fragment:
        """One after the other."""
        self._may_follow(one.last, other.first)
        return Fragment(
            one.may_be_empty and other.may_be_empty,
            one.first | (other.first if one.may_be_empty else 0),
            other.last | (one.last if other.may_be_empty else 0),
            one.ways * other.ways,
            one.steps + one.ways * other.steps,
            one.longest + other.longest,
        )

    def either(self, one: Fragment, other: Fragment) -> Fragment:
        """One or the other."""
        self._count()
        return Fragment(
            one.may_be_empty or other.may_be_empty,
            one.first | other.first,
            one.last | other.last,
            one.ways + other.ways,
            one.steps + other.steps,
            max(one.longest, other.longest),
        )

    def often(self, part: Fragment) -> Fragment:
        """Any number of times, none included."""
        self._may_follow(part.last, part.first)
        return part._replace(may_be_empty=True, ways=inf, steps=inf, longest=inf)

    def _may_follow(self, before: int, after: int) -> None:
        self._count()
        for place in bits(before):
            self.following[place] |= after

    def _count(self) -> None:
        self._parts += 1
        if self._parts > MOST_PARTS:
            raise TooLarge


class Pattern:
    """A pattern ready to be searched for. Safe to be shared by threads: what it remembers is always true."""

    def __init__(self, positions: Positions, whole: Fragment) -> None:
        self._tests = positions.tests
        self._following = positions.following
        self._whole = whole
        self._takers: dict[str, int] = {}
        self._nexts: dict[int, int] = {}

    @property
    def may_be_empty(self) -> bool:
        """Whether it matches the empty text."""
        return self._whole.may_be_empty

    @property
    def steps(self) -> float:
        """How many steps `re` takes at the most, at one place of any text, to find out that it does not match there."""
        return self._whole.steps

    @property
    def longest(self) -> float:
        """The most characters that it can match."""
        return self._whole.longest

    def is_in(self, text: str) -> bool:
        """Whether the pattern matches anywhere in the first TEXT_CHARACTERS of the text, as `re.search` would tell."""
        if self._whole.may_be_empty:
            return True
        matched = 0
        for character in _symbols(text):
            matched = self._next(matched) & self._takes(character)
            if matched & self._whole.last:
                return True
        return False

    def _next(self, matched: int) -> int:
        """The positions that may come after these, or begin a match."""
        found = self._nexts.get(matched)
        if found is None:
            found = self._whole.first
            for place in bits(matched):
                found |= self._following[place]
            _remember(self._nexts, matched, found)
        return found

    def _takes(self, character: str) -> int:
        """The positions that take this character."""
        found = self._takers.get(character)
        if found is None:
            found = sum(1 << place for place, test in enumerate(self._tests) if test(character))
            _remember(self._takers, character, found)
        return found


def bits(places: int) -> Iterator[int]:
    """The places of the bits that are set."""
    while places:
        lowest = places & -places
        yield lowest.bit_length() - 1
        places ^= lowest


def _symbols(text: str) -> Iterator[str]:
    yield BEGIN
    yield from text[:TEXT_CHARACTERS]
    if len(text) <= TEXT_CHARACTERS:
        yield END


def _remember(memory: dict[K, int], key: K, value: int) -> None:
    if len(memory) >= MOST_REMEMBERED:
        memory.clear()
    memory[key] = value

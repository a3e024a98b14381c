"""Reading a pattern: what regular expressions had from the beginning, and no more.

Text, `.`, `[…]`, `\\d \\w \\s` and their opposites, `(…)`, `|`, `* + ? {m,n}`, `^` and `$`, and `(?i)` before all else;
whatever is read means what it means to Python's `re`. What can't be searched for in one pass over the text (back
references, looking ahead) is refused, and so is what people write by mistake.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import partial, reduce

from shipmend.core.errors import Invalid
from shipmend.core.patterns.automaton import (
    BEGIN,
    END,
    NEVER,
    NOTHING,
    Fragment,
    Pattern,
    Positions,
    Test,
    TooLarge,
    bits,
)

PATTERN_CHARACTERS = 200
MOST_REPEATS = 100

Build = Callable[[Positions], Fragment]
"""Adds a part's positions; called once for each time that the part is repeated."""

_COUNT = re.compile(r"\{([0-9]{0,4})(,?)([0-9]{0,4})\}")
_TIMES = {"*": (0, None), "+": (1, None), "?": (0, 1)}
_SPECIAL = frozenset("\\[](){}?*+|^$.")
_SUPPORTED = (
    r"write it with text, . [a-z] \d \w \s ( ) | * + ? {2,3} ^ and $, and \ before a sign that stands for itself"
)


def read_pattern(text: str, *, parameter: str) -> Pattern:
    """The pattern that a text writes down. Raises Invalid naming `parameter`, and the place where it can't go on."""
    if len(text) > PATTERN_CHARACTERS:
        mend = f"give at most {PATTERN_CHARACTERS}"
        raise Invalid(parameter, f"has {len(text)} characters", value=text, mend=mend)
    positions = Positions()
    try:
        whole = _Reader(text).whole()(positions)
        _check_anchors(positions)
    except _Unreadable as error:
        raise Invalid(parameter, str(error), value=text, mend=_SUPPORTED) from error
    except TooLarge as error:
        raise Invalid(parameter, "repeats too much", value=text, mend="repeat fewer times, or shorter parts") from error
    return Pattern(positions, whole)


class _Unreadable(ValueError):
    def __init__(self, at: int, because: str) -> None:
        super().__init__(f"can't be read: at character {at + 1}, {because}")


def _check_anchors(positions: Positions) -> None:
    """An end of the text is one character here, so it can't be taken twice as `re` would."""
    for anchor in (BEGIN, END):
        places = sum(1 << place for place, test in enumerate(positions.tests) if test(anchor))
        if any(positions.following[place] & places for place in bits(places)):
            raise _Unreadable(0, f"the text can {'begin' if anchor == BEGIN else 'end'} twice")


class _Reader:
    """Reads by recursive descent; a pattern is too short to go deep."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._any_case = text.startswith("(?i)")
        self._at = 4 if self._any_case else 0

    def whole(self) -> Build:
        build = self._choice()
        if self._at < len(self._text):
            raise _Unreadable(self._at, "a ) closes nothing")
        return build

    def _choice(self) -> Build:
        parts = [self._row()]
        while self._skip("|"):
            parts.append(self._row())
        return partial(_choice_of, parts)

    def _row(self) -> Build:
        parts = []
        while self._look() not in ("", "|", ")"):
            parts.append(self._piece())
        return partial(_row_of, parts)

    def _piece(self) -> Build:
        start = self._at
        part, is_anchor = self._atom()
        times = self._times()
        if times is None:
            return part
        if is_anchor:
            raise _Unreadable(start, "an end of the text can't be repeated")
        self._skip("?")  # "as few as possible" finds the same texts
        if self._look() in _TIMES or self._times() is not None:
            raise _Unreadable(self._at, "a repetition is repeated: put ( ) around it")
        return partial(_repeated, part, *times)

    def _times(self) -> tuple[int, int | None] | None:
        at = self._at
        if self._look() in _TIMES:
            self._at += 1
            return _TIMES[self._text[at]]
        found = _COUNT.match(self._text, at)
        if found is None or found[0] in ("{}", "{,}"):
            return None
        self._at = found.end()
        least = int(found[1] or 0)
        most = least if not found[2] else int(found[3]) if found[3] else None
        if max(least, most or 0) > MOST_REPEATS or (most is not None and most < least):
            raise _Unreadable(at, f"the counts are not in order, or above {MOST_REPEATS}")
        return least, most

    def _atom(self) -> tuple[Build, bool]:
        sign = self._take()
        if sign == "(":
            return self._group(), False
        if sign in ("^", "$"):
            return partial(_position, _is(BEGIN if sign == "^" else END)), True
        return partial(_position, self._test(sign)), False

    def _group(self) -> Build:
        start = self._at
        if self._skip("?") and not self._skip(":"):
            raise _Unreadable(start, "this kind of group is not supported")
        build = self._choice()
        if not self._skip(")"):
            raise _Unreadable(start - 1, "a ( is not closed")
        return build

    def _test(self, sign: str) -> Test:
        if sign == ".":
            return _any
        if sign == "[":
            return self._class()
        if sign == "\\":
            return self._escaped()
        if sign in "{?*+":
            raise _Unreadable(self._at - 1, f"{sign} has nothing to repeat: write \\{sign} for the sign itself")
        return self._cased(_is(sign))

    def _escaped(self) -> Test:
        sign = self._take()
        if sign in _CLASSES:
            return _CLASSES[sign]
        if not sign or sign.isalnum():
            raise _Unreadable(self._at - 2, f"\\{sign} is not supported")
        return self._cased(_is(sign))

    def _class(self) -> Test:
        start = self._at - 1
        is_opposite = self._skip("^")
        tests = [self._item(start)]
        while not self._skip("]"):
            tests.append(self._item(start))
        test = self._cased(partial(_passes_any, tests))
        return partial(_passes_not, test) if is_opposite else test

    def _item(self, start: int) -> Test:
        low = self._member(start)
        if self._look() != "-" or self._text[self._at + 1 : self._at + 2] in ("]", ""):
            return _CLASSES[low[1:]] if len(low) > 1 else _is(low)
        at, _ = self._at, self._take()
        high = self._member(start)
        if len(low) > 1 or len(high) > 1 or low > high:
            raise _Unreadable(at, "the - is not between two characters in order")
        return partial(_between, low, high)

    def _member(self, start: int) -> str:
        """A character of a class; one with \\ before it when it stands for many."""
        sign = self._take()
        if not sign:
            raise _Unreadable(start, "a [ is not closed")
        if sign == "[":
            raise _Unreadable(self._at - 1, "a [ stands inside another: write \\[ for the sign itself")
        if sign != "\\":
            return sign
        sign = self._take()
        if sign in _CLASSES:
            return "\\" + sign
        if not sign or sign.isalnum():
            raise _Unreadable(self._at - 2, f"\\{sign} is not supported")
        return sign

    def _cased(self, test: Test) -> Test:
        return partial(_passes_in_any_case, test) if self._any_case else test

    def _look(self) -> str:
        return self._text[self._at : self._at + 1]

    def _take(self) -> str:
        sign = self._look()
        self._at += 1
        return sign

    def _skip(self, sign: str) -> bool:
        if self._look() != sign:
            return False
        self._at += 1
        return True


def _choice_of(parts: Sequence[Build], positions: Positions) -> Fragment:
    return reduce(positions.either, [part(positions) for part in parts], NEVER)


def _row_of(parts: Sequence[Build], positions: Positions) -> Fragment:
    return reduce(positions.join, [part(positions) for part in parts], NOTHING)


def _repeated(part: Build, least: int, most: int | None, positions: Positions) -> Fragment:
    row = _row_of([part] * least, positions)
    if most is None:
        return positions.join(row, positions.often(part(positions)))
    rest = NOTHING
    for _ in range(most - least):
        rest = positions.either(NOTHING, positions.join(part(positions), rest))
    return positions.join(row, rest)


def _position(test: Test, positions: Positions) -> Fragment:
    return positions.add(test)


def _is(wanted: str) -> Test:
    return partial(str.__eq__, wanted)


def _any(character: str) -> bool:
    return len(character) == 1 and character != "\n"


def _between(low: str, high: str, character: str) -> bool:
    return len(character) == 1 and low <= character <= high


def _passes_any(tests: Sequence[Test], character: str) -> bool:
    return any(test(character) for test in tests)


def _passes_not(test: Test, character: str) -> bool:
    return len(character) == 1 and not test(character)


def _passes_in_any_case(test: Test, character: str) -> bool:
    return any(test(form) for form in (character, character.lower(), character.upper()))


def _is_word(character: str) -> bool:
    return len(character) == 1 and (character.isalnum() or character == "_")


def _is_digit(character: str) -> bool:
    return len(character) == 1 and character.isdecimal()


def _is_space(character: str) -> bool:
    return len(character) == 1 and character.isspace()


_CLASSES: dict[str, Test] = {
    "w": _is_word,
    "d": _is_digit,
    "s": _is_space,
    "W": partial(_passes_not, _is_word),
    "D": partial(_passes_not, _is_digit),
    "S": partial(_passes_not, _is_space),
}

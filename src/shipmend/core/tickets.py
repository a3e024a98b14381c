"""Which tickets a commit message speaks of.

Every message of a history is searched, some hundred thousand at a time, so this is done by Python's `re`. That a
pattern may be anybody's is made safe before: `re` may take a bounded number of steps at each place of a text, and
repetitions without end are refused, so the time grows with the length of the text and no faster.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence

from shipmend.core.errors import Invalid
from shipmend.core.patterns import read_pattern

USUAL = "[A-Z][A-Z0-9]{1,9}-[0-9]{1,7}"
"""The keys that most trackers give, as BANANA-123."""
NUMBER = "#[0-9]{1,7}"
"""The keys that git hosts give to their own issues."""

KEY_CHARACTERS = 100
MOST_KEYS = 50
"""Of one commit."""
TEXT_CHARACTERS = 16_000
"""Of a message; more are not looked at."""
MOST_STEPS = 2_000
"""That a pattern may cost at one place: a tenth of a second for the worst pattern on the worst of messages."""
SEPARATOR = "\n"
"""Between the keys of one commit where they are kept as one text: none holds it."""

# What USUAL finds in the histories of git, ansible and flask, and is no ticket.
STANDARDS = frozenset(
    (
        *("AES", "AGPL", "APACHE", "ASCII", "AVX", "BSD", "COVID", "CP", "CRC", "CVE", "CWE", "ECMA", "FIPS", "GMT"),
        *("GPL", "HTTP", "IEEE", "IPV", "ISO", "ISO8859", "LGPL", "MD", "MIT", "MPEG", "PEP", "PKCS", "POSIX", "RFC"),
        *("RSA", "SHA", "SHA1", "SHA2", "SHA3", "SSE", "SSL", "TLS", "UCS", "USB", "UTC", "UTF", "WINDOWS", "WPA"),
    )
)
"""Words that make no key of USUAL: UTF-8, SHA-256, ISO-8601. A team whose tickets begin so writes a pattern."""

_FINGERPRINT = "1"
"""To be raised when the same pattern finds something else than before: then all messages are read again."""
_NOT_WITHIN_A_WORD = r"(?!\w|[.-]\d)"  # nor within a version or a date
_NUMBER_AT_END = re.compile(r"[0-9]+$")


class TicketPattern:
    """What counts as a ticket's key in a message. Safe to be shared by threads.

    A key stands by itself: no letter, digit or _ touches it, nor does .1 or -1 follow it. Upper and lower case, and
    one blank and several, are the same in keys; which of them a pattern finds is for the pattern to say.
    """

    def __init__(self, pattern: str = "", *, numbers: bool = False, parameter: str = "ticket_pattern") -> None:
        """`pattern`: empty for the usual keys without STANDARDS; `numbers`: also #123.

        Raises Invalid, naming `parameter`, for a pattern that can't be read, that finds nothing in particular, or
        that could take too long.
        """
        if pattern:
            _check(pattern, parameter)
        self.fingerprint = f"{_FINGERPRINT} {'#' if numbers else '-'} {pattern}"
        """Differs from that of a pattern that finds other keys."""
        self._is_usual = not pattern
        any_case = pattern.startswith("(?i)")
        parts = [pattern.removeprefix("(?i)") or USUAL, *([NUMBER] if numbers else [])]
        text = f"(?:{'|'.join(f'(?:{part})' for part in parts)}){_NOT_WITHIN_A_WORD}"
        self._search = re.compile(text, re.IGNORECASE if any_case else re.NOFLAG).search
        self._may_have_one: Callable[[str], object] = bool
        if self._is_usual:
            self._may_have_one = _may_have_number if numbers else _has_dash

    def keys(self, message: str) -> tuple[str, ...]:
        """The tickets that a message speaks of, each once, in the order of the text."""
        found: dict[str, None] = {}
        for text in self._matches(message):
            key = normal(text)
            if key.isprintable() and not (self._is_usual and key.partition("-")[0] in STANDARDS):
                found[key] = None
                if len(found) == MOST_KEYS:
                    break
        return tuple(found)

    def scan(self, messages: Sequence[str]) -> list[str | None]:
        """For each message its keys with SEPARATOR between them; None where there is none."""
        may_have_one, keys = self._may_have_one, self.keys
        return [SEPARATOR.join(keys(message)) or None if may_have_one(message) else None for message in messages]

    def _matches(self, message: str) -> Iterator[str]:
        # That a word begins here is looked at after the match: before it, `re` would look at every character.
        at = 0
        while found := self._search(message, at, TEXT_CHARACTERS):
            start, end = found.span()
            if start and _is_of_a_word(message[start - 1]):
                at = start + 1
            else:
                at = end
                yield found[0]


# Most messages hold no key, and these tell so in a fifth of the time: `re` is quick where a text begins with one sign.
_has_dash = re.compile("-[0-9]").search
_has_number_sign = re.compile("#[0-9]").search


def _may_have_number(message: str) -> object:
    return _has_number_sign(message) or _has_dash(message)


def _check(pattern: str, parameter: str) -> None:
    found = read_pattern(pattern, parameter=parameter)
    if found.may_be_empty:
        mend = f"say at least one character that a key must have, as in {USUAL}"
        raise Invalid(parameter, "finds a key of no characters", value=pattern, mend=mend)
    if found.longest > KEY_CHARACTERS:
        mend = f"say how often at the most, as in {USUAL}, for keys of at most {KEY_CHARACTERS} characters"
        raise Invalid(parameter, "may go on for too long", value=pattern, mend=mend)
    if found.steps > MOST_STEPS:
        mend = "repeat fewer times, or let what follows a repetition begin with another character"
        raise Invalid(parameter, "could take too long, there being so many ways to match it", value=pattern, mend=mend)


def _is_of_a_word(character: str) -> bool:
    return character.isalnum() or character == "_"


def normal(key: str) -> str:
    """The one spelling of a key, whoever wrote it: in capitals, with single blanks."""
    return " ".join(key.upper().split())


def in_order(keys: Iterable[str]) -> tuple[str, ...]:
    """Keys as people sort them, each once: SHOP-9 before SHOP-10."""
    return tuple(sorted(set(keys), key=_order))


def _order(key: str) -> tuple[str, int, str]:
    number = _NUMBER_AT_END.search(key)
    return (key[: number.start()], int(number[0]), key) if number else (key, -1, key)

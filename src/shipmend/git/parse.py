"""The output of `git log -z` as columns.

Six fields a commit, each ended by NUL, which no field can hold: sha, parents, author's name, author's mail, the four
dates, message. Nothing in them is trusted: git prints what the commit object says, and anybody may write that.
The work is done column by column by C code (`split`, `unhexlify`, `map`), so that it hides behind git's own.
"""

from __future__ import annotations

import unicodedata
from binascii import unhexlify
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import NamedTuple

FIELDS = 6
LOG_FORMAT = "--format=tformat:%H%x00%P%x00%an%x00%ae%x00%at %ad %ct %cd%x00%B"
# Without --no-mailmap, git log in a bare repository reads .mailmap out of HEAD's tree: size and sense are the remote's.
LOG_OPTIONS = ("-z", "--date=raw", "--encoding=UTF-8", "--no-color", "--no-notes", "--no-mailmap", LOG_FORMAT)

SHA_DIGITS = 40
FIELD_CAP = 1 << 20
MESSAGE_CAP = 64 << 10
SUBJECT_CAP = 200
NAME_CAP = 200
INTERNED_CAP = 100_000
LATEST = 1 << 33  # the year 2242; git's commit-graph keeps 34 bits
WIDEST_OFFSET = 14 * 3600

_PARENTS = 1
_MESSAGE = 5
_DATE_TOKENS = 6  # %at, two of %ad, %ct, two of %cd
_JOINERS = "\u200c\u200d"  # spell words in Persian and Hindi, and families in emoji


class BadLog(ValueError):
    """These bytes are not what `git log` prints with LOG_OPTIONS."""


class Commit(NamedTuple):
    """One commit; see CommitBatch for each field."""

    sha: bytes
    parents: tuple[bytes, ...]
    authored: int | None
    author_offset: int | None
    committed: int | None
    committer_offset: int | None
    author_name: str
    author_email: str
    subject: str
    message: str
    bad_date: bool


@dataclass(frozen=True, slots=True, repr=False)
class CommitBatch:
    """Columns of equal length: row i of each belongs to commit i. Text never holds a NUL or a lone surrogate."""

    shas: list[bytes]
    """20 bytes each."""
    parents: list[tuple[bytes, ...]]
    """First parent first; empty for a root."""
    authored: list[int | None]
    """Epoch seconds, 0 to 2^33; None where the commit gives no such time."""
    author_offset: list[int | None]
    """Seconds east of UTC; None when absent or beyond 14 hours."""
    committed: list[int | None]
    committer_offset: list[int | None]
    author_name: list[str]
    """At most 200 characters, no control characters; perhaps empty. So is the mail."""
    author_email: list[str]
    subject: list[str]
    """The first paragraph on one line, at most 200 characters."""
    message: list[str]
    """The whole message, at most the first 64 KiB."""
    bad_date: list[bool]
    """Whether `authored` or `committed` is None."""

    def __len__(self) -> int:
        return len(self.shas)

    def rows(self) -> Iterator[Commit]:
        """The same as rows: pleasant, but slower than the columns."""
        columns = (
            self.shas, self.parents, self.authored, self.author_offset, self.committed, self.committer_offset,
            self.author_name, self.author_email, self.subject, self.message, self.bad_date,
        )  # fmt: skip
        return map(Commit._make, zip(*columns, strict=True))


class LogParser:
    """Fed with chunks cut anywhere, gives a batch for the commits that each one completes.

    Holds the fields of one unfinished commit; of a field over 1 MiB only the beginning (the parents apart: ancestry is
    kept whole or not at all), so a message of any size costs neither memory nor repeated copying.
    """

    def __init__(self) -> None:
        self._tail = b""
        self._skipping = False
        self._names = _Interned()
        self._offsets = _Offsets()

    def feed(self, chunk: bytes) -> CommitBatch | None:
        """The commits completed by `chunk`, in git's order; None when there is none. Raises BadLog."""
        if self._skipping:
            end = chunk.find(b"\0")
            if end < 0:
                return None
            chunk = chunk[end:]
            self._skipping = False
        fields = (self._tail + chunk).split(b"\0")
        whole = (len(fields) - 1) // FIELDS * FIELDS
        self._keep(fields[whole:])
        return self._batch(fields, whole) if whole else None

    def finish(self) -> None:
        """To be called at the end of the output. Raises BadLog when it ended within a commit."""
        if self._tail or self._skipping:
            raise BadLog("the log ends within a commit")

    def _keep(self, rest: list[bytes]) -> None:
        if len(rest[-1]) > FIELD_CAP and len(rest) - 1 != _PARENTS:
            rest[-1] = rest[-1][:FIELD_CAP]
            self._skipping = True
        self._tail = b"\0".join(rest)

    def _batch(self, fields: list[bytes], whole: int) -> CommitBatch:
        shas, parents, names, mails, dates, bodies = (fields[i:whole:FIELDS] for i in range(FIELDS))
        authored, author_offset, committed, committer_offset = _dates(dates, self._offsets)
        messages = [_message(body) for body in bodies]
        self._names.bound()
        self._offsets.bound()
        return CommitBatch(
            shas=_shas(shas),
            parents=_parents(parents),
            authored=authored,
            author_offset=author_offset,
            committed=committed,
            committer_offset=committer_offset,
            author_name=[self._names[name] for name in names],
            author_email=[self._names[mail] for mail in mails],
            subject=[_subject(message) for message in messages],
            message=messages,
            bad_date=[a is None or c is None for a, c in zip(authored, committed, strict=True)],
        )


def on_one_line(text: str, most: int) -> str:
    """`text` with white space folded to blanks and everything invisible (controls, bidi marks) gone."""
    text = text.strip()
    if not text.isprintable():
        text = " ".join("".join(map(_visible, text)).split())
    return text[:most].rstrip()


def _visible(character: str) -> str:
    if character in _JOINERS:
        return character
    if character.isspace():
        return " "
    return "" if unicodedata.category(character) in {"Cc", "Cf", "Cs"} else character


class _Interned(dict[bytes, str]):
    """Names and mails, decoded once each."""

    def __missing__(self, raw: bytes) -> str:
        text = self[raw] = on_one_line(raw[: 8 * NAME_CAP].decode("utf-8", "replace"), NAME_CAP)
        return text

    def bound(self) -> None:
        if len(self) > INTERNED_CAP:
            self.clear()


class _Offsets(dict[bytes, int | None]):
    """Zones as git prints them ("+0530", or absurd: "+51800"), each read once."""

    def __missing__(self, raw: bytes) -> int | None:
        offset = self[raw] = _offset(raw)
        return offset

    def bound(self) -> None:
        if len(self) > INTERNED_CAP:
            self.clear()


def _offset(raw: bytes) -> int | None:
    digits = raw[1:]
    if raw[:1] not in {b"+", b"-"} or not digits.isdigit() or len(digits) > len("1400"):
        return None
    hours, minutes = divmod(int(digits), 100)
    seconds = hours * 3600 + minutes * 60
    if minutes >= 60 or seconds > WIDEST_OFFSET:
        return None
    return -seconds if raw[:1] == b"-" else seconds


def _shas(column: Sequence[bytes]) -> list[bytes]:
    # Each by itself: two wrong lengths may add up to twice the right one.
    if set(map(len, column)) != {SHA_DIGITS}:
        raise BadLog("a commit id is not 40 hex digits")
    raw = _from_hex(b"".join(column))
    return [raw[at : at + 20] for at in range(0, len(raw), 20)]


def _parents(column: Sequence[bytes]) -> list[tuple[bytes, ...]]:
    raw = _from_hex(b"".join(column).replace(b" ", b""))
    parents: list[tuple[bytes, ...]] = []
    at = 0
    for field in column:
        if len(field) == SHA_DIGITS:
            parents.append((raw[at : at + 20],))
            at += 20
        else:
            ids = field.split(b" ") if field else []
            if any(len(digits) != SHA_DIGITS for digits in ids):
                raise BadLog("a parent's id is not 40 hex digits")
            end = at + len(ids) * 20
            parents.append(tuple([raw[i : i + 20] for i in range(at, end, 20)]))
            at = end
    if at != len(raw):  # a blank stood in the place of a digit
        raise BadLog("a parent's id is not 40 hex digits")
    return parents


def _from_hex(digits: bytes) -> bytes:
    try:
        return unhexlify(digits)
    except ValueError as error:
        raise BadLog(f"a commit id is not hexadecimal: {error}") from None


_Column = list[int | None]


def _dates(column: Sequence[bytes], offsets: _Offsets) -> tuple[_Column, _Column, _Column, _Column]:
    """The four columns of time. `%at` is what the commit says; the first of `%ad` is 0 where git can't hold it."""
    tokens = b" ".join(column).split(b" ")
    if len(tokens) != _DATE_TOKENS * len(column):
        tokens = list(chain.from_iterable(map(_date_tokens, column)))
    return (
        _times(tokens[0::6], tokens[1::6]),
        [offsets[token] for token in tokens[2::6]],
        _times(tokens[3::6], tokens[4::6]),
        [offsets[token] for token in tokens[5::6]],
    )


def _date_tokens(field: bytes) -> list[bytes]:
    """Six tokens of a field in which git left a date out: `%at` and `%ad` are then empty, both or neither."""
    tokens = field.split(b" ")
    if len(tokens) == _DATE_TOKENS:
        return tokens
    author = tokens[:3] if tokens[0] else [b"", b"", b""]
    committer = tokens[-3:] if tokens[-1] else [b"", b"", b""]
    if len(tokens) > _DATE_TOKENS or len(author) != 3 or len(committer) != 3:
        raise BadLog("a commit's dates are not what git prints")
    return author + committer


def _times(said: Sequence[bytes], held: Sequence[bytes]) -> _Column:
    if said == held and _all_short_digits(said):
        times = [int(time) for time in said]
        if max(times) <= LATEST:
            return [*times]
    return [_time(a, b) for a, b in zip(said, held, strict=True)]


def _all_short_digits(column: Sequence[bytes]) -> bool:
    return b"".join(column).isdigit() and all(column) and max(map(len, column)) <= len(str(LATEST))


def _time(said: bytes, held: bytes) -> int | None:
    if not (said.isdigit() and held.isdigit()) or len(said) > 19:
        return None
    time = int(said)
    return time if time == int(held) and time <= LATEST else None


def _message(body: bytes) -> str:
    if len(body) > MESSAGE_CAP:
        return body[:MESSAGE_CAP].decode("utf-8", "replace").rstrip("\N{REPLACEMENT CHARACTER}")
    return body.decode("utf-8", "replace")


def _subject(message: str) -> str:
    first, _, rest = message.partition("\n")
    if not first or (rest and rest[0] != "\n"):
        first = _first_paragraph(message)
    if len(first) <= SUBJECT_CAP and first.isprintable():
        return first.strip(" ")
    return on_one_line(first, SUBJECT_CAP)


def _first_paragraph(message: str) -> str:
    """As git's %s: the first lines up to a blank one, joined by blanks."""
    lines: list[str] = []
    for line in message.split("\n"):
        if line.strip():
            lines.append(line.strip())
        elif lines:
            break
    return " ".join(lines)

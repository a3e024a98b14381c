"""What differs between two commits: the files, and the lines in them.

Told by one `git diff-tree --stdin` for many pairs. It is given trees instead of commits, because then it names each
pair before it tells of it, also where nothing differs, and because there is a tree for "nothing yet" but no commit.
Files alone cost under a millisecond a pair, lines some tens; and one unreadable file ends the process for all pairs,
so whatever fails is tried again by itself, and then told as far as it can be read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from heapq import nsmallest
from operator import itemgetter
from pathlib import Path
from typing import NamedTuple

from shipmend.git.errors import GitFailed, GitTimeout
from shipmend.git.paths import pathspecs
from shipmend.git.run import GIB, GitLimits, run_git, stream_git

EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
"""The tree without files; git knows it without having it."""
PATIENCE = 60.0
"""Seconds to wait for one pair."""
PAIRS_AT_ONCE = 32
"""In one process; all of them together get eight times the patience of one."""

MOST_FILES = 500
"""Kept of one pair: more than anybody is shown."""
MOST_STATUSES = 100_000
"""Remembered of one pair, for the files that are kept in the end."""
MOST_DIRECTORIES = 20_000
"""Told apart in one pair; files in further ones count for the first part of their path."""
PATH_CAP = 1_024
"""Bytes of a path: in a tree a name may be of any length."""
RECORD_CAP = 1 << 16
"""Bytes kept of what has begun and not ended yet: more than is used of it."""

_FILES = ("diff-tree", "--stdin", "-r", "--raw", "--no-renames", "--no-ext-diff", "--no-textconv", "-z")
_LINES = (*_FILES, "--numstat")

_PAIR = re.compile(rb"([0-9a-f]{40}) ([0-9a-f]{40})\n")
_SHA = re.compile(r"[0-9a-f]{40}")
_BINARY = b"-"
_LETTERS = {"\a": r"\a", "\b": r"\b", "\t": r"\t", "\n": r"\n", "\v": r"\v", "\f": r"\f", "\r": r"\r"}

_Trees = tuple[str, str]
_Counted = tuple[int, bytes, int | None, int | None]
"""Lines altogether, path, insertions, deletions."""


class Pair(NamedTuple):
    """Two commits by their full shas; `before` None stands for nothing at all."""

    before: str | None
    after: str


class Told(StrEnum):
    """How much of a difference could be read."""

    NOTHING = "nothing"
    """A commit or a directory is missing or damaged."""
    FILES = "files"
    LINES = "lines"


class FileChange(NamedTuple):
    """One file."""

    path: str
    """Printable text, in which `\\` begins an escape: `\\n`, or `\\377` for a byte that is no text."""
    status: str
    """git's letter: A added, D deleted, M modified (or its mode), T another type; empty for some of very many files."""
    insertions: int | None = None
    """Lines; None for a binary file, and where no lines were counted."""
    deletions: int | None = None


@dataclass(slots=True)
class Amount:
    """How much changed: files, and lines as far as they were counted."""

    files: int = 0
    insertions: int = 0
    deletions: int = 0


@dataclass(frozen=True, slots=True)
class Difference:
    """What leads from one commit to the other. A rename is a file deleted and one added."""

    told: Told = Told.NOTHING
    total: Amount = field(default_factory=Amount)
    files: tuple[FileChange, ...] = ()
    """By path; of more than MOST_FILES those with the most lines, or the first where no lines are told."""
    directories: dict[str, Amount] = field(default_factory=dict)
    """What changed in the files directly in each directory; "" is the top."""


def changed_files(
    git_dir: Path, pairs: Sequence[Pair], *, globs: Sequence[str] = (), patience: float = PATIENCE
) -> Iterator[Difference]:
    """For each pair in turn its files, without lines; with `globs` (see git.paths) only those that they name.

    Raises a GitError when git itself can't be used.
    """
    return _each(git_dir, pairs, _Asking(_FILES, Told.FILES, patience, tuple(pathspecs(globs))))


def line_counts(
    git_dir: Path, pairs: Sequence[Pair], *, globs: Sequence[str] = (), patience: float = PATIENCE
) -> Iterator[Difference]:
    """As changed_files, with the lines of each file, or without, where they can't be read within `patience`."""
    return _each(git_dir, pairs, _Asking(_LINES, Told.LINES, patience, tuple(pathspecs(globs))))


def path_text(raw: bytes) -> str:
    """A path as text that can be printed; no other path has the same, unless both are cut for their length."""
    text = raw.decode("utf-8", "surrogateescape").replace("\\", "\\\\")
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() else _escaped(character) for character in text)


def _escaped(character: str) -> str:
    """As git quotes it: by a letter, or each byte in octal."""
    octal = (f"\\{byte:03o}" for byte in character.encode("utf-8", "surrogateescape"))
    return _LETTERS.get(character) or "".join(octal)


@dataclass(frozen=True, slots=True)
class _Asking:
    """What git is asked, and how long it may take for one pair."""

    options: tuple[str, ...]
    told: Told
    patience: float
    paths: tuple[str, ...]

    @property
    def command(self) -> tuple[str, ...]:
        return (*self.options, "--", *self.paths)

    def limits(self, pairs: int) -> GitLimits:
        return GitLimits(wall=self.patience * min(pairs, 8), cpu=600, address_space=8 * GIB)

    @property
    def less(self) -> _Asking:
        return _Asking(_FILES, Told.FILES, self.patience, self.paths)


def _each(git_dir: Path, pairs: Sequence[Pair], asking: _Asking) -> Iterator[Difference]:
    trees = _trees(git_dir, pairs)
    for start in range(0, len(trees), PAIRS_AT_ONCE):
        yield from _together(git_dir, trees[start : start + PAIRS_AT_ONCE], asking)


def _trees(git_dir: Path, pairs: Sequence[Pair]) -> list[_Trees | None]:
    """None for a pair of which a commit is missing."""
    commits = list(dict.fromkeys(sha for pair in pairs for sha in pair if sha is not None))
    if not all(map(_SHA.fullmatch, commits)):
        raise ValueError(f"not full shas: {commits}")
    asked = "".join(f"{sha}^{{tree}}\n" for sha in commits).encode("ascii")
    said = run_git(["cat-file", "--batch-check=%(objectname)"], git_dir=git_dir, stdin=asked) if asked else b""
    lines = said.decode("ascii").splitlines()
    tree_of = {sha: line for sha, line in zip(commits, lines, strict=True) if _SHA.fullmatch(line)}
    return [_pair_of_trees(pair, tree_of) for pair in pairs]


def _pair_of_trees(pair: Pair, tree_of: dict[str, str]) -> _Trees | None:
    before = EMPTY_TREE if pair.before is None else tree_of.get(pair.before)
    after = tree_of.get(pair.after)
    return None if before is None or after is None else (before, after)


def _together(git_dir: Path, trees: Sequence[_Trees | None], asking: _Asking) -> Iterator[Difference]:
    """All in one process; after a failure that pair by itself, and the rest in a new one."""
    at = 0
    while at < len(trees) - 1:
        try:
            for difference in _differences(git_dir, trees[at:], asking):
                yield difference
                at += 1
        except (GitFailed, GitTimeout):
            yield _alone(git_dir, trees[at], asking)
            at += 1
    if at < len(trees):
        yield _alone(git_dir, trees[at], asking)


def _alone(git_dir: Path, trees: _Trees | None, asking: _Asking) -> Difference:
    try:
        return next(_differences(git_dir, [trees], asking))
    except (GitFailed, GitTimeout):
        return Difference() if asking.told is Told.FILES else _alone(git_dir, trees, asking.less)


def _differences(git_dir: Path, trees: Sequence[_Trees | None], asking: _Asking) -> Iterator[Difference]:
    """One for each pair. Of a pair that git can't find it says nothing, and goes on to the next."""
    asked = "".join(f"{pair[0]} {pair[1]}\n" for pair in trees if pair is not None).encode("ascii")
    at = 0
    if asked:
        for pair, difference in _said(git_dir, asked, asking, asking.limits(len(trees))):
            while trees[at] != pair:
                yield Difference()
                at += 1
            yield difference
            at += 1
    yield from (Difference() for _ in trees[at:])


def _said(git_dir: Path, asked: bytes, asking: _Asking, limits: GitLimits) -> Iterator[tuple[_Trees, Difference]]:
    reader = _Reader(asking.told)
    with stream_git(asking.command, git_dir=git_dir, stdin=asked, limits=limits) as chunks:
        for chunk in chunks:
            yield from reader.feed(chunk)
    yield from reader.finish()


class _Reader:
    """Reads the output, cut anywhere.

    Each pair begins with a line of its own, then come the records, each ended by a NUL: for each file one of modes
    and status and one of its path, and for each file once more, if lines are asked for, one of its lines and path.
    """

    def __init__(self, told: Told) -> None:
        self._told = told
        self._tail = b""
        self._status = b""
        """Of the file whose path comes next."""
        self._pair: _Trees | None = None
        self._tally = _Tally()
        self._whole: list[tuple[_Trees, Difference]] = []

    def feed(self, chunk: bytes) -> list[tuple[_Trees, Difference]]:
        """The pairs of which all has been said by now."""
        *records, tail = (self._tail + chunk).split(b"\0")
        self._tail = tail[:RECORD_CAP]
        for record in records:
            self._read(record)
        whole, self._whole = self._whole, []
        return whole

    def finish(self) -> list[tuple[_Trees, Difference]]:
        """At the end of the output, the pairs that are left."""
        self._read(self._tail)
        self._close()
        return self._whole

    def _read(self, record: bytes) -> None:
        if self._status:
            self._tally.file(record, self._status)
            self._status = b""
            return
        if record[:1] == b":":
            self._status = record[-1:]
            return
        while (named := _PAIR.match(record)) is not None:
            self._close()
            self._pair, self._tally = (named[1].decode("ascii"), named[2].decode("ascii")), _Tally()
            record = record[named.end() :]
        if record[:1] == b":":
            self._status = record[-1:]
        elif record:
            insertions, deletions, path = record.split(b"\t", 2)
            self._tally.lines(path, insertions, deletions)

    def _close(self) -> None:
        if self._pair is not None:
            self._whole.append((self._pair, self._tally.difference(self._told)))


class _Tally:
    """Adds up one pair."""

    def __init__(self) -> None:
        self._total = Amount()
        self._directories: dict[bytes, Amount] = {}
        self._statuses: dict[bytes, bytes] = {}
        """By path."""
        self._counted: list[_Counted] = []

    def file(self, path: bytes, status: bytes) -> None:
        path = _cut(path)
        self._total.files += 1
        self._directory(path).files += 1
        if len(self._statuses) < MOST_STATUSES:
            self._statuses[path] = status

    def lines(self, path: bytes, inserted: bytes, deleted: bytes) -> None:
        path = _cut(path)
        insertions, deletions = (None if text == _BINARY else int(text) for text in (inserted, deleted))
        for amount in (self._total, self._directory(path)):
            amount.insertions += insertions or 0
            amount.deletions += deletions or 0
        self._counted.append(((insertions or 0) + (deletions or 0), path, insertions, deletions))
        if len(self._counted) >= 2 * MOST_FILES:
            self._counted = _largest(self._counted)

    def difference(self, told: Told) -> Difference:
        kept = self._with_lines() if told is Told.LINES else self._without_lines()
        directories = {path_text(name): amount for name, amount in sorted(self._directories.items())}
        return Difference(told, self._total, kept, directories)

    def _with_lines(self) -> tuple[FileChange, ...]:
        kept = sorted(_largest(self._counted), key=itemgetter(1))
        return tuple(FileChange(path_text(path), self._status(path), added, gone) for _, path, added, gone in kept)

    def _without_lines(self) -> tuple[FileChange, ...]:
        kept = sorted(self._statuses)[:MOST_FILES]
        return tuple(FileChange(path_text(path), self._status(path)) for path in kept)

    def _status(self, path: bytes) -> str:
        return self._statuses.get(path, b"").decode("ascii")

    def _directory(self, path: bytes) -> Amount:
        name = path.rpartition(b"/")[0]
        if name not in self._directories and len(self._directories) >= MOST_DIRECTORIES:
            name = name.partition(b"/")[0] if len(self._directories) < 2 * MOST_DIRECTORIES else b""
        return self._directories.setdefault(name, Amount())


def _largest(counted: list[_Counted]) -> list[_Counted]:
    return nsmallest(MOST_FILES, counted, key=lambda each: (-each[0], each[1]))


def _cut(path: bytes) -> bytes:
    return path if len(path) <= PATH_CAP else path[: PATH_CAP - 3] + "…".encode()

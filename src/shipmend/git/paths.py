"""Which commits touch the paths that some globs name.

Asked of the commits themselves, one by one, and not by a walk from branches: so commits that a force-push left behind
are as good as any, and a big history can be read in parts.

A merge brings in what its parents had already, each of which is asked by itself. It touches a path only where it
made something new of it: where the path differs from every parent, as after a conflict. That is what `git log -c`
shows of a merge.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from shipmend.git.run import GIB, GitLimits, run_git, stream_git

EXCEPT = "!"
RECORD_CAP = 1 << 16
"""Bytes."""
LIMITS = GitLimits(wall=1800, cpu=1800, address_space=8 * GIB)

_SHA = re.compile(r"[0-9a-f]{40}")
_SHA_RECORD = re.compile(rb"[0-9a-f]{40}")
_PLAIN = ("rev-list", "--no-walk=unsorted", "--ignore-missing", "--stdin")
_MERGES = ("diff-tree", "--stdin", "-c", "-r", "--raw", "--no-renames", "--no-ext-diff", "--no-textconv", "-z")


def pathspecs(globs: Iterable[str]) -> list[str]:
    """Globs as git takes them after `--`: a leading `!` takes paths away, anything else is taken by the letter."""
    return [f":(exclude,glob){glob[1:]}" if glob.startswith(EXCEPT) else f":(glob){glob}" for glob in globs]


def touching(git_dir: Path, commits: Sequence[str], merges: Sequence[str], globs: Sequence[str]) -> set[str]:
    """Those of the commits that touch a path; `merges` are the ones with several parents. Full shas only.

    A commit that is not there touches nothing. Raises a GitError, also when directories are missing.
    """
    if not globs or any("\n" in glob or "\0" in glob for glob in globs):
        raise ValueError(f"not globs: {globs!r}")
    return {*_plain(git_dir, commits, globs), *_merges(git_dir, merges, globs)}


def _plain(git_dir: Path, commits: Sequence[str], globs: Sequence[str]) -> list[str]:
    if not commits:
        return []
    asked = [*_checked(commits), "--", *pathspecs(globs)]
    said = run_git(_PLAIN, git_dir=git_dir, stdin=_lines(asked), limits=LIMITS)
    return said.decode("ascii").split()


def _merges(git_dir: Path, merges: Sequence[str], globs: Sequence[str]) -> Iterator[str]:
    if not merges:
        return
    command = [*_MERGES, "--", *pathspecs(globs)]
    with stream_git(command, git_dir=git_dir, stdin=_lines(_checked(merges)), limits=LIMITS) as chunks:
        yield from _changed(_records(chunks))


def _changed(records: Iterable[bytes]) -> Iterator[str]:
    """The merges of which something is told: a record of its own names each, then come two for each file."""
    merge = b""
    files = iter(records)
    for record in files:
        if record.startswith(b":"):
            yield merge.decode("ascii")
            next(files, None)  # its path, which could look like anything
        elif _SHA_RECORD.fullmatch(record):
            merge = record


def _records(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """What NULs end. Of a record that is longer than a chunk, as a path may be, only the beginning is kept."""
    begun = b""
    for chunk in chunks:
        *ended, rest = chunk.split(b"\0")
        if ended:
            yield begun + ended[0]
            yield from ended[1:]
            begun = b""
        begun = (begun + rest)[:RECORD_CAP]


def _checked(shas: Sequence[str]) -> Sequence[str]:
    if not all(map(_SHA.fullmatch, shas)):
        raise ValueError(f"not full shas: {shas!r}")
    return shas


def _lines(words: Iterable[str]) -> bytes:
    return "".join(f"{word}\n" for word in words).encode()

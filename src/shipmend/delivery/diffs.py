"""How files differ between two commits of a repo: as stored for a release, or read from the mirror now."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from shipmend.catalog.queries import RepoRef, globs_of
from shipmend.core.changes import Amount, ChangedFile, ChangedPlace, FileChanges, Lines, top_files
from shipmend.core.places import top_places
from shipmend.db.sql import Statement
from shipmend.git import diffs as git
from shipmend.git.diffs import Difference, Pair, Told
from shipmend.git.errors import GitError
from shipmend.history.mirrors import mirror_of

KEPT_FILES = 100
"""The files listed of a difference."""
PATIENCE = 3.0
"""Seconds that whoever looks at a page may wait for git."""

_UNREAD = FileChanges(Lines.UNREADABLE)

_STORED = Statement(
    "SELECT commit_number, base_number, paths, files, insertions, deletions, top FROM delivery_releasediff"
    " WHERE entity_id = ? AND release_id = ?"
)
_PUT = Statement(
    "INSERT INTO delivery_releasediff"
    " (entity_id, release_id, commit_number, base_number, paths, files, insertions, deletions, top, computed_at)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
    " ON CONFLICT (entity_id, release_id) DO UPDATE SET commit_number = excluded.commit_number,"
    " base_number = excluded.base_number, paths = excluded.paths, files = excluded.files,"
    " insertions = excluded.insertions, deletions = excluded.deletions, top = excluded.top,"
    " computed_at = excluded.computed_at"
)


class Compared(NamedTuple):
    """Two commits of a repo by their numbers: a release's, and its base, None for nothing."""

    commit: int
    base: int | None
    paths: str = ""
    """The fingerprint of a part's paths."""


def fingerprint(globs: Sequence[str]) -> str:
    """Tells the paths of parts from each other; empty for a repo that is none."""
    return hashlib.blake2b("\n".join(globs).encode(), digest_size=16).hexdigest() if globs else ""


def stored(entity_id: UUID, release_id: UUID, compared: Compared) -> FileChanges | None:
    """What was counted for a release, if that was of the same two commits and paths."""
    row = _STORED.row(entity_id, release_id)
    if row is None or tuple(row[:3]) != compared:
        return None
    return _from_row(*row[3:])


def store(entity_id: UUID, release_id: UUID, compared: Compared, changes: FileChanges, *, now: int) -> None:
    """Keep what was counted for a release; inside write()."""
    total = changes.total
    is_counted = changes.lines is Lines.COUNTED
    _PUT.run(
        entity_id,
        release_id,
        *compared,
        total.files if total else None,
        total.insertions if total and is_counted else None,
        total.deletions if total and is_counted else None,
        json.dumps(
            {"files": changes.files, "places": [(place, *_numbers(amount)) for place, amount in changes.places]},
            ensure_ascii=False,
            separators=(",", ":"),
        ),
        now,
    )


def files_now(repo: RepoRef, pair: Pair) -> FileChanges:
    """The files of the repo that differ, their lines still to be counted: a matter of milliseconds."""
    found = _read(repo, pair, with_lines=False)
    return found if found.total is None else FileChanges(Lines.PENDING, found.total, found.files, found.places)


def lines_now(repo: RepoRef, pair: Pair) -> FileChanges:
    """The files that differ with their lines, or without where git needs more than PATIENCE."""
    return _read(repo, pair, with_lines=True)


def file_changes(difference: Difference) -> FileChanges:
    """What git said, in the words of what changed."""
    if difference.told is Told.NOTHING:
        return _UNREAD
    return FileChanges(
        Lines.COUNTED if difference.told is Told.LINES else Lines.UNREADABLE,
        _amount(difference.total),
        top_files((ChangedFile(*file) for file in difference.files), KEPT_FILES),
        top_places({name: _amount(amount) for name, amount in difference.directories.items()}),
    )


def _read(repo: RepoRef, pair: Pair, *, with_lines: bool) -> FileChanges:
    mirror = mirror_of(repo.home_id)
    if not mirror.exists:
        return _UNREAD
    ask = git.line_counts if with_lines else git.changed_files
    try:
        (difference,) = ask(mirror.git_dir, [pair], globs=globs_of(repo), patience=PATIENCE)
    except GitError:
        return _UNREAD
    return file_changes(difference)


def _from_row(files: int | None, insertions: int | None, deletions: int | None, top: str) -> FileChanges:
    if files is None:
        return _UNREAD
    kept = json.loads(top)
    return FileChanges(
        Lines.UNREADABLE if insertions is None else Lines.COUNTED,
        Amount(files, insertions or 0, deletions or 0),
        tuple(ChangedFile(*file) for file in kept["files"]),
        tuple(ChangedPlace(place, Amount(*numbers)) for place, *numbers in kept["places"]),
    )


def _amount(amount: git.Amount) -> Amount:
    return Amount(amount.files, amount.insertions, amount.deletions)


def _numbers(amount: Amount) -> tuple[int, int, int]:
    return amount.files, amount.insertions, amount.deletions

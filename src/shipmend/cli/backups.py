"""A backup of an instance on SQLite: a folder with a copy of the database, the key, the ssh files, and what they are.

Mirrors are left out, since they are fetched again. Needs no Django, so that nothing is migrated on the way.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from shipmend import __version__
from shipmend.config import SECRET_KEY, Config
from shipmend.core.amounts import several
from shipmend.core.errors import Invalid, Refused
from shipmend.core.moments import iso
from shipmend.db.clock import epoch_now
from shipmend.db.copies import copy_sqlite
from shipmend.files import PRIVATE, PRIVATE_FOLDER, copy_private, sync

DATABASE = "shipmend.sqlite3"
LOG, INDEX = f"{DATABASE}-wal", f"{DATABASE}-shm"
"""SQLite's beside it. What stands in a log that a crash left goes into whatever database it finds there."""
MANIFEST = "backup.json"
BESIDE = (SECRET_KEY, "ssh")
"""What is kept beside the database; the rest of the data folder can be made again."""
UNFINISHED = ".unfinished"
IN_USE = 128
"""The byte of the log's index that every connection holds a lock on (SQLite's wal-index, "DMS")."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup holds."""

    version: str
    made_at: str
    rows: dict[str, int]
    """By table."""
    files: dict[str, str]
    """SHA-256 by path."""

    @classmethod
    def read(cls, text: str) -> Manifest:
        """From its file. Raises ValueError for one that is not as it was written."""
        found = json.loads(text)
        manifest = cls(**found["holds"])
        if found["sha256"] != manifest.digest:
            raise ValueError("its list of contents is damaged")
        return manifest

    def text(self) -> str:
        """For its file: what it holds, and a digest of that."""
        return json.dumps({"holds": asdict(self), "sha256": self.digest}, indent=1)

    @property
    def digest(self) -> str:
        """SHA-256 of all it says."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()

    @property
    def told(self) -> str:
        """In a few words."""
        tables = {"release": "delivery_release", "defect": "delivery_criticaldefect", "repo": "catalog_repo"}
        counts = ", ".join(several(self.rows.get(table, 0), thing) for thing, table in tables.items())
        return f"{counts}, as of {self.made_at}, by Shipmend {self.version}"


class Damaged(Refused):
    """A backup is not what was put into it."""

    code = "damaged"


def make_backup(config: Config, target: Path, *, on_progress: Callable[[int, int], None]) -> Manifest:
    """Copy the instance into the new folder `target` while it runs, and look the copy over. Raises Refused."""
    source = config.data / DATABASE
    if not source.is_file():
        raise Invalid("--data", "holds no instance", value=str(config.data), mend="name the data folder of one")
    unfinished = target.with_name(target.name + UNFINISHED)
    try:
        if target.exists():
            raise Invalid("the backup", "is there already", value=str(target), mend="name a new folder")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=PRIVATE_FOLDER, parents=True)
        manifest = _fill(config, unfinished, on_progress)
        unfinished.rename(target)
        sync(target.parent)
    except (OSError, sqlite3.Error) as error:
        raise Refused(f"The backup could not be made ({error}); what there is of it is in {unfinished}.") from error
    return manifest


def _fill(config: Config, folder: Path, on_progress: Callable[[int, int], None]) -> Manifest:
    copy_sqlite(config.data / DATABASE, folder / DATABASE, on_progress=on_progress)
    (folder / DATABASE).chmod(PRIVATE)
    for name in BESIDE:
        copy_private(config.data / name, folder / name)
    rows = look_over(folder / DATABASE)
    manifest = Manifest(__version__, iso(epoch_now()), rows, {name: _digest(folder / name) for name in _files(folder)})
    (folder / MANIFEST).touch(mode=PRIVATE)
    (folder / MANIFEST).write_text(manifest.text())
    for name in (DATABASE, MANIFEST):
        sync(folder / name)
    sync(folder)
    return manifest


def check_backup(folder: Path) -> Manifest:
    """What the backup holds, after every byte of it has been compared with what was written. Raises Damaged."""
    try:
        manifest = Manifest.read((folder / MANIFEST).read_text())
        wrong = _unlike(folder, manifest)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise Damaged(f"{folder} is no backup that `shipmend backup` finished ({error}).") from error
    if wrong:
        raise Damaged(f"The backup in {folder} is damaged: {', '.join(wrong)} is not what was backed up.")
    return manifest


def _unlike(folder: Path, manifest: Manifest) -> list[str]:
    """The files that the manifest tells otherwise, or not at all, or that are missing."""
    found = {name: _digest(folder / name) for name in _files(folder)}
    return sorted(name for name in found.keys() | manifest.files.keys() if found.get(name) != manifest.files.get(name))


def restore_backup(config: Config, folder: Path, manifest: Manifest, *, now: str) -> Path | None:
    """Put a checked backup into the data folder; what was there goes into a folder beside, which is returned.

    All of it is copied and compared before anything is replaced. Raises Refused when the instance is in use or there is
    no room, and Damaged when what arrived is not what the manifest says; nothing has changed then.
    """
    arrived, aside = config.data / f"restoring-{now}", config.data / f"before-restore-{now}"
    try:
        config.data.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
        _refuse_if_in_use(config.data)
        _fetch(folder, arrived, manifest)
        return _exchange(config.data, arrived, aside)
    except (OSError, sqlite3.Error) as error:
        moved = f" What was there is in {aside}." if aside.exists() else ""
        raise Refused(f"The backup could not be restored ({error}).{moved}") from error
    finally:
        shutil.rmtree(arrived, ignore_errors=True)


def _fetch(folder: Path, arrived: Path, manifest: Manifest) -> None:
    arrived.mkdir(mode=PRIVATE_FOLDER)
    for name in (DATABASE, *BESIDE):
        copy_private(folder / name, arrived / name)
    if wrong := _unlike(arrived, manifest):
        raise Damaged(f"{', '.join(wrong)} did not arrive as it was backed up: nothing was restored.")
    if look_over(arrived / DATABASE) != manifest.rows:
        raise Damaged("The restored database would not hold the rows that were backed up: nothing was restored.")


def _exchange(data: Path, arrived: Path, aside: Path) -> Path | None:
    """Put what has arrived in the place of what is there, which is set aside."""
    was_there = holds_instance(data)
    if was_there:
        aside.mkdir(mode=PRIVATE_FOLDER)
        # The log first: should this end halfway, there must be none beside another database.
        for name in (LOG, INDEX, DATABASE, *BESIDE):
            if (data / name).exists():
                (data / name).rename(aside / name)
        sync(aside)
    for name in (*BESIDE, DATABASE):
        if (arrived / name).exists():
            (arrived / name).rename(data / name)
    sync(data)
    return aside if was_there else None


def holds_instance(data: Path) -> bool:
    """Whether there is a database in the data folder, or what is left of one."""
    return any((data / name).exists() for name in (DATABASE, LOG, INDEX))


def look_over(database: Path) -> dict[str, int]:
    """The number of rows by table, of a database found whole. Raises Damaged, or sqlite3.Error where unreadable."""
    with closing(sqlite3.connect(database)) as connection:
        said = [row[0] for row in connection.execute("PRAGMA integrity_check(3)")]
        if said != ["ok"]:
            raise Damaged(f"{database} is corrupt: {'; '.join(said)}.")
        tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
        return {name: _rows(connection, name) for (name,) in tables.fetchall()}


def _rows(connection: sqlite3.Connection, table: str) -> int:
    count: tuple[Any, ...] = connection.execute(f'SELECT count(*) FROM "{table}"').fetchone()  # noqa: S608 -- our tables
    return int(count[0])


def _refuse_if_in_use(data: Path) -> None:
    database, index = data / DATABASE, data / INDEX
    try:
        # Held even where the database itself has been deleted under whoever uses it.
        if index.exists():
            with index.open("r+b") as stream:
                fcntl.lockf(stream, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, IN_USE)
        if database.exists():
            with closing(sqlite3.connect(database, timeout=0, isolation_level=None)) as connection:
                # In WAL mode every open connection holds a lock that this one can't have beside it.
                connection.execute("PRAGMA locking_mode = EXCLUSIVE")
                connection.execute("BEGIN EXCLUSIVE")
                connection.execute("COMMIT")
    except (BlockingIOError, sqlite3.OperationalError) as error:
        raise Refused(f"{database} is in use ({error}): stop Shipmend first.") from error
    except sqlite3.DatabaseError:
        return  # what is to be replaced may be broken


def _files(folder: Path) -> Iterator[str]:
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if path.is_file() and name != MANIFEST:
            yield name


def _digest(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()

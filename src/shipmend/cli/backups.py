"""A backup of an instance on SQLite: a folder with a copy of the database, the key, the ssh files, and what they are.

Mirrors are left out, since they are fetched again. Needs no Django, so that nothing is migrated on the way.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from shipmend import __version__
from shipmend.config import Config
from shipmend.core.errors import Invalid, Refused
from shipmend.core.moments import iso
from shipmend.db.clock import epoch_now
from shipmend.db.copies import copy_sqlite

DATABASE = "shipmend.sqlite3"
MANIFEST = "backup.json"
BESIDE = ("secret_key", "ssh")
"""What is kept beside the database; the rest of the data folder can be made again."""
UNFINISHED = ".unfinished"


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
        names = {"releases": "delivery_release", "defects": "delivery_criticaldefect", "repos": "catalog_repo"}
        counts = ", ".join(f"{self.rows.get(table, 0):,} {name}" for name, table in names.items())
        return f"{counts}, as of {self.made_at}, by Shipmend {self.version}"


class Damaged(Refused):
    """A backup is not what was put into it."""

    code = "damaged"


def make_backup(config: Config, target: Path, *, on_progress: Callable[[int, int], None]) -> Manifest:
    """Copy the instance into the new folder `target` while it runs, and look the copy over. Raises Refused."""
    source = config.data / DATABASE
    if not source.is_file():
        raise Invalid("--data", "holds no instance", value=str(config.data), mend="name the data folder of one")
    if target.exists():
        raise Invalid("the backup", "is there already", value=str(target), mend="name a new folder")
    unfinished = target.with_name(target.name + UNFINISHED)
    shutil.rmtree(unfinished, ignore_errors=True)
    try:
        unfinished.mkdir(mode=0o700, parents=True)
        manifest = _fill(config, unfinished, on_progress)
        unfinished.rename(target)
        _sync(target.parent)
    except (OSError, sqlite3.Error) as error:
        raise Refused(f"The backup could not be made ({error}); what there is of it is in {unfinished}.") from error
    return manifest


def _fill(config: Config, folder: Path, on_progress: Callable[[int, int], None]) -> Manifest:
    copy_sqlite(config.data / DATABASE, folder / DATABASE, on_progress=on_progress)
    for name in BESIDE:
        _copy(config.data / name, folder / name)
    rows = look_over(folder / DATABASE)
    manifest = Manifest(__version__, iso(epoch_now()), rows, {name: _digest(folder / name) for name in _files(folder)})
    (folder / MANIFEST).write_text(manifest.text())
    for name in [*manifest.files, MANIFEST]:
        (folder / name).chmod(0o600)
        _sync(folder / name)
    _sync(folder)
    return manifest


def check_backup(folder: Path) -> Manifest:
    """What the backup holds, after every byte of it has been compared with what was written. Raises Damaged."""
    try:
        manifest = Manifest.read((folder / MANIFEST).read_text())
        found = {name: _digest(folder / name) for name in _files(folder)}
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise Damaged(f"{folder} is no backup that `shipmend backup` finished ({error}).") from error
    wrong = sorted(name for name in found.keys() | manifest.files.keys() if found.get(name) != manifest.files.get(name))
    if wrong:
        raise Damaged(f"The backup in {folder} is damaged: {', '.join(wrong)} is not what was backed up.")
    return manifest


def restore_backup(config: Config, folder: Path, manifest: Manifest, *, now: str) -> Path | None:
    """Put a checked backup into the data folder; what was there goes into a folder beside, which is returned.

    Raises Refused when the instance is in use, and Damaged when what arrived is not what the manifest says.
    """
    set_aside = _set_aside(config.data, now)
    for name in [DATABASE, *BESIDE]:
        _copy(folder / name, config.data / name)
    try:
        rows = look_over(config.data / DATABASE)
    except sqlite3.Error as error:
        raise Damaged(f"The database could not be read after it was restored ({error}).") from error
    if rows != manifest.rows:
        raise Damaged("The restored database does not hold the rows that were backed up.")
    return set_aside


def holds_instance(data: Path) -> bool:
    """Whether there is a database in the data folder."""
    return (data / DATABASE).exists()


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


def _set_aside(data: Path, now: str) -> Path | None:
    """Take the instance that is there out of the way, if nothing uses it."""
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not holds_instance(data):
        return None
    _refuse_if_in_use(data / DATABASE)
    aside = data / f"before-restore-{now}"
    aside.mkdir(mode=0o700)
    for name in [DATABASE, f"{DATABASE}-wal", f"{DATABASE}-shm", *BESIDE]:
        if (data / name).exists():
            (data / name).rename(aside / name)
    return aside


def _refuse_if_in_use(database: Path) -> None:
    try:
        with closing(sqlite3.connect(database, timeout=0, isolation_level=None)) as connection:
            # In WAL mode every open connection holds a lock that this one can't have beside it.
            connection.execute("PRAGMA locking_mode = EXCLUSIVE")
            connection.execute("BEGIN EXCLUSIVE")
            connection.execute("COMMIT")
    except sqlite3.OperationalError as error:
        raise Refused(f"{database} is in use ({error}): stop Shipmend first.") from error
    except sqlite3.DatabaseError:
        return  # what is to be replaced may be broken


def _files(folder: Path) -> Iterator[str]:
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if path.is_file() and name != MANIFEST:
            yield name


def _copy(source: Path, target: Path) -> None:
    """A file or a folder of files, on disk when this returns. Nothing where there is nothing."""
    if source.is_dir():
        target.mkdir(mode=0o700, exist_ok=True)
        for each in source.iterdir():
            _copy(each, target / each.name)
        _sync(target)
    elif source.is_file():
        shutil.copyfile(source, target)
        target.chmod(0o600)
        _sync(target)


def _digest(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

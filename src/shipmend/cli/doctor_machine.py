"""The doctor's look at the machine: programs, libraries, the data folder, the disk. Needs no Django."""

from __future__ import annotations

import os
import pwd
import shutil
import sqlite3
import stat
from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path
from shlex import quote

from shipmend.cli.findings import Finding, fault, fine
from shipmend.config import SECRET_KEY, Config
from shipmend.git.errors import GitError
from shipmend.git.run import git_version

SOUND_SQLITE = (3, 51, 3)
"""The first version whose WAL can't be reset under another connection's feet (see shipmend/__init__.py)."""
GIB = 1 << 30
LEAST_FREE = GIB
"""Bytes; below it a fetch of a middling repository may fill the disk."""
BELOW = ("mirrors", "ssh")
"""Folders that must be this user's as well."""
TOLD = 3
"""Files that are told by name."""


def findings(config: Config) -> Iterator[Finding]:
    """One finding for each thing looked at."""
    yield _git()
    if not config.database_url:
        yield sqlite_finding(sqlite3.sqlite_version_info)
    if config.data.is_dir():
        yield from _folder(config.data)
        yield disk_finding(config.data, shutil.disk_usage(config.data).free)
    if config.debug:
        yield fault("SHIPMEND_DEBUG is on: every error shows the settings to whoever caused it", "unset SHIPMEND_DEBUG")


def _git() -> Finding:
    try:
        return fine(f"git {_dotted(git_version())}")
    except GitError as error:
        return fault(error.for_people, "install git 2.37 or newer, and put it on the PATH of shipmend")


def sqlite_finding(version: tuple[int, ...]) -> Finding:
    """Whether this SQLite is sound."""
    found = f"SQLite {_dotted(version)}"
    if version >= SOUND_SQLITE:
        return fine(found)
    return fault(
        f"{found} can corrupt a database that two processes use at once; {_dotted(SOUND_SQLITE)} can't",
        "pip install pysqlite3, or set DATABASE_URL to a PostgreSQL database",
    )


def _folder(data: Path) -> Iterator[Finding]:
    if closed := list(islice(chain(closed_to_us(data), _closed_below(data)), TOLD)):
        names = ", ".join(map(str, closed))
        yield fault(f"this user may not read and write {names}", f"as root: chown -R {_user()} {quote(str(data))}")
        return
    mode = stat.S_IMODE(data.stat().st_mode)
    if mode & 0o077:
        what = f"{data} can be entered by other users of this machine (mode {mode:o})"
        yield fault(what, f"chmod 700 {quote(str(data))}")
    else:
        yield fine(f"{data} is this user's own")
    yield from _key(data / SECRET_KEY)


def _key(key: Path) -> Iterator[Finding]:
    if not key.exists():
        return
    if stat.S_IMODE(key.stat().st_mode) & 0o077:
        yield fault(f"{key} can be read by other users of this machine", f"chmod 600 {quote(str(key))}")
    if not key.stat().st_size:
        yield fault(f"{key} is empty, so nobody can sign in", "restart Shipmend, which makes a new one")


def closed_to_us(data: Path) -> Iterator[Path]:
    """The data folder, if this user can't use it, or the files right in it that can't be read and written."""
    if _is_closed(data):
        yield data
        return
    yield from (each for each in sorted(data.iterdir()) if each.is_file() and not os.access(each, os.R_OK | os.W_OK))


def _closed_below(data: Path) -> Iterator[Path]:
    """The folders below that can't be used, and keys that can't be read. What git has written stays as it is."""
    if _is_closed(data):
        return
    yield from (data / name for name in BELOW if (data / name).exists() and _is_closed(data / name))
    for name in BELOW:
        for folder, names, files in os.walk(data / name):
            yield from (Path(folder, each) for each in names if _is_closed(Path(folder, each)))
            if name == "ssh":
                yield from (Path(folder, each) for each in files if not os.access(Path(folder, each), os.R_OK))


def _is_closed(folder: Path) -> bool:
    return not os.access(folder, os.R_OK | os.W_OK | os.X_OK)


def _user() -> str:
    """The name of whoever runs this, or the number where there is no name."""
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())


def disk_finding(data: Path, free: int) -> Finding:
    """Whether `free` bytes are enough where `data` lies."""
    found = f"{free / GIB:,.1f} GiB free where {data} lies"
    if free >= LEAST_FREE:
        return fine(found)
    return fault(f"only {found}", "make room, or move the folder to a larger disk and give it with --data")


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))

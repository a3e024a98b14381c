"""Files that are on disk, and their owner's alone, once they are said to be there."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

PRIVATE = 0o600
PRIVATE_FOLDER = 0o700


def sync(path: Path) -> None:
    """Have a file, or the names in a folder, on disk when this returns."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_whole(file: Path, text: str) -> None:
    """Write a file so that at no time, whatever happens, a part of it stands there under its name."""
    unfinished = file.with_name(f"{file.name}.unfinished")
    unfinished.unlink(missing_ok=True)
    with os.fdopen(_new(unfinished), "w", encoding="utf-8") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    unfinished.rename(file)
    sync(file.parent)


def copy_private(source: Path, target: Path) -> None:
    """Copy a file, or a folder of files, to where nothing is yet. Nothing where there is nothing."""
    if source.is_dir():
        target.mkdir(mode=PRIVATE_FOLDER)
        for each in source.iterdir():
            copy_private(each, target / each.name)
        sync(target)
    elif source.is_file():
        with source.open("rb") as there, os.fdopen(_new(target), "wb") as here:
            shutil.copyfileobj(there, here)
            here.flush()
            os.fsync(here.fileno())


def _new(file: Path) -> int:
    return os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE)

"""Folders in the data folder that last as long as a command."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from shipmend.config import Config


@contextmanager
def passing_folder(config: Config, name: str) -> Iterator[Path]:
    """A new folder for the block, its owner's alone. Those that killed commands left are removed first."""
    with config.alone():
        for left in config.data.glob(f"{name}-*"):
            _remove_if_left(left)
        folder = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=config.data))
        held = os.open(folder, os.O_RDONLY)
        fcntl.flock(held, fcntl.LOCK_EX)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)
        os.close(held)


def _remove_if_left(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(folder)
    except BlockingIOError:
        return  # another command is at work in it
    finally:
        os.close(handle)

"""A disk that remembers every write and sync, and what is left of its files when the power fails.

SQLite writes through a VFS that notes each operation. When the power fails after the n-th of them, a file holds what
was synced; each later write to it is there, or not, or in part, whatever the others are: disks reorder.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import apsw

SECTOR = 512
NAME = "shipmend.sqlite3"


@dataclass(frozen=True, slots=True)
class Operation:
    """On the file of that name (`acked` and its like are marks between operations)."""

    kind: str
    file: str
    offset: int = 0
    data: bytes = b""


@dataclass
class Disk:
    """Records while SQLite works in `folder`."""

    folder: Path
    operations: list[Operation] = field(default_factory=list)

    def mark(self, kind: str, *words: str) -> None:
        """Note something between the operations."""
        self.operations.append(Operation(kind, "\0".join(words)))

    def open(self) -> apsw.Connection:
        """A connection whose files are recorded."""
        self._vfs = _Vfs(self)
        return apsw.Connection(str(self.folder / NAME), vfs=self._vfs.name)


class _Vfs(apsw.VFS):
    def __init__(self, disk: Disk) -> None:
        self.disk = disk
        self.name = f"recording-{id(disk)}"
        super().__init__(self.name, "")

    def xOpen(self, name: Any, flags: list[int]) -> _File:  # noqa: N802 -- SQLite's name
        return _File(self.disk, name, flags)

    def xDelete(self, filename: str, syncdir: bool) -> None:  # noqa: N802 -- SQLite's name and order
        self.disk.operations.append(Operation("delete", Path(filename).name, offset=int(syncdir)))
        super().xDelete(filename, syncdir)


class _File(apsw.VFSFile):
    def __init__(self, disk: Disk, name: Any, flags: list[int]) -> None:
        self.disk = disk
        text = name.filename() if isinstance(name, apsw.URIFilename) else name
        self.file = Path(text).name if text else ""
        super().__init__("", name, flags)

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802 -- as above
        self._note("write", offset, bytes(data))
        super().xWrite(data, offset)

    def xTruncate(self, newsize: int) -> None:  # noqa: N802 -- as above
        self._note("truncate", newsize)
        super().xTruncate(newsize)

    def xSync(self, flags: int) -> None:  # noqa: N802 -- as above
        super().xSync(flags)
        self._note("sync")

    def _note(self, kind: str, offset: int = 0, data: bytes = b"") -> None:
        if self.file:  # a temporary file has no name, and nothing that must last
            self.disk.operations.append(Operation(kind, self.file, offset, data))


class Ruins:
    """Makes images of a recorded disk. Cuts must be asked for in ascending order: the synced state grows with them."""

    def __init__(self, operations: Sequence[Operation]) -> None:
        self._operations = operations
        self._synced: dict[str, bytearray] = {}
        self._pending: dict[str, list[Operation]] = {}
        self._done = 0

    def leave(self, cut: int, folder: Path, chance: random.Random) -> None:
        """Into `folder`, what the power failure after `cut` operations may leave behind."""
        self._advance(cut)
        for old in folder.iterdir():
            old.unlink()
        share = chance.choice((0.0, 0.1, 0.5, 0.9, 1.0))
        for file in self._synced.keys() | self._pending.keys():
            left = self._left_of(file, chance, share)
            if left is not None:
                (folder / file).write_bytes(left)

    def _left_of(self, file: str, chance: random.Random, share: float) -> bytes | None:
        left = bytearray(self._synced[file]) if file in self._synced else None
        for operation in self._pending.get(file, ()):
            if chance.random() < share:
                left = _changed(left, _torn(operation, chance) if chance.random() < 0.2 else operation)
        return None if left is None else bytes(left)

    def _advance(self, cut: int) -> None:
        for operation in self._operations[self._done : cut]:
            if operation.kind in ("write", "truncate", "delete"):
                self._pending.setdefault(operation.file, []).append(operation)
            is_new = operation.kind == "sync" and operation.file not in self._synced
            if operation.kind == "sync" or (operation.kind == "delete" and operation.offset):
                self._settle(operation.file)
            if is_new:
                # SQLite syncs the directory with a file's first sync, and so what was deleted in it.
                for file, pending in list(self._pending.items()):
                    if any(each.kind == "delete" for each in pending):
                        self._settle(file)
        self._done = cut

    def _settle(self, file: str) -> None:
        left: bytearray | None = self._synced.pop(file, None)
        for operation in self._pending.pop(file, ()):
            left = _changed(left, operation)
        if left is not None:
            self._synced[file] = left


def _changed(content: bytearray | None, operation: Operation) -> bytearray | None:
    """A file, None when it is not there, after an operation."""
    if operation.kind == "delete":
        return None
    content = bytearray() if content is None else content
    if operation.kind == "truncate":
        del content[operation.offset :]
        return content
    end = operation.offset + len(operation.data)
    content.extend(bytes(max(0, end - len(content))))
    content[operation.offset : end] = operation.data
    return content


def _torn(operation: Operation, chance: random.Random) -> Operation:
    """A write of which only a beginning reached the disk."""
    if operation.kind != "write":
        return operation
    sectors = len(operation.data) // SECTOR
    kept = chance.randint(0, sectors) * SECTOR if sectors else chance.randint(0, len(operation.data))
    return Operation("write", operation.file, operation.offset, operation.data[:kept])

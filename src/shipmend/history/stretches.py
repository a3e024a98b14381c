"""How the steps of a release branch are stored: many in a row of a table, since its key is longer than a step."""

from __future__ import annotations

import struct
import zlib
from bisect import bisect_right
from collections.abc import Sequence

STEPS = 128
"""Of a row, the last row of a repo apart: some 600 bytes. Beyond 1,000 SQLite gives a row a page of its own."""
_QUICKLY = 1
_BYTES = 12
"""Of a step, before they are squeezed."""

Columns = tuple[tuple[int, ...], tuple[int, ...]]
"""Floors and commit numbers, of equal length."""


def pack(floors: Sequence[int], commits: Sequence[int]) -> bytes:
    """The columns as they are stored."""
    return zlib.compress(struct.pack(f"<{len(floors)}q{len(commits)}i", *floors, *commits), _QUICKLY)


def unpack(packed: bytes | memoryview) -> Columns:
    """The other way about."""
    raw = zlib.decompress(packed)
    count = len(raw) // _BYTES
    values = struct.unpack(f"<{count}q{count}i", raw)
    return values[:count], values[count:]


def commit_at(packed: bytes | memoryview, epoch: int) -> int:
    """The commit of the last step whose floor is at most `epoch`, which is no less than the first one's."""
    floors, commits = unpack(packed)
    return commits[bisect_right(floors, epoch) - 1]

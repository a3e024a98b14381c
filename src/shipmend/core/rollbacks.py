"""Which releases a rollback undid."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple
from uuid import UUID

from shipmend.core.releases import Kind


class LiveRelease(NamedTuple):
    """A succeeded release with a known commit, among those of its stream."""

    id: UUID
    commit: int
    """The release commit's number."""
    kind: Kind | None


def undone(releases: Sequence[LiveRelease], is_ancestor: Callable[[int, int], bool]) -> dict[UUID, UUID]:
    """Each release of a stream (in its order) that a later rollback undid, and that rollback: the first to do so.

    A rollback undoes the releases just before it, back to the first one whose commit it contains: V1 V2 V3 V1 undoes
    V2 and V3. A redeploy goes with what it did again. `is_ancestor(one, other)` is asked of commits of different
    numbers, the lower one first.
    """
    found: dict[UUID, UUID] = {}
    for place, rollback in enumerate(releases):
        if rollback.kind is not Kind.ROLLBACK:
            continue
        for before in reversed(releases[:place]):
            if _contains(rollback.commit, before.commit, is_ancestor):
                break
            found.setdefault(before.id, rollback.id)
    return found


def _contains(commit: int, other: int, is_ancestor: Callable[[int, int], bool]) -> bool:
    # Parents have lower numbers, so a commit of a higher one is never contained.
    return other == commit or (other < commit and is_ancestor(other, commit))

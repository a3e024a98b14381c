"""Who stands next to whom on a stream: what went live of a repo in an environment, in that order."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple
from uuid import UUID

from shipmend.core.releases import Release, is_live

Order = tuple[int, int, str, UUID]


class Spot(NamedTuple):
    """An instant (epoch seconds) on a stream."""

    repo_id: UUID
    environment: str
    epoch: int

    @classmethod
    def of(cls, repo_id: UUID, release: Release) -> Spot | None:
        """Where a release of this repo is; None while its commit is to give the time."""
        return None if release.released is None else cls(repo_id, release.environment, release.released.epoch)


class SeenRelease(NamedTuple):
    """A release as stored, and whether it has been deleted."""

    release: Release
    is_deleted: bool


def order(release: Release) -> Order:
    """Sorts the live releases of a stream.

    Ties of one second are broken by history, then by sha, so that the order of arrival never matters.
    """
    if release.released is None:
        raise ValueError(f"release {release.id} has no time yet")
    number = release.commit.number
    return release.released.epoch, -1 if number is None else number, release.commit.sha, release.id


@dataclass(slots=True)
class _Stream:
    """What is known of one stream."""

    epochs: set[int] = field(default_factory=set)
    """The instants that were looked at."""
    seen: dict[UUID, SeenRelease] = field(default_factory=dict)
    at: dict[int, list[UUID]] = field(default_factory=dict)
    """Who is at each instant."""
    line: list[Order] = field(default_factory=list)
    """Of those that are live, ascending."""

    def set(self, seen: SeenRelease) -> bool:
        """Note how a release stands. False when one went from where it was, so that what lies behind it is unknown."""
        release = seen.release
        if release.released is None:
            return True
        known = self.seen.get(release.id)
        before, after = _order_if_live(known), _order_if_live(seen)
        if before is not None and before != after:
            return False
        if known is not None and known.release.released != release.released:
            return False
        self.seen[release.id] = seen
        if known is None:
            self.at.setdefault(release.released.epoch, []).append(release.id)
        if before is None and after is not None:
            insort(self.line, after)
        return True

    def nearest(self, places: Iterable[int], but: UUID) -> Release | None:
        """The first of these places in the line that another release has."""
        ids = (self.line[place][3] for place in places)
        return next((self.seen[each].release for each in ids if each != but), None)


def _order_if_live(seen: SeenRelease | None) -> Order | None:
    return order(seen.release) if seen is not None and not seen.is_deleted and is_live(seen.release) else None


class Neighbourhood:
    """The releases around some spots: all at each, and the live ones nearest before and after it.

    It stays true while releases are written, as long as each is told to `set`; those that were new may be missing from
    what is found around further spots.
    """

    def __init__(self) -> None:
        self._streams: dict[tuple[UUID, str], _Stream] = {}

    def knows(self, spot: Spot) -> bool:
        """Whether this spot was looked at."""
        stream = self._streams.get(spot[:2])
        return stream is not None and spot.epoch in stream.epochs

    def add(self, spot: Spot, found: Iterable[SeenRelease]) -> None:
        """Take in what lies around this spot."""
        stream = self._stream(spot.repo_id, spot.environment)
        stream.epochs.add(spot.epoch)
        for seen in found:
            stream.set(seen)

    def at(self, spot: Spot) -> list[SeenRelease]:
        """All at this very instant, deleted ones included."""
        stream = self._stream(spot.repo_id, spot.environment)
        return [stream.seen[each] for each in stream.at.get(spot.epoch, ())]

    def beside(self, repo_id: UUID, release: Release) -> tuple[Release | None, Release | None]:
        """The live releases just before and just after this one, whose spot must be known."""
        stream = self._stream(repo_id, release.environment)
        place = bisect_left(stream.line, order(release))
        # A release is no neighbour of its old self, whose commit may have had no number yet.
        before = stream.nearest(range(place - 1, -1, -1), release.id)
        return before, stream.nearest(range(place, len(stream.line)), release.id)

    def set(self, repo_id: UUID, release: Release) -> None:
        """Note that a release stands so by now."""
        if not self._stream(repo_id, release.environment).set(SeenRelease(release, is_deleted=False)):
            self.forget(repo_id, release.environment)

    def forget(self, repo_id: UUID, environment: str) -> None:
        """Know nothing of this stream any more."""
        self._streams.pop((repo_id, environment), None)

    def _stream(self, repo_id: UUID, environment: str) -> _Stream:
        stream = self._streams.get((repo_id, environment))
        if stream is None:
            stream = self._streams[repo_id, environment] = _Stream()
        return stream

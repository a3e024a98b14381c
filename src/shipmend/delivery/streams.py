"""Writing releases onto their streams, so that the kind of each is true of the one before it."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from shipmend.catalog.queries import RepoRef, Tenant
from shipmend.core import releases
from shipmend.core.releases import Kind, Release, ReleaseCommit
from shipmend.core.streams import Neighbourhood, SeenRelease, Spot
from shipmend.core.values import Sha
from shipmend.delivery import store
from shipmend.history import graphs


class StreamWriter:
    """Reads and writes releases of one entity, inside write(), their streams being locked. `finish` ends it.

    Any order will do; a release that follows several of those written is measured only once, and nothing is asked
    twice. New ones are stored together, at the end or before what might ask for them.
    """

    def __init__(self, tenant: Tenant, *, now: int) -> None:
        self._tenant = tenant
        self._now = now
        self._known = Neighbourhood()
        self._new: list[tuple[UUID, Release]] = []
        self._followers: dict[UUID, tuple[RepoRef, Release, Release | None]] = {}
        """Those with another release before them by now, which comes last."""

    def at(self, spot: Spot) -> list[SeenRelease]:
        """The releases at an instant of a stream, deleted ones included."""
        self._look(spot)
        return self._known.at(spot)

    def like(self, repo: RepoRef, release: Release) -> list[SeenRelease]:
        """Those at the release's instant on its stream; of one without a time, those that wait for the same commit."""
        spot = Spot.of(repo.id, release)
        return self.at(spot) if spot else self.timeless(repo, release, release.commit.sha)

    def timeless(self, repo: RepoRef, release: Release, asked: Sha | str) -> list[SeenRelease]:
        """Those of the release's stream that were to take their time from its commit, `asked` for by these digits."""
        self._store_new()
        return store.timeless_releases(self._tenant, repo.id, release, asked)

    def put(self, repo: RepoRef, release: Release, *, is_new: bool) -> Release:
        """Write a release with its kind, and return it so."""
        previous, following = self._beside(repo, release)
        is_live = releases.is_live(release)
        after = replace(release, kind=self._kind(repo, release.commit if is_live else None, previous))
        if is_new:
            self._new.append((repo.id, after))
        else:
            self._store_new()
            store.update_release(self._tenant, after, now=self._now)
        self._known.set(repo.id, after)
        self._followers.pop(after.id, None)
        self._follows(repo, following, after if is_live else previous)
        return after

    def delete(self, repo: RepoRef, release: Release) -> None:
        """Delete a release for good."""
        self._store_new()
        store.delete_release(self._tenant, release.id, now=self._now)
        self._close_the_gap(repo, release)

    def take_back(self, repo: RepoRef, release: Release) -> None:
        """Delete a release until its rule makes it again."""
        self._store_new()
        store.take_back_release(self._tenant, release.id, now=self._now)
        self._close_the_gap(repo, release)

    def finish(self) -> None:
        """Store what is new, and set right the kinds of the releases that follow those written."""
        self._store_new()
        for repo, release, previous in self._followers.values():
            kind = self._kind(repo, release.commit, previous)
            if kind is not release.kind:
                store.set_kind(self._tenant, release.id, kind)
        self._followers.clear()

    def _store_new(self) -> None:
        if self._new:
            store.insert_releases(self._tenant, self._new, now=self._now)
            self._new.clear()

    def _close_the_gap(self, repo: RepoRef, release: Release) -> None:
        self._followers.pop(release.id, None)
        self._known.forget(repo.id, release.environment)
        previous, following = self._beside(repo, release)
        self._follows(repo, following, previous)

    def _beside(self, repo: RepoRef, release: Release) -> tuple[Release | None, Release | None]:
        spot = Spot.of(repo.id, release)
        if spot is None:
            return None, None
        self._look(spot)
        return self._known.beside(repo.id, release)

    def _look(self, spot: Spot) -> None:
        if not self._known.knows(spot):
            self._known.add(spot, store.around(self._tenant, spot))  # what is not stored yet is known already

    def _follows(self, repo: RepoRef, following: Release | None, previous: Release | None) -> None:
        if following is not None:
            self._followers[following.id] = repo, following, previous

    def _kind(self, repo: RepoRef, commit: ReleaseCommit | None, previous: Release | None) -> Kind | None:
        def relate(earlier: int, later: int) -> releases.Relation:
            return graphs.relate(self._tenant.id, repo.number, earlier, later)

        return releases.derive_kind(commit, previous.commit if previous else None, relate)


def title(repo: RepoRef, release: Release) -> str:
    """A release as the audit trail names it."""
    return f"{repo.path} {release.name or release.commit.sha[:12]}".rstrip()

"""Writing releases onto their streams, so that the kind of each is true of the one before it."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from shipmend.catalog.queries import RepoRef, Tenant
from shipmend.core import releases
from shipmend.core.releases import Kind, Release, ReleaseCommit
from shipmend.delivery import store
from shipmend.delivery.store import LiveRelease
from shipmend.history import graphs


class StreamWriter:
    """Writes releases of one repo, inside write(), its streams being locked.

    Any order will do; in the order of the stream, the release that follows them all is measured only once.
    """

    def __init__(self, tenant: Tenant, repo: RepoRef, *, now: int) -> None:
        self._tenant = tenant
        self._repo = repo
        self._now = now
        self._followers: dict[UUID, tuple[LiveRelease, LiveRelease | None]] = {}
        """Those with another release before them by now, which is the second of the pair."""

    def put(self, release: Release, *, is_new: bool) -> Release:
        """Write a release with its kind, and return it so."""
        previous, following = store.neighbours(self._tenant, self._repo.id, release)
        is_live = releases.is_live(release)
        after = replace(release, kind=self._kind(release.commit if is_live else None, previous))
        if is_new:
            store.insert_release(self._tenant, self._repo.id, after, now=self._now)
        else:
            store.update_release(self._tenant, after, now=self._now)
        self._followers.pop(after.id, None)
        self._follows(following, LiveRelease(after.id, after.commit, None) if is_live else previous)
        return after

    def delete(self, release: Release) -> None:
        """Delete a release for good."""
        store.delete_release(self._tenant, release.id, now=self._now)
        self._close_the_gap(release)

    def take_back(self, release: Release) -> None:
        """Delete a release until its rule makes it again."""
        store.take_back_release(self._tenant, release.id, now=self._now)
        self._close_the_gap(release)

    def finish(self) -> None:
        """Set right the kinds of the releases that follow those written."""
        for release, previous in self._followers.values():
            kind = self._kind(release.commit, previous)
            if kind is not release.kind:
                store.set_kind(self._tenant, release.id, kind)
        self._followers.clear()

    def _close_the_gap(self, release: Release) -> None:
        self._followers.pop(release.id, None)
        previous, following = store.neighbours(self._tenant, self._repo.id, release)
        self._follows(following, previous)

    def _follows(self, following: LiveRelease | None, previous: LiveRelease | None) -> None:
        if following is not None:
            self._followers[following.id] = following, previous

    def _kind(self, commit: ReleaseCommit | None, previous: LiveRelease | None) -> Kind | None:
        def relate(earlier: int, later: int) -> releases.Relation:
            return graphs.relate(self._tenant.id, self._repo.number, earlier, later)

        return releases.derive_kind(commit, previous.commit if previous else None, relate)


def put_release(tenant: Tenant, repo: RepoRef, release: Release, *, is_new: bool, now: int) -> Release:
    """Write one release with its kind, set right that of the one after it, and return it; inside write()."""
    writer = StreamWriter(tenant, repo, now=now)
    after = writer.put(release, is_new=is_new)
    writer.finish()
    return after


def title(repo: RepoRef, release: Release) -> str:
    """A release as the audit trail names it."""
    return f"{repo.path} {release.name or release.commit.sha[:12]}".rstrip()

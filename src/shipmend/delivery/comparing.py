"""What a release is compared with, and which release came before it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from shipmend.catalog.queries import RepoRef, Tenant
from shipmend.core.changes import End
from shipmend.core.errors import NotFound
from shipmend.core.releases import CommitState, Status
from shipmend.db.sql import Statement
from shipmend.delivery import ownership
from shipmend.delivery.ownership import StreamKey, StreamLedger
from shipmend.delivery.points import Point
from shipmend.history import contents

_RELEASE = Statement(
    "SELECT environment, release_sha, commit_number, commit_state, status, released_at, name, issue_keys"
    " FROM delivery_release WHERE entity_id = ? AND repo_id = ? AND id = ? AND deleted_at IS NULL"
)
_NAMES = Statement("SELECT id, name FROM delivery_release WHERE entity_id = ? AND id IN (?, ?)")

_NOT_SEEN = {
    CommitState.PENDING: "Its commit has not been seen yet.",
    CommitState.REJECTED: "Its commit is not in the repository.",
    CommitState.UNVERIFIED: "Its commit can't be looked up, because the repo has no git remote.",
}
_NOT_LIVE = {
    Status.FAILED: "It failed, so it shipped nothing.",
    Status.CANCELLED: "It was cancelled, so it shipped nothing.",
}


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a release stands in its stream and in the history."""

    number: int
    """Of its commit."""
    base: Point | None
    """The nearest earlier release that is an ancestor; None when there is none."""
    previous: Point | None
    """The release before it, whatever that was; None for a first one."""

    @property
    def base_number(self) -> int | None:
        """Of the base's commit."""
        return self.base.number if self.base else None

    @property
    def base_sha(self) -> str | None:
        """The base's commit."""
        return self.base.end.sha if self.base else None


@dataclass(frozen=True, slots=True)
class PlacedRelease:
    """A release, and where it stands unless there is a reason why that can't be told."""

    id: UUID
    end: End
    released_at: int | None
    """Epoch seconds."""
    issue_keys: tuple[str, ...]
    place: Placement | None = None
    reason: str = ""
    """A sentence, where there is no place."""


def placed_release(tenant: Tenant, repo: RepoRef, release_id: UUID) -> PlacedRelease:
    """A release of a repo. Raises NotFound."""
    row = _RELEASE.row(tenant.id, repo.id, release_id)
    if row is None:
        raise _not_found(release_id)
    environment, sha, number, state, status, released_at, name, keys = row
    reason = _NOT_SEEN.get(CommitState(state)) or _NOT_LIVE.get(Status(status)) or ""
    place = None if reason else _placement(tenant, repo, release_id, environment, number)
    return PlacedRelease(release_id, End(sha, name, release_id), released_at, tuple(json.loads(keys)), place, reason)


def _placement(tenant: Tenant, repo: RepoRef, release_id: UUID, environment: str, number: int) -> Placement:
    base = ownership.base_of_release(tenant, repo, release_id)
    stream = ownership.ledger_of(StreamKey.of(tenant, repo, environment))
    if release_id not in stream.releases:
        raise _not_found(release_id)  # it was deleted a moment ago
    at = stream.releases.index(release_id)
    base_at = None if base is None else max(earlier for earlier in range(at) if stream.commits[earlier] == base)
    return Placement(number, *_points(tenant, repo, stream, (base_at, at - 1 if at else None)))


def _points(
    tenant: Tenant, repo: RepoRef, stream: StreamLedger, places: tuple[int | None, int | None]
) -> Sequence[Point | None]:
    ids = [None if place is None else stream.releases[place] for place in places]
    names: dict[UUID, str] = dict(_NAMES.rows(tenant.id, *ids))
    sha_of = contents.shas_of(tenant.id, repo.number, [stream.commits[place] for place in places if place is not None])

    def point(place: int) -> Point:
        release_id, commit = stream.releases[place], stream.commits[place]
        return Point(commit, End(sha_of[commit], names.get(release_id, ""), release_id))

    return [None if place is None else point(place) for place in places]


def _not_found(release_id: UUID) -> NotFound:
    return NotFound(f'There is no release "{release_id}" that can be reached from here.')

"""What pages and answers show of releases and defects: plain values, whether just stored or read from a list."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from shipmend.core.defects import Defect, Fix
from shipmend.core.releases import CommitState, Release
from shipmend.core.values import ResourcePath


@dataclass(frozen=True, slots=True)
class ReleaseView:
    """A release for showing. Times are epoch seconds."""

    id: UUID
    path: ResourcePath
    environment: str
    name: str
    released_at: int | None
    release_sha: str
    kind: str | None
    status: str
    commit_state: str
    issue_keys: tuple[str, ...]
    subject: str = ""
    """The release commit's first line, where the history is known and the view was read from a list."""

    @classmethod
    def of(cls, release: Release, path: ResourcePath) -> ReleaseView:
        """A release just stored, in the repo at `path`."""
        return cls(
            id=release.id,
            path=path,
            environment=release.environment,
            name=release.name,
            released_at=release.released.epoch if release.released else None,
            release_sha=release.commit.sha,
            kind=release.kind,
            status=release.status,
            commit_state=release.commit.state,
            issue_keys=release.issue_keys,
        )


@dataclass(frozen=True, slots=True)
class NamedRelease:
    """As much of a release as tells it from others."""

    id: UUID
    name: str
    release_sha: str
    released_at: int | None

    @property
    def title(self) -> str:
        """What people call it."""
        return self.name or self.release_sha[:8]


@dataclass(frozen=True, slots=True)
class FixView:
    """A fix for showing."""

    id: UUID
    repo_id: UUID
    path: ResourcePath
    released_at: int | None
    release_sha: str
    time_from_commit: bool
    commit_state: str
    commit_number: int | None

    @classmethod
    def of(cls, fix: Fix) -> FixView:
        """A fix just stored."""
        return cls(
            id=fix.id,
            repo_id=fix.repo_id,
            path=fix.path,
            released_at=fix.released.epoch if fix.released else None,
            release_sha=fix.sha,
            time_from_commit=fix.time_from_commit,
            commit_state=fix.commit.state if fix.commit else CommitState.KNOWN,
            commit_number=fix.commit.number if fix.commit else None,
        )


@dataclass(frozen=True, slots=True)
class DefectView:
    """A defect for showing, with its fixes, earliest first."""

    id: UUID
    key: str
    path: ResourcePath
    detected_at: int
    description: str
    severity: int | None
    resolved_at: int | None
    fixes: tuple[FixView, ...]

    @classmethod
    def of(cls, defect: Defect) -> DefectView:
        """A defect just stored."""
        return cls(
            id=defect.id,
            key=defect.key,
            path=defect.path,
            detected_at=defect.detected.epoch,
            description=defect.description,
            severity=defect.severity,
            resolved_at=defect.resolved_at,
            fixes=tuple(FixView.of(fix) for fix in defect.fixes),
        )

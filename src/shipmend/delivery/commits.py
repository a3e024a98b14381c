"""Finding the commit that a call speaks of, before any transaction begins.

A sha that is not in the index may have been pushed a moment ago, and the release branch may have moved since the
last fetch: then the mirror is fetched once and the call waits a few seconds for it.
"""

from __future__ import annotations

from dataclasses import replace

from shipmend.catalog.queries import RepoRef, Tenant
from shipmend.core.errors import Invalid
from shipmend.core.moments import iso
from shipmend.core.releases import CommitState, ReleaseCommit
from shipmend.core.values import Sha
from shipmend.history import queries as history
from shipmend.history.waiting import fetch_and_wait


def find_commit(tenant: Tenant, repo: RepoRef, sha: Sha, *, parameter: str) -> ReleaseCommit:
    """The commit of that sha in the repo; pending when the fetch for it does not finish in time.

    Raises Invalid, naming `parameter`, for a commit that is not there and for an ambiguous abbreviation.
    """
    if not repo.has_remote:
        return ReleaseCommit(sha.digits, CommitState.UNVERIFIED)
    found = known_commit(tenant, repo, sha, parameter=parameter)
    if found is None and not fetch_and_wait(tenant.id, repo.id):
        return ReleaseCommit(sha.digits, CommitState.PENDING)
    found = found or known_commit(tenant, repo, sha, parameter=parameter)
    if found is None:
        raise Invalid(
            parameter,
            f"is not a commit on any branch or tag of {repo.path}",
            value=sha.digits,
            mend="push it first, or name the repo it belongs to",
        )
    return found


def find_commit_at(tenant: Tenant, repo: RepoRef, epoch: int, *, parameter: str) -> ReleaseCommit:
    """The last commit on the release branch made at or before `epoch`; pending when the fetch for it takes too long.

    Raises Invalid, naming `parameter`, for a time before the first commit.
    """
    is_behind = repo.fetched_at is None or epoch >= repo.fetched_at
    if is_behind and not fetch_and_wait(tenant.id, repo.id):
        return ReleaseCommit("", CommitState.PENDING, from_time=True)
    return commit_at(tenant, repo, epoch, parameter=parameter)


def commit_at(tenant: Tenant, repo: RepoRef, epoch: int, *, parameter: str) -> ReleaseCommit:
    """As find_commit_at, from what is indexed now."""
    found = history.commit_at(tenant.id, repo.number, epoch)
    if found is not None:
        return replace(found, from_time=True)
    first = history.first_commit_time(tenant.id, repo.number)
    if first is None:
        raise Invalid(
            parameter, f"can't be placed, because {repo.path} has no commits", mend="push some, or give release_sha"
        )
    raise Invalid(
        parameter,
        f"lies before the first commit of {repo.path}",
        value=iso(epoch),
        mend=f"give a time at or after {iso(first)}",
    )


def known_commit(tenant: Tenant, repo: RepoRef, sha: Sha, *, parameter: str) -> ReleaseCommit | None:
    """The commit of that sha if it is indexed. Raises Invalid for an ambiguous abbreviation."""
    found = history.commit_by_sha(tenant.id, repo.number, sha.digits)
    if isinstance(found, history.Ambiguous):
        raise Invalid(
            parameter,
            f"is an abbreviation of more than one commit of {repo.path}",
            value=sha.digits,
            mend="give more digits, or all 40",
        )
    return found

"""Finding the commit that a call speaks of, before any transaction begins.

A sha that is not in the index may have been pushed a moment ago, and the release branch may have moved since the
last fetch: then the mirror is fetched once and the call waits a few seconds for it.
"""

from __future__ import annotations

import time
from dataclasses import replace
from uuid import UUID

from django.conf import settings

from shipmend.catalog.queries import RepoRef, Tenant
from shipmend.core.errors import Invalid
from shipmend.core.moments import iso
from shipmend.core.releases import CommitState, ReleaseCommit
from shipmend.core.values import Sha
from shipmend.history import graphs
from shipmend.history import queries as history
from shipmend.history.indexed import unseen_of
from shipmend.history.waiting import fetch_and_wait


class CommitFinder:
    """Finds the commits that one call, or one batch of them, speaks of: what it has found and fetched it remembers.

    So a batch looks each commit up once, fetches each repo once, and waits no longer than one call would.
    `may_fetch=False` takes what is not indexed for pending, and asks for no fetch.
    """

    def __init__(self, *, may_fetch: bool = True) -> None:
        self._may_fetch = may_fetch
        self._patience = settings.CONFIG.fetch_wait
        self._found: dict[tuple[UUID, str], ReleaseCommit] = {}
        self._fetched: dict[UUID, bool] = {}
        self._loaded: set[UUID] = set()

    def commit(self, tenant: Tenant, repo: RepoRef, sha: Sha, *, parameter: str) -> ReleaseCommit:
        """The commit of that sha in the repo; pending when the fetch for it does not finish in time.

        Raises Invalid, naming `parameter`, for a commit that is not there and for an ambiguous abbreviation.
        """
        if not repo.has_remote:
            return ReleaseCommit(sha.digits, CommitState.UNVERIFIED)
        found = self._found.get((repo.id, sha.digits)) or known_commit(tenant, repo, sha, parameter=parameter)
        if found is None and not self._is_fetched(tenant, repo):
            return ReleaseCommit(sha.digits, CommitState.PENDING)
        found = found or known_commit(tenant, repo, sha, parameter=parameter)
        if found is None:
            raise Invalid(
                parameter,
                f"is not a commit on any branch or tag of {repo.path}",
                value=sha.digits,
                mend="push it first, or name the repo it belongs to",
            )
        self._found[repo.id, sha.digits] = found
        return found

    def commit_at(self, tenant: Tenant, repo: RepoRef, epoch: int, *, parameter: str) -> ReleaseCommit:
        """The last commit on the release branch made at or before `epoch`; pending when its fetch takes too long.

        Raises Invalid, naming `parameter`, for a time before the first commit, and where there is no release branch.
        """
        is_behind = repo.fetched_at is None or epoch >= repo.fetched_at
        if is_behind and not self._is_fetched(tenant, repo):
            return ReleaseCommit("", CommitState.PENDING, from_time=True)
        return commit_at(tenant, repo, epoch, parameter=parameter)

    def load_graph(self, tenant: Tenant, repo: RepoRef) -> None:
        """Have the repo's graph in memory before the write, in which everyone would wait for it."""
        if repo.id not in self._loaded:
            graphs.load(tenant.id, repo.number)
            self._loaded.add(repo.id)

    def _is_fetched(self, tenant: Tenant, repo: RepoRef) -> bool:
        """Fetch the repo, unless this has been tried already; whether all that is on its remote is indexed now."""
        if not self._may_fetch:
            return False
        if repo.home_id not in self._fetched:
            began = time.monotonic()
            self._fetched[repo.home_id] = fetch_and_wait(tenant.id, repo.id, self._patience)
            self._patience = max(0.0, self._patience - (time.monotonic() - began))
        return self._fetched[repo.home_id]


def commit_at(tenant: Tenant, repo: RepoRef, epoch: int, *, parameter: str) -> ReleaseCommit:
    """As CommitFinder.commit_at, from what is indexed now."""
    found = history.commit_at(tenant.id, repo.number, epoch)
    if found is not None:
        return replace(found, from_time=True)
    first = history.first_commit_time(tenant.id, repo.number)
    unseen = unseen_of(tenant, repo) if first is None else None
    if unseen is not None:
        because = f"can't be placed in {repo.path}, because {unseen.because}"
        raise Invalid(parameter, because, mend=f"{unseen.mend}, or give release_sha")
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

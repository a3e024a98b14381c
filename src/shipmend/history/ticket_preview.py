"""What a pattern would find in the latest commits, before it is set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest

from shipmend.catalog.models import Repo
from shipmend.catalog.queries import Tenant
from shipmend.core.tickets import TicketPattern, in_order
from shipmend.core.values import ResourcePath
from shipmend.db.sql import Statement
from shipmend.git.errors import GitError
from shipmend.history.mirrors import mirror_of

REPOS = 3
"""That were indexed last; each is a start of git, where its mirror is on this machine."""
COMMITS = 100
"""The latest of each."""

_LATEST = Statement(
    "SELECT c.sha, c.subject FROM history_state h JOIN history_commit c"
    " ON c.entity_id = h.entity_id AND c.repo_number = h.repo_number AND c.id <= h.commits"
    " WHERE h.entity_id = ? AND h.repo_number = ? AND h.repo_id = ? ORDER BY c.id DESC LIMIT ?"
)


@dataclass(frozen=True, slots=True)
class PreviewedCommit:
    """A commit that was looked at, and the tickets that were found in its message."""

    path: ResourcePath
    sha: str
    subject: str
    tickets: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TicketPreview:
    """What a pattern finds."""

    commits: tuple[PreviewedCommit, ...]
    """Those looked at, the latest of each repo first."""
    repos: int
    is_whole: bool
    """Whether whole messages were searched; otherwise their first lines, the mirrors being on another machine."""

    @property
    def found(self) -> list[PreviewedCommit]:
        """Those that speak of tickets."""
        return [commit for commit in self.commits if commit.tickets]

    @property
    def without(self) -> list[PreviewedCommit]:
        """Those that don't."""
        return [commit for commit in self.commits if not commit.tickets]

    @property
    def tickets(self) -> tuple[str, ...]:
        """Each once, in order."""
        return in_order(key for commit in self.commits for key in commit.tickets)


def preview_tickets(tenant: Tenant, pattern: TicketPattern) -> TicketPreview:
    """Look at the latest commits of the repos that were indexed last."""
    rows = Repo.objects.select_related("entity", "organization").filter(entity_id=tenant.id, indexed_at__isnull=False)
    repos = list(rows.filter(source=None).order_by("-indexed_at")[:REPOS])
    is_whole = True
    columns = []
    for repo in repos:
        latest = _latest(repo)
        messages = _messages(repo, [sha for sha, _ in latest])
        is_whole = is_whole and len(messages) == len(latest)
        columns.append(
            [
                PreviewedCommit(repo.path, sha, subject, pattern.keys(messages.get(sha, subject)))
                for sha, subject in latest
            ]
        )
    commits = [commit for row in zip_longest(*columns) for commit in row if commit is not None]
    return TicketPreview(tuple(commits), len(repos), is_whole)


def _latest(repo: Repo) -> list[tuple[str, str]]:
    rows = _LATEST.rows(repo.entity_id, repo.number, repo.id, COMMITS)
    return [(bytes(sha).hex(), subject) for sha, subject in rows]


def _messages(repo: Repo, shas: Sequence[str]) -> dict[str, str]:
    """By sha, as far as the mirror on this machine has them."""
    mirror = mirror_of(repo.id)
    if not mirror.exists:
        return {}
    try:
        batches = list(mirror.each(shas))
    except GitError:
        return {}
    return {sha.hex(): text for batch in batches for sha, text in zip(batch.shas, batch.message, strict=True)}

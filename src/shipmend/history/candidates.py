"""What tracking rules choose from: the tags and branches of a repo as of its last index, read without git."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from uuid import UUID

from shipmend.catalog.queries import RepoRef
from shipmend.core.ancestry import Parents
from shipmend.core.attribution import first_containing
from shipmend.core.runs import Run
from shipmend.core.tracking import Candidate
from shipmend.db.sql import Row, Statement
from shipmend.git.refs import BRANCH, TAG
from shipmend.history import graphs, store
from shipmend.history.graphs import NotIndexed
from shipmend.history.store import Key
from shipmend.history.touched import touched_runs

AT_ONCE = 500
"""Commits read by one query."""

_TAGS = Statement(
    "SELECT t.name, coalesce(t.at, c.committed_at), c.id, c.sha FROM history_tip t"
    " JOIN history_commit c ON c.entity_id = t.entity_id AND c.repo_number = t.repo_number AND c.id = t.commit_number"
    f" WHERE t.entity_id = ? AND t.repo_number = ? AND substr(t.name, 1, {len(TAG)}) = '{TAG}'"
)
_TRUNK_BRANCH = Statement(
    "SELECT trunk_branch FROM history_state WHERE entity_id = ? AND repo_number = ? AND repo_id IS NOT NULL"
)
_TIP = Statement("SELECT commit_number FROM history_tip WHERE entity_id = ? AND repo_number = ? AND name = ?")
_SIEVE = Statement("SELECT version, upto FROM history_sieve WHERE entity_id = ? AND repo_id = ? AND is_current")
_COMMITS = Statement(
    "SELECT id, sha, committed_at, subject, second_parent FROM history_commit"
    f" WHERE entity_id = ? AND repo_number = ? AND id IN ({', '.join('?' * AT_ONCE)})"
)


def tags(entity_id: UUID, repo: RepoRef) -> list[Candidate]:
    """Every tag on a commit; for a part of a repo, those of the whole."""
    rows = _TAGS.rows(entity_id, repo.number)
    return [Candidate(number, bytes(sha).hex(), at, name.removeprefix(TAG)) for name, at, number, sha in rows]


def branch_commits(entity_id: UUID, repo: RepoRef, branch: str = "") -> Iterator[Candidate]:
    """The first-parent chain of a branch, from its tip back; of the release branch unless one is named.

    Nothing when there is no such branch.
    """
    return _read(entity_id, repo, iter(_chain(entity_id, repo, branch)))


def branch_steps(entity_id: UUID, repo: RepoRef, branch: str = "") -> Iterator[Candidate]:
    """As branch_commits, but for a part of a repo only those that brought something for it to the branch."""
    chain = _chain(entity_id, repo, branch)
    runs = touched_runs(entity_id, repo.id) if repo.source_id else None
    if chain and runs is not None:
        chain = _bringing(graphs.load(entity_id, repo.number), chain, runs)
    return _read(entity_id, repo, iter(chain))


def fingerprint(entity_id: UUID, repo: RepoRef) -> str:
    """The same as long as branches, tags, the choice of the release branch, and what counts for a part are the same.

    Empty when nothing is indexed.
    """
    row = _TRUNK_BRANCH.row(entity_id, repo.number)
    if row is None:
        return ""
    tips = sorted(store.tips_of(Key(entity_id, repo.number)).items())
    sieve = _SIEVE.row(entity_id, repo.id) if repo.source_id else None
    return hashlib.blake2b(repr((row[0], tips, sieve)).encode(), digest_size=16).hexdigest()


def _read(entity_id: UUID, repo: RepoRef, numbers: Iterator[int]) -> Iterator[Candidate]:
    while some := list(islice(numbers, AT_ONCE)):
        rows = _COMMITS.rows(entity_id, repo.number, *some, *[some[-1]] * (AT_ONCE - len(some)))
        found = {row[0]: row for row in rows}
        yield from (_candidate(found[number]) for number in some)


def _chain(entity_id: UUID, repo: RepoRef, branch: str) -> list[int]:
    """The numbers of a first-parent chain, its tip first."""
    tip = _tip(entity_id, repo.number, branch)
    try:
        first = graphs.load(entity_id, repo.number).first if tip else ()
    except NotIndexed:
        return []
    chain = []
    while tip:
        chain.append(tip)
        tip = first[tip]
    return chain


def _bringing(parents: Parents, chain: Sequence[int], runs: Iterable[Run[bool]]) -> list[int]:
    """Those commits of a chain that are, or have merged, one of the commits in the runs."""
    oldest_first = chain[::-1]
    owners = first_containing(parents, oldest_first)
    places = {owners[number] for run in runs for number in range(run.first, min(run.last + 1, len(owners)))}
    return [commit for place, commit in zip(range(len(chain), 0, -1), chain, strict=True) if place in places]


def _tip(entity_id: UUID, repo_number: int, branch: str) -> int | None:
    row = (branch,) if branch else _TRUNK_BRANCH.row(entity_id, repo_number)
    found = _TIP.row(entity_id, repo_number, BRANCH + row[0]) if row and row[0] else None
    return found[0] if found else None


def _candidate(row: Row) -> Candidate:
    number, sha, at, subject, second_parent = row
    return Candidate(number, bytes(sha).hex(), at, subject, is_merge=second_parent is not None)

"""What people call a point of a repo's history: a sha, a tag, a branch, or a release's id."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from shipmend.catalog.queries import RepoRef, Tenant
from shipmend.core.changes import End
from shipmend.core.errors import Invalid
from shipmend.core.values import SHA_DIGITS, Sha
from shipmend.db.sql import Statement
from shipmend.delivery.commits import known_commit
from shipmend.history.contents import commit_named

_RELEASE = Statement(
    "SELECT release_sha, commit_number, name FROM delivery_release"
    " WHERE entity_id = ? AND repo_id = ? AND id = ? AND deleted_at IS NULL"
)


@dataclass(frozen=True, slots=True)
class Point:
    """A commit by its number, and what it is meant as."""

    number: int
    end: End


def find_point(tenant: Tenant, repo: RepoRef, text: str, *, parameter: str) -> Point:
    """The commit meant by a release's id, a whole sha, a tag, a branch or an abbreviated sha: in this order.

    As of what is indexed. Raises Invalid, naming `parameter`, when there is none, or more than one begins so.
    """
    text = text.strip()
    point = _of_release(tenant, repo, text) or _of_name(tenant, repo, text) or _of_sha(tenant, repo, text, parameter)
    if point is None:
        raise Invalid(
            parameter,
            f"names no commit that is known of {repo.path}",
            value=text,
            mend="give a sha, a tag, a branch or a release's id",
        )
    return point


def _of_release(tenant: Tenant, repo: RepoRef, text: str) -> Point | None:
    try:
        release_id = UUID(text)
    except ValueError:
        return None
    row = _RELEASE.row(tenant.id, repo.id, release_id)
    return None if row is None or row[1] is None else Point(row[1], End(row[0], row[2], release_id))


def _of_name(tenant: Tenant, repo: RepoRef, name: str) -> Point | None:
    if "\0" in name or (len(name) == SHA_DIGITS and _sha(name)):
        return None
    found = commit_named(tenant.id, repo.number, name)
    return None if found is None else Point(found[1], End(found[0], name))


def _of_sha(tenant: Tenant, repo: RepoRef, text: str, parameter: str) -> Point | None:
    sha = _sha(text)
    found = known_commit(tenant, repo, sha, parameter=parameter) if sha else None
    return None if found is None or found.number is None else Point(found.number, End(found.sha))


def _sha(text: str) -> Sha | None:
    try:
        return Sha.parse(text, parameter="sha")
    except Invalid:
        return None

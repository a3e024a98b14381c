"""What the tables hold of one repo, in a form that can be compared with what they hold of another."""

from __future__ import annotations

from django.db import models

from shipmend.catalog.models import Repo
from shipmend.history.models import Author, Commit, CommitSha, History, OctopusParent, Stretch, TicketCommit, Tip
from shipmend.history.stretches import unpack

Rows = dict[str, list[tuple[object, ...]]]

_NOT_COMPARED = frozenset({"pk", "entity_id", "repo_number", "repo_id"})
_TABLES: tuple[type[models.Model], ...] = (
    Author,
    Commit,
    CommitSha,
    History,
    OctopusParent,
    Stretch,
    TicketCommit,
    Tip,
)


def rows_of(repo: Repo) -> Rows:
    """Every row of history under the repo's key, without the key."""
    found: Rows = {}
    for model in _TABLES:
        names = [field.name for field in model._meta.get_fields() if field.name not in _NOT_COMPARED]
        rows = model._default_manager.filter(entity_id=repo.entity_id, repo_number=repo.number).values_list(*names)
        found[model._meta.db_table] = sorted(map(_plain, rows), key=repr)
    return found


def _plain(row: tuple[object, ...]) -> tuple[object, ...]:
    return tuple(bytes(value) if isinstance(value, memoryview) else value for value in row)


def trunk_of(repo: Repo) -> list[tuple[int, int, int]]:
    """Floor, position and commit number of each step of the release branch."""
    rows = Stretch.objects.filter(entity_id=repo.entity_id, repo_number=repo.number).order_by("floor", "position")
    return [
        (floor, position, commit)
        for row in rows
        for position, (floor, commit) in enumerate(zip(*unpack(row.steps), strict=True), row.position)
    ]


def commits_of(repo: Repo) -> list[Commit]:
    """The repo's commits by number."""
    return list(Commit.objects.filter(entity_id=repo.entity_id, repo_number=repo.number).order_by("id"))


def sha_of(commit: Commit) -> str:
    """In hex, from either database."""
    return bytes(commit.sha).hex()

"""The tables of a repo's history.

Commits are written and read in bulk, by `store`, and never through the ORM; the models exist so that
migrations and the tenant checks know the tables. A commit is numbered per repo from 1, parents before
children, so that ancestry is arithmetic on small integers; its row is kept narrow, since there are
millions. Numbers are never given again: what a force-push left behind keeps its row.

Rows with a number above the repo's `History.commits` belong to an index that has not finished: nobody sees
them, and the next index of the repo deletes them first.
"""

from __future__ import annotations

from django.db import models

from shipmend.db.fields import IdField


class History(models.Model):
    """How much of a repo is indexed."""

    pk = models.CompositePrimaryKey("entity_id", "repo_number")
    entity_id = IdField()
    repo_number = models.IntegerField()
    repo_id = IdField(null=True)
    """Whose history this is; null once the repo was removed, until the rows are gone as well."""
    commits = models.IntegerField(default=0)
    """The highest number given to a commit by an index that finished."""
    authors = models.IntegerField(default=0)
    default_branch = models.TextField(default="")
    """The remote's own, as of the last fetch; empty when it has none."""
    trunk_branch = models.TextField(default="")
    """The branch whose first-parent chain `Stretch` holds; empty when there is none."""
    tickets_by = models.TextField(null=True)
    """The fingerprint of the pattern (core.tickets) by which the tickets of its commits were found."""
    undated = models.IntegerField(null=True)
    """How many of its commits were made or authored at no usable time."""
    faults = models.TextField(null=True)
    """What the index that finished last found to be amiss with the remote, and may be mended: see `faults`."""

    class Meta:
        db_table = "history_state"


class Author(models.Model):
    """A name and address as the commits of a repo write them."""

    pk = models.CompositePrimaryKey("entity_id", "repo_number", "id")
    entity_id = IdField()
    repo_number = models.IntegerField()
    id = models.IntegerField()
    name = models.TextField()
    email = models.TextField()

    class Meta:
        db_table = "history_author"


class Commit(models.Model):
    """One commit. Times are epoch seconds, null where the commit's own are absent or absurd."""

    pk = models.CompositePrimaryKey("entity_id", "repo_number", "id")
    entity_id = IdField()
    repo_number = models.IntegerField()
    id = models.IntegerField()
    sha = models.BinaryField(max_length=20)
    parent = models.IntegerField(null=True)
    second_parent = models.IntegerField(null=True)
    authored_at = models.BigIntegerField(null=True)
    authored_offset = models.IntegerField(null=True)
    """Seconds east of UTC; null where the commit's own is absent or absurd."""
    committed_at = models.BigIntegerField(null=True)
    author_id = models.IntegerField()
    subject = models.TextField()
    tickets = models.TextField(null=True)
    """The keys of the tickets that its message speaks of, one a line; null where there is none."""

    class Meta:
        db_table = "history_commit"


class CommitSha(models.Model):
    """The way from a sha to its commit.

    A table of its own and not an index, because an index can't be built last for one repo among many:
    filled in the order of shas when all commits of a repo are there, it grows at one place instead of
    everywhere.
    """

    pk = models.CompositePrimaryKey("entity_id", "repo_number", "sha")
    entity_id = IdField()
    repo_number = models.IntegerField()
    sha = models.BinaryField(max_length=20)
    commit_number = models.IntegerField()

    class Meta:
        db_table = "history_sha"


class TicketCommit(models.Model):
    """The way from a ticket's key to the commits whose messages speak of it, over all repos of an entity.

    As with shas, the rows of an index come last and in the order of keys. `Commit.tickets` says the same the other way
    about, and tells which rows there are.
    """

    pk = models.CompositePrimaryKey("entity_id", "ticket", "repo_number", "commit_number")
    entity_id = IdField()
    ticket = models.TextField()
    repo_number = models.IntegerField()
    commit_number = models.IntegerField()

    class Meta:
        db_table = "history_ticket"


class OctopusParent(models.Model):
    """The third and later parents of a merge of more than two."""

    pk = models.CompositePrimaryKey("entity_id", "repo_number", "commit_number", "position")
    entity_id = IdField()
    repo_number = models.IntegerField()
    commit_number = models.IntegerField()
    position = models.IntegerField()
    """From 3."""
    parent = models.IntegerField()

    class Meta:
        db_table = "history_octopus_parent"


class Stretch(models.Model):
    """Steps of the first-parent chain of a repo's release branch, oldest first; the chain's first is at position 1.

    Each step is a commit and a floor: the least commit time from here to the tip. It never falls along the chain, so
    the last commit made at or before an instant is in one stretch, found by this table's key, though commit times
    themselves jump about. A commit without a usable time counts as made when the one before it was.
    """

    pk = models.CompositePrimaryKey("entity_id", "repo_number", "floor", "position")
    entity_id = IdField()
    repo_number = models.IntegerField()
    floor = models.BigIntegerField()
    """Of the first step; so is `position`."""
    position = models.IntegerField()
    steps = models.BinaryField()
    """As `stretches` packs them."""

    class Meta:
        db_table = "history_stretch"


class Tip(models.Model):
    """Where a branch or tag of the remote stood at the last completed index."""

    pk = models.CompositePrimaryKey("entity_id", "repo_number", "name")
    entity_id = IdField()
    repo_number = models.IntegerField()
    name = models.TextField()
    """The ref, as `refs/heads/main`."""
    sha = models.BinaryField(max_length=20)
    """The object it named: a tag's own where it has one."""
    commit_number = models.IntegerField(null=True)
    """The commit behind it; null where there is none."""
    at = models.BigIntegerField(null=True)
    """When a tag was made, a light one with its commit; null for a branch, and where it is absent or absurd."""

    class Meta:
        db_table = "history_tip"


class Sieve(models.Model):
    """The paths of a part of a repo as they are being applied, and up to which commit of its source they have been.

    A part has one that is current. When its paths change, another one is filled beside that, and takes its place
    when it has come as far.
    """

    pk = models.CompositePrimaryKey("entity_id", "repo_id", "version")
    entity_id = IdField()
    repo_id = IdField()
    version = models.IntegerField()
    """Of the rows in `TouchedRun` that are its own. Never given again while such rows are there."""
    globs = models.TextField()
    upto = models.IntegerField(default=0)
    """The highest number of a commit that was looked at."""
    commits = models.IntegerField(default=0)
    """How many of those touch the paths."""
    is_current = models.BooleanField(default=False)

    class Meta:
        db_table = "history_sieve"


class TouchedRun(models.Model):
    """Commits with numbers in a row, of the source of a part, that touch the paths of the part."""

    pk = models.CompositePrimaryKey("entity_id", "repo_id", "version", "first")
    entity_id = IdField()
    repo_id = IdField()
    version = models.IntegerField()
    first = models.IntegerField()
    last = models.IntegerField()

    class Meta:
        db_table = "history_touched"

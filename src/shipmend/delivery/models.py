"""Releases, critical defects and fixes. Written by `store`, read by `queries`; both know these columns."""

from __future__ import annotations

from django.db import models

from shipmend.catalog.models import Entity, Organization, Repo
from shipmend.core.causes import Standing
from shipmend.core.releases import CommitState, Kind, Status
from shipmend.core.tracking import VALUE_CHARACTERS, RuleKind
from shipmend.db.clock import epoch_now
from shipmend.db.fields import IdField

PRODUCTION = "production"

# Foreign keys here have no index of their own: each would cost every write a page, and all that is looked up by
# them begins with the entity, as the indexes below do.


class TrackingRule(models.Model):
    """What in the history of a repo, or of all, is a release. Never changed: deleted, and another one set."""

    id = IdField(primary_key=True)
    entity = models.ForeignKey(Entity, models.CASCADE, db_index=False)
    repo = models.ForeignKey(Repo, models.CASCADE, db_index=False, null=True)
    """Null: every repo of the entity."""
    kind = models.CharField(max_length=20, choices=[(kind, kind.value) for kind in RuleKind])
    value = models.CharField(max_length=VALUE_CHARACTERS, default="")
    environment = models.CharField(max_length=100, default=PRODUCTION)
    created_by = models.CharField(max_length=260)
    """As the audit trail names them."""
    created_at = models.BigIntegerField(default=epoch_now)
    deleted_at = models.BigIntegerField(null=True)
    keeps_releases = models.BooleanField(default=False)
    """Of a deleted rule: what it made is to stay as it is, whatever becomes of the history."""

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["entity", "kind", "value", "environment", "repo"],
                condition=models.Q(deleted_at=None, repo__isnull=False),
                name="rule_of_repo",
            ),
            models.UniqueConstraint(
                fields=["entity", "kind", "value", "environment"],
                condition=models.Q(deleted_at=None, repo=None),
                name="rule_of_entity",
            ),
        ]
        indexes = [
            models.Index(fields=["entity", "id"], name="rule_in_order"),
        ]


class Tracked(models.Model):
    """What the rules were last applied to, per repo: while that is the same, there is nothing to do."""

    id = IdField(primary_key=True)
    entity = models.ForeignKey(Entity, models.CASCADE, db_index=False)
    repo = models.ForeignKey(Repo, models.CASCADE, db_index=False)
    digest = models.CharField(max_length=64)
    """Of the rules, the branches and the tags."""

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["entity", "repo"], name="tracked_repo"),
        ]


class Release(models.Model):
    """This commit of this repo went live in this environment at this instant."""

    id = IdField(primary_key=True)
    entity = models.ForeignKey(Entity, models.CASCADE, db_index=False)
    repo = models.ForeignKey(Repo, models.CASCADE, db_index=False, related_name="releases")
    environment = models.CharField(max_length=100, default=PRODUCTION)
    release_sha = models.CharField(max_length=40, default="")
    """The release commit; what the caller gave while it is pending; empty while only a time is known."""
    commit_number = models.IntegerField(null=True)
    """The release commit's number in the repo's history, once it is known there."""
    released_at = models.BigIntegerField(null=True)
    """Null only while the time is to come from a commit not seen yet."""
    released_text = models.CharField(max_length=100, default="")
    """The time as the caller wrote it; empty when it came from the call's arrival or the commit."""
    released_offset = models.IntegerField(default=0)
    """Seconds east of UTC that the time was read with."""
    commit_from_time = models.BooleanField(default=False)
    """The caller named no commit: it was taken from the release branch at that instant."""
    name = models.CharField(max_length=250, default="")
    kind = models.CharField(max_length=10, null=True, choices=[(kind, kind.value) for kind in Kind])
    """Derived from the release before it on its stream; null while its commit's ancestry is not known."""
    status = models.CharField(
        max_length=10, default=Status.SUCCEEDED, choices=[(status, status.value) for status in Status]
    )
    commit_state = models.CharField(max_length=10, choices=[(state, state.value) for state in CommitState])
    issue_keys = models.TextField(default="[]")
    """JSON list of the ticket keys the caller says it resolved."""
    rule = models.ForeignKey(TrackingRule, models.DO_NOTHING, db_index=False, null=True, related_name="releases")
    """The rule that made it; null once a person or a call has spoken of it. Kept when the rule takes it back."""
    undone_by = IdField(null=True)
    """The first rollback of its stream that undid it (core.rollbacks); derived with the attribution of commits."""
    needs_attribution = models.BooleanField(default=False)
    """Recorded, changed or deleted since the commits of its stream were last attributed."""
    attributed_at = models.BigIntegerField(null=True)
    """Its time when they were; null when it took no part."""
    attributed_commit = models.IntegerField(null=True)
    created_at = models.BigIntegerField(default=epoch_now)
    updated_at = models.BigIntegerField(default=epoch_now)
    deleted_at = models.BigIntegerField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["entity", "repo", "environment", "released_at", "release_sha"],
                condition=models.Q(deleted_at=None),
                name="release_identity",
            ),
            models.UniqueConstraint(
                fields=["entity", "repo", "environment", "release_sha"],
                condition=models.Q(released_at=None),
                name="release_pending_identity",
            ),
            models.CheckConstraint(
                condition=models.Q(released_at__isnull=False) | models.Q(commit_state__in=["pending", "rejected"]),
                name="release_has_time",
            ),
        ]
        indexes = [
            # Apart from those that are there, so that who looks for a neighbour on a stream never wades through what a
            # deleted rule has left; a new release costs it nothing.
            models.Index(
                fields=["entity", "repo", "environment", "released_at", "release_sha"],
                condition=models.Q(deleted_at__isnull=False),
                name="release_gone",
            ),
            models.Index(fields=["entity", "-released_at", "-id"], name="release_latest"),
            models.Index(
                fields=["entity", "repo"],
                condition=models.Q(commit_state__in=["pending", "unverified"]),
                name="release_unsettled",
            ),
            models.Index(
                fields=["entity", "repo"], condition=models.Q(needs_attribution=True), name="release_unattributed"
            ),
            models.Index(
                fields=["entity", "rule", "repo"], condition=models.Q(rule__isnull=False), name="release_by_rule"
            ),
            models.Index(fields=["entity"], condition=~models.Q(issue_keys="[]"), name="release_with_keys"),
        ]


class Stream(models.Model):
    """A repo in an environment, once releases of it have commits to their name."""

    id = IdField(primary_key=True)
    entity = models.ForeignKey(Entity, models.CASCADE, db_index=False)
    repo = models.ForeignKey(Repo, models.CASCADE)
    environment = models.CharField(max_length=100)
    version = models.IntegerField(default=0)
    """Raised whenever its commits are attributed anew: what processes keep in memory is true of one version."""

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["entity", "repo", "environment"], name="stream_identity"),
        ]


class ShippedRun(models.Model):
    """Commits with numbers in a row that belong to one release: the first on the stream that contains them."""

    pk = models.CompositePrimaryKey("entity_id", "stream_id", "first")
    entity_id = IdField()
    stream_id = IdField()
    """Not a foreign key, which a composite key can't hold: `delivery.apps` deletes the runs of a removed repo."""
    first = models.IntegerField()
    last = models.IntegerField()
    release_id = IdField()

    class Meta:
        indexes = [
            models.Index(fields=["entity_id", "release_id", "first"], name="run_of_release"),
        ]


class ReleaseDiff(models.Model):
    """How the files of a release differ from those of the nearest release among its ancestors; see `diffs`."""

    pk = models.CompositePrimaryKey("entity_id", "release_id")
    entity_id = IdField()
    release_id = IdField()
    """Not a foreign key, as above."""
    commit_number = models.IntegerField()
    base_number = models.IntegerField(null=True)
    """With the one above, what was compared: the row is true only while these are the release's. Null: nothing."""
    paths = models.CharField(max_length=32, default="")
    """The fingerprint of the paths of a part of a repo, of which the same is true; empty for any other repo."""
    files = models.IntegerField(null=True)
    """Null where the repository could not be read."""
    insertions = models.BigIntegerField(null=True)
    """Null where lines could not be counted; so is `deletions`."""
    deletions = models.BigIntegerField(null=True)
    top = models.TextField()
    """JSON: the files that changed most, and a handful of places that add up to everything."""
    computed_at = models.BigIntegerField()


class ReleaseLead(models.Model):
    """How long the commits that belong to a release took to get there; see `leads`. Derived when it is first read."""

    pk = models.CompositePrimaryKey("entity_id", "release_id")
    entity_id = IdField()
    release_id = IdField()
    """Not a foreign key, as above. The row goes when the release gets other commits or another time."""
    sieve = models.IntegerField()
    """The version of the paths (history.models.Sieve) by which a part of a repo counted; 0 for any other repo."""
    is_baseline = models.BooleanField()
    """Whether it was told of a baseline: of how many commits, and no more."""
    commits = models.IntegerField()
    merges = models.IntegerField()
    timeless = models.IntegerField()
    early = models.IntegerField()
    times = models.BinaryField()
    """Seconds, ascending, eight bytes each, the lowest first."""
    authors = models.BinaryField(default=b"")
    """Who wrote them, by the authors' numbers in the repo's history, four bytes each, the lowest first: of each of
    the times, then of the merges, the timeless and the early ones. None of a baseline."""


class CriticalDefect(models.Model):
    """Something broke for users. Open until its latest fix, over all repos, is released."""

    id = IdField(primary_key=True)
    entity = models.ForeignKey(Entity, models.CASCADE, db_index=False)
    defect_key = models.CharField(max_length=200)
    organization = models.ForeignKey(Organization, models.CASCADE, db_index=False, null=True)
    repo = models.ForeignKey(Repo, models.CASCADE, db_index=False, null=True)
    detected_at = models.BigIntegerField()
    detected_text = models.CharField(max_length=100, default="")
    detected_offset = models.IntegerField(default=0)
    description = models.TextField(default="")
    severity = models.BigIntegerField(null=True)
    resolved_at = models.BigIntegerField(null=True)
    """The latest fix over all repos, kept here so that lists need no join; null while open."""
    cause_standing = models.CharField(
        max_length=10, default=Standing.UNSAID, choices=[(standing, standing.name) for standing in Standing]
    )
    """What somebody said of its cause (core.causes); a guess is never stored."""
    cause_release_id = IdField(null=True)
    """Of which release. Not a foreign key: the defect outlives it."""
    notes = models.TextField(default="")
    """What people wrote about it, in Markdown."""
    created_at = models.BigIntegerField(default=epoch_now)
    updated_at = models.BigIntegerField(default=epoch_now)
    deleted_at = models.BigIntegerField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["entity", "defect_key"], name="defect_identity"),
            models.CheckConstraint(
                condition=models.Q(cause_standing__in=[Standing.UNSAID, Standing.NONE], cause_release_id=None)
                | models.Q(cause_standing__in=[Standing.NAMED, Standing.ACCEPTED], cause_release_id__isnull=False),
                name="cause_as_said",
            ),
        ]
        indexes = [
            models.Index(fields=["entity", "-detected_at", "-id"], name="defect_latest"),
            models.Index(
                fields=["entity", "cause_release_id"],
                condition=models.Q(cause_release_id__isnull=False),
                name="defect_by_cause",
            ),
        ]


class DefectFix(models.Model):
    """A release of a repair: a repo and a time, perhaps a commit."""

    id = IdField(primary_key=True)
    entity = models.ForeignKey(Entity, models.CASCADE, db_index=False)
    defect = models.ForeignKey(CriticalDefect, models.CASCADE, db_index=False, related_name="fixes")
    repo = models.ForeignKey(Repo, models.CASCADE, db_index=False)
    release_sha = models.CharField(max_length=40, default="")
    """The commit that carried the repair; empty when the caller gave only a time."""
    commit_number = models.IntegerField(null=True)
    commit_state = models.CharField(max_length=10, choices=[(state, state.value) for state in CommitState])
    released_at = models.BigIntegerField(null=True)
    """Null only while the time is to come from a commit not seen yet: then it does not resolve the defect."""
    released_text = models.CharField(max_length=100, default="")
    released_offset = models.IntegerField(default=0)
    time_from_commit = models.BooleanField(default=False)
    """The time is the commit's authorship stamp, as the contract says; such a fix may precede the detection."""
    created_at = models.BigIntegerField(default=epoch_now)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["entity", "defect", "repo", "release_sha"],
                condition=~models.Q(release_sha=""),
                name="fix_by_sha",
            ),
            models.UniqueConstraint(
                fields=["entity", "defect", "repo", "released_at"],
                condition=models.Q(release_sha=""),
                name="fix_by_time",
            ),
            models.CheckConstraint(
                condition=models.Q(released_at__isnull=False) | models.Q(commit_state__in=["pending", "rejected"]),
                name="fix_has_time",
            ),
        ]
        indexes = [
            models.Index(fields=["entity", "defect"], name="fix_of_defect"),
            models.Index(fields=["entity", "repo", "commit_number"], name="fix_by_commit"),
            models.Index(
                fields=["entity"],
                condition=models.Q(commit_number=None) & ~models.Q(release_sha=""),
                name="fix_unknown",
            ),
        ]

"""The tenant (entity), its organizations and its repos."""

from __future__ import annotations

from django.db import models

from shipmend.core.causes import CAUSE_WINDOW_HOURS
from shipmend.core.patterns import PATTERN_CHARACTERS
from shipmend.core.values import SLUG_CHARACTERS, ResourcePath
from shipmend.db.clock import epoch_now
from shipmend.db.fields import IdField


class Entity(models.Model):
    """A tenant: everything else belongs to exactly one."""

    id = IdField(primary_key=True)
    slug = models.CharField(max_length=SLUG_CHARACTERS, unique=True)
    name = models.CharField(max_length=200, blank=True)
    time_zone = models.CharField(max_length=64, default="UTC")
    date_order = models.CharField(max_length=3, blank=True, default="")
    ticket_pattern = models.CharField(max_length=PATTERN_CHARACTERS, blank=True, default="")
    """What keys of tickets look like (core.tickets); empty for the usual ones."""
    ticket_numbers = models.BooleanField(default=False)
    """Whether #123 is a ticket, too."""
    public_badges = models.BooleanField(default=False)
    """Whether anybody may ask what release of a repo is live, without a token."""
    cause_window_hours = models.IntegerField(default=CAUSE_WINDOW_HOURS)
    """How long before its detection a release is still suspected of a defect (core.causes)."""
    rollbacks_fail = models.BooleanField(default=True)
    """Whether a release that a rollback undid counts as a failure in the change fail rate."""
    created_at = models.BigIntegerField(default=epoch_now)

    def __str__(self) -> str:
        return self.slug


class Organization(models.Model):
    """A group of repos in an entity."""

    id = IdField(primary_key=True)
    entity = models.ForeignKey(Entity, models.CASCADE, related_name="organizations")
    slug = models.CharField(max_length=SLUG_CHARACTERS)
    created_at = models.BigIntegerField(default=epoch_now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["entity", "slug"], name="organization_slug"),
        ]

    def __str__(self) -> str:
        return self.slug


class IndexState(models.TextChoices):
    """Where a repo's mirror and index stand."""

    NONE = "none", "no remote"
    WAITING = "waiting", "waiting for its first index"
    RUNNING = "running", "being indexed"
    READY = "ready", "indexed"
    FAILED = "failed", "failed"


class Repo(models.Model):
    """A git repository, a part of another one, or the name of one that this instance can't read (no remote)."""

    id = IdField(primary_key=True)
    entity = models.ForeignKey(Entity, models.CASCADE, related_name="repos")
    organization = models.ForeignKey(Organization, models.CASCADE, related_name="repos")
    slug = models.CharField(max_length=SLUG_CHARACTERS)
    number = models.IntegerField()
    """Short name of the repo in its entity's commit rows, where a UUID would cost 16 bytes a commit."""
    source = models.ForeignKey("self", models.RESTRICT, null=True, blank=True, related_name="parts", db_index=False)
    """The repo that this one is part of: then it has no remote, mirror or commits of its own. Itself never a part."""
    path_globs = models.TextField(blank=True, default="")
    """The paths of the source that belong to this part, one glob a line (core.globs); empty for any other repo."""
    remote_url = models.TextField(blank=True, default="")
    remote_secret = models.TextField(blank=True, default="")
    is_local = models.BooleanField(default=False)
    """Registered by the operator on the command line as a path of this machine."""
    release_branch = models.CharField(max_length=250, blank=True, default="")
    """The branch releases are cut from; empty: the remote's own default branch."""
    index_state = models.CharField(max_length=10, choices=IndexState.choices, default=IndexState.NONE)
    index_error = models.TextField(blank=True, default="")
    """Why the last index failed, or what it found to be amiss though it did not: sentences for people."""
    index_progress = models.TextField(blank=True, default="")
    """What a running index is doing, in words and numbers, for people."""
    fetched_at = models.BigIntegerField(null=True, blank=True)
    """When the last completed fetch began: all that was on the remote by then is in the index."""
    indexed_at = models.BigIntegerField(null=True, blank=True)
    commit_count = models.IntegerField(default=0)
    created_at = models.BigIntegerField(default=epoch_now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["entity", "organization", "slug"], name="repo_slug"),
            models.UniqueConstraint(fields=["entity", "number"], name="repo_number"),
            models.CheckConstraint(
                condition=models.Q(source=None, path_globs="")
                | models.Q(source__isnull=False, remote_url="") & ~models.Q(path_globs=""),
                name="repo_is_whole_or_part",
            ),
        ]
        indexes = [
            models.Index(fields=["entity", "source"], condition=models.Q(source__isnull=False), name="repo_parts"),
        ]

    def __str__(self) -> str:
        return self.slug

    @property
    def path(self) -> ResourcePath:
        """The repo's resource path (reads its entity and organization: select_related them)."""
        return ResourcePath(self.entity.slug, self.organization.slug, self.slug)

    @property
    def home(self) -> Repo:
        """The repo that has the remote, the mirror and the commits: itself, or the one it is part of."""
        return self.source or self

    @property
    def globs(self) -> tuple[str, ...]:
        """Those of a part; none for any other repo."""
        return tuple(self.path_globs.splitlines())

"""The job table: also the outbox, since a job is written in the transaction that needs it."""

from __future__ import annotations

from django.db import models

from shipmend.db.fields import IdField

OPEN = models.Q(done_at=None, dead_at=None)


class Job(models.Model):
    """A piece of work to be done at least once. Times are milliseconds of the database's clock."""

    id = IdField(primary_key=True)
    entity_id = IdField()
    kind = models.CharField(max_length=40)
    key = models.CharField(max_length=120)
    """What it works on; one waiting job per entity, kind and key is enough for all who ask."""
    payload = models.TextField(default="{}")
    """JSON. Whoever joins a waiting job replaces it, so what is to be done must follow from the key."""
    created_at = models.BigIntegerField()
    run_at = models.BigIntegerField()
    lease_until = models.BigIntegerField(null=True)
    """Someone works on it until then; past it, anyone may take it."""
    owner = models.CharField(max_length=100, default="")
    attempt = models.IntegerField(default=0)
    """The fencing number: each claim raises it, and results of an older claim are refused."""
    error = models.TextField(default="")
    done_at = models.BigIntegerField(null=True)
    dead_at = models.BigIntegerField(null=True)
    """Given up after the last retry; visible until someone retries or forgets it."""

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["entity_id", "kind", "key"],
                condition=OPEN & models.Q(lease_until=None),
                name="job_waiting",
            ),
            models.UniqueConstraint(
                fields=["entity_id", "kind", "key"],
                condition=OPEN & models.Q(lease_until__isnull=False),
                name="job_running",
            ),
        ]
        indexes = [
            models.Index(fields=["run_at"], condition=OPEN, name="job_due"),
            models.Index(fields=["entity_id", "-id"], name="job_latest"),
            models.Index(
                fields=["entity_id", "kind", "key"],
                condition=models.Q(dead_at__isnull=False),
                name="job_dead",
            ),
        ]

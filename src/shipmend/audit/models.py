"""The audit trail."""

from __future__ import annotations

from django.db import models

from shipmend.db.clock import epoch_now
from shipmend.db.fields import IdField


class AuditEvent(models.Model):
    """One change to an entity's data: who, what, when, and how it stood before and after."""

    id = IdField(primary_key=True)
    entity_id = IdField()
    """Not a foreign key: the trail outlives what it tells about."""
    at = models.BigIntegerField(default=epoch_now)
    actor = models.CharField(max_length=260)
    """`token:<hint>`, `user:<email>`, `command line` or `worker`."""
    action = models.CharField(max_length=60)
    subject = models.CharField(max_length=400)
    """What was changed, as people name it: a path, a key."""
    subject_id = IdField(null=True)
    detail = models.TextField(default="{}")
    """JSON: the fields that changed, as {"field": [before, after]}."""

    class Meta:
        indexes = [
            models.Index(fields=["entity_id", "-id"], name="audit_latest"),
            models.Index(fields=["entity_id", "subject_id", "-id"], name="audit_subject"),
        ]

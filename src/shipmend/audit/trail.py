"""Writing and reading the audit trail."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from shipmend.audit.models import AuditEvent
from shipmend.db.clock import epoch_now
from shipmend.db.ids import new_id
from shipmend.db.sql import Statement
from shipmend.db.writes import insert_last


class Change(Protocol):
    """A field's value before and after (core.releases.FieldChange is one)."""

    @property
    def field(self) -> str: ...
    @property
    def before(self) -> object: ...
    @property
    def after(self) -> object: ...


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: shown in the audit trail."""

    label: str

    @classmethod
    def token(cls, hint: str) -> Actor:
        """A script, by the hint of its token."""
        return cls(f"token {hint}")

    @classmethod
    def user(cls, email: str) -> Actor:
        """A person."""
        return cls(f"user {email}")


COMMAND_LINE = Actor("command line")
WORKER = Actor("worker")

_INSERT = Statement(
    "INSERT INTO audit_auditevent (id, entity_id, at, actor, action, subject, subject_id, detail)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
)


def record(
    entity_id: UUID,
    actor: Actor,
    action: str,
    subject: str,
    *,
    subject_id: UUID | None = None,
    changes: Iterable[Change] = (),
) -> None:
    """Add one event, inside write(), to the transaction of the change it tells about."""
    detail = {change.field: [_plain(change.before), _plain(change.after)] for change in changes}
    text = json.dumps(detail, ensure_ascii=False) if detail else "{}"
    insert_last(_INSERT, new_id(), entity_id, epoch_now(), actor.label[:260], action, subject[:400], subject_id, text)


def latest(entity_id: UUID, *, subject_id: UUID | None = None, limit: int = 100) -> list[AuditEvent]:
    """The newest events of an entity, or of one thing in it."""
    events = AuditEvent.objects.filter(entity_id=entity_id)
    if subject_id is not None:
        events = events.filter(subject_id=subject_id)
    return list(events.order_by("-id")[:limit])


def _plain(value: object) -> object:
    """A value as JSON can hold it."""
    if value is None or isinstance(value, str | int | float | bool):
        return value
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return str(value)

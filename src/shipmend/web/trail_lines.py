"""The audit trail in words."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

from shipmend.audit.models import AuditEvent
from shipmend.core.moments import iso


@dataclass(frozen=True, slots=True)
class Change:
    """A field's value before and after, as text; empty for none."""

    field: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Line:
    """One event: when (epoch seconds), who, what, and the fields that changed."""

    at: int
    actor: str
    action: str
    changes: tuple[Change, ...]


def lines(events: Iterable[AuditEvent]) -> tuple[Line, ...]:
    """Events as they are shown."""
    return tuple(
        Line(event.at, event.actor, event.action.replace("_", " "), _changes(event.detail)) for event in events
    )


def _changes(detail: str) -> tuple[Change, ...]:
    return tuple(
        Change(field.replace("_", " "), _text(field, before), _text(field, after))
        for field, (before, after) in json.loads(detail).items()
    )


def _text(field: str, value: object) -> str:
    if value is None:
        return ""
    if field.endswith("_at") and isinstance(value, int):
        return iso(value)
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)

"""Forgetting what is kept for a time only: noted calls, answers kept for their keys, sessions, links, the trail."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from uuid import UUID

from django.conf import settings

from shipmend.accounts.idempotency import KEPT_SECONDS
from shipmend.catalog.queries import every_tenant
from shipmend.db.clock import epoch_now
from shipmend.db.ids import first_id_at
from shipmend.db.sql import Statement
from shipmend.db.writes import write

DAY = 24 * 3600
ROWS_AT_ONCE = 1000
"""Deleted in one transaction."""


_OLD_CALLS = Statement(
    "DELETE FROM accounts_apicall WHERE entity_id = ? AND id IN"
    " (SELECT id FROM accounts_apicall WHERE entity_id = ? AND id < ? LIMIT ?)"
)
_OLD_EVENTS = Statement(
    "DELETE FROM audit_auditevent WHERE entity_id = ? AND id IN"
    " (SELECT id FROM audit_auditevent WHERE entity_id = ? AND id < ? LIMIT ?)"
)
_OLD_KEYS = Statement(
    "DELETE FROM accounts_idempotencykey WHERE entity_id = ? AND id IN"
    " (SELECT id FROM accounts_idempotencykey WHERE entity_id = ? AND created_at < ? LIMIT ?)"
)
_OLD_SESSIONS = Statement("DELETE FROM django_session WHERE expire_date < ?")
_OLD_LINKS = Statement("DELETE FROM accounts_loginlink WHERE expires_at < ?")


def forget_old() -> None:
    """Delete what is older than the settings keep it. Doing it twice, or on two machines at once, does no harm."""
    now = epoch_now()
    config = settings.CONFIG
    for tenant in every_tenant():
        _delete(_OLD_KEYS, tenant.id, now - KEPT_SECONDS)
        if config.keep_calls_days:
            _delete(_OLD_CALLS, tenant.id, first_id_at(now - config.keep_calls_days * DAY))
        if config.keep_audit_days:
            _delete(_OLD_EVENTS, tenant.id, first_id_at(now - config.keep_audit_days * DAY))
    write(lambda: _OLD_LINKS.run(now))
    write(partial(_OLD_SESSIONS.run, datetime.fromtimestamp(now, UTC)))


def _delete(statement: Statement, entity_id: UUID, before: object) -> None:
    while write(partial(statement.run, entity_id, entity_id, before, ROWS_AT_ONCE)) == ROWS_AT_ONCE:
        pass

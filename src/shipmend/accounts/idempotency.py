"""Idempotency-Key: the same POST sent again gets the answer that the first one got."""

from __future__ import annotations

from dataclasses import dataclass

from shipmend.accounts.tokens import Caller
from shipmend.core.errors import KeyReused
from shipmend.db.ids import new_id
from shipmend.db.sql import Statement

KEPT_SECONDS = 7 * 24 * 3600

_FIND = Statement(
    "SELECT request, status, answer FROM accounts_idempotencykey WHERE entity_id = ? AND token_id = ? AND key = ?"
)
_KEEP = Statement(
    "INSERT INTO accounts_idempotencykey (id, entity_id, token_id, key, request, status, answer, created_at)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
)
_FORGET_OLD = Statement("DELETE FROM accounts_idempotencykey WHERE entity_id = ? AND created_at < ?")


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """What was answered the first time."""

    status: int
    answer: str


def kept_answer(caller: Caller, key: str, request: bytes) -> KeptAnswer | None:
    """The answer already given under this key; inside write(). Raises KeyReused when `request` is another one.

    `request` is the digest of the call's method, path and parameters.
    """
    row = _FIND.row(caller.tenant.id, caller.token_id, key)
    if row is None:
        return None
    if bytes(row[0]) != request:
        raise KeyReused(
            f'Idempotency-Key "{key}" was already used for another call: use a fresh key for each new call, '
            "and the same key only to send the same call again."
        )
    return KeptAnswer(row[1], row[2])


def keep_answer(caller: Caller, key: str, request: bytes, status: int, answer: str, *, now: int) -> None:
    """Keep an answer for a week, in the transaction of what it tells about."""
    _FORGET_OLD.run(caller.tenant.id, now - KEPT_SECONDS)
    _KEEP.run(new_id(), caller.tenant.id, caller.token_id, key, request, status, answer, now)

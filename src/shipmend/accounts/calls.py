"""The latest calls of each entity, for the API Dashboard, and when each token was last used.

Calls are noted in memory and stored together once a second, so that a read costs no write and a write no second
one. What a crash loses here is a line of a log, never data.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from dataclasses import dataclass
from uuid import UUID

from shipmend.accounts.models import ApiCall
from shipmend.accounts.tokens import Caller, note_use
from shipmend.catalog.queries import Tenant
from shipmend.core.errors import Unavailable
from shipmend.core.tokens import mask
from shipmend.db.ids import new_id
from shipmend.db.sql import Statement
from shipmend.db.writes import write

KEPT_PER_ENTITY = 1000
FLUSH_SECONDS = 1.0
WAITING_AT_MOST = 10_000

log = logging.getLogger(__name__)

_INSERT = Statement(
    "INSERT INTO accounts_apicall"
    " (id, entity_id, token_id, at, method, path, status, response_em, detail, milliseconds)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_OLDEST_KEPT = Statement("SELECT id FROM accounts_apicall WHERE entity_id = ? ORDER BY id DESC LIMIT 1 OFFSET ?")
_TRIM = Statement("DELETE FROM accounts_apicall WHERE entity_id = ? AND id < ?")


@dataclass(frozen=True, slots=True)
class Call:
    """One call and how it was answered."""

    caller: Caller
    at: int
    method: str
    path: str
    status: int
    response_em: str
    detail: str
    milliseconds: int


class CallLog:
    """Collects calls and stores them in bundles from a thread of its own."""

    def __init__(self) -> None:
        self._waiting: deque[Call] = deque(maxlen=WAITING_AT_MOST)
        self._start = threading.Lock()
        self._storing = threading.Lock()
        self._thread: threading.Thread | None = None

    def note(self, call: Call) -> None:
        """Remember a call; it is stored within a second or so."""
        self._waiting.append(call)
        if self._thread is None or not self._thread.is_alive():
            self._start_thread()

    def flush(self) -> None:
        """Store what is waiting now; every call noted before is stored when this returns.

        Never from a short call: it may wait for a bundle that another thread stores.
        """
        with self._storing:
            calls = [self._waiting.popleft() for _ in range(len(self._waiting))]
            if calls:
                write(lambda: _store(calls))

    def _start_thread(self) -> None:
        with self._start:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._loop, name="call-log", daemon=True)
                self._thread.start()

    def _loop(self) -> None:
        while True:
            time.sleep(FLUSH_SECONDS)
            try:
                self.flush()
            except Unavailable:
                log.warning("The latest API calls could not be noted: the database can't be written.")


calls = CallLog()


def latest(tenant: Tenant, *, limit: int = 100) -> list[ApiCall]:
    """The newest calls of an entity."""
    calls.flush()
    return list(ApiCall.objects.select_related("token").filter(entity_id=tenant.id).order_by("-id")[:limit])


def _store(calls: list[Call]) -> None:
    by_entity: dict[UUID, list[Call]] = {}
    for call in calls:
        by_entity.setdefault(call.caller.tenant.id, []).append(call)
    # In one order everywhere: of two processes that note the same tokens, each could else wait for the other.
    for entity_id, made in sorted(by_entity.items()):
        for _, last in sorted({call.caller.token_id: call for call in made}.items()):
            note_use(last.caller, at=last.at)
        _INSERT.run_many([_values(call) for call in made[-KEPT_PER_ENTITY:]])
        oldest = _OLDEST_KEPT.row(entity_id, KEPT_PER_ENTITY - 1)
        if oldest:
            _TRIM.run(entity_id, oldest[0])


def _values(call: Call) -> tuple[object, ...]:
    return (
        new_id(),
        call.caller.tenant.id,
        call.caller.token_id,
        call.at,
        call.method[:7],
        mask(call.path)[:200],
        call.status,
        call.response_em[:40],
        mask(call.detail)[:400],
        call.milliseconds,
    )

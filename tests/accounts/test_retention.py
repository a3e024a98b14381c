"""What is kept for a time only goes when it is over, and not a row before."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings
from hypothesis import given
from hypothesis import strategies as st

from shipmend.accounts import retention
from shipmend.accounts.idempotency import KEPT_SECONDS
from shipmend.accounts.models import ApiCall, ApiToken, IdempotencyKey, LoginLink
from shipmend.audit.models import AuditEvent
from shipmend.db.ids import first_id_at, new_id
from shipmend.db.writes import write
from tests.world import World

pytestmark = pytest.mark.database

DAY = 24 * 3600


@given(st.integers(0, 2**37), st.integers(-(2**37), 2**37))
def test_ids_stand_before_or_behind_the_first_of_a_second(at: int, other: int) -> None:
    """An id of that very second begins with its milliseconds, and ends with anything."""
    some_id = UUID(int=(at * 1000 + 999 << 80) + (0x7000_8000 << 32))
    assert (some_id < first_id_at(other)) is (at < other)


def test_ids_are_made_as_that_supposes() -> None:
    now = int(time.time())
    assert first_id_at(now - 1) < new_id() < first_id_at(now + 2)


def made_at(ago: int) -> UUID:
    """An id as it was made so many seconds ago."""
    return UUID(int=first_id_at(int(time.time()) - ago).int + (new_id().int & ((1 << 80) - 1)))


def keep(monkeypatch: pytest.MonkeyPatch, **days: Any) -> None:
    monkeypatch.setattr(settings, "CONFIG", replace(settings.CONFIG, **days))


def make(world: World, ago: int) -> None:
    """One of each thing that is kept for a time, that old."""
    entity, at = world.tenant.id, int(time.time()) - ago
    world.api()
    token = ApiToken.objects.filter(entity_id=entity).latest("id")
    call: dict[str, Any] = {
        "method": "GET",
        "path": "/",
        "status": 200,
        "response_em": "",
        "detail": "",
        "milliseconds": 1,
    }
    write(lambda: ApiCall.objects.create(id=made_at(ago), entity_id=entity, token=token, at=at, **call))
    write(lambda: AuditEvent.objects.create(id=made_at(ago), entity_id=entity, at=at, actor="test", action="old"))
    key = {"key": f"{ago}", "request": b"", "status": 200, "answer": "", "created_at": at}
    write(lambda: IdempotencyKey.objects.create(entity_id=entity, token=token, **key))


def left(world: World) -> tuple[int, int, int]:
    """How many calls, events and keys there still are."""
    entity = world.tenant.id
    return (
        ApiCall.objects.filter(entity_id=entity).count(),
        AuditEvent.objects.filter(entity_id=entity, action="old").count(),
        IdempotencyKey.objects.filter(entity_id=entity).count(),
    )


def test_what_is_over_its_time_goes_from_every_entity(
    world: World, stranger: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(monkeypatch, keep_calls_days=10, keep_audit_days=20)
    for each in (world, stranger):
        for days in (1, 9, 11, 19, 21):
            make(each, days * DAY)
    retention.forget_old()
    retention.forget_old()
    assert KEPT_SECONDS == 7 * DAY
    assert left(world) == left(stranger) == (2, 4, 1)


@pytest.mark.parametrize("days", [0, 100 * 365, 9_999_999])
def test_nought_keeps_for_ever_and_so_does_more_than_there_was(
    world: World, monkeypatch: pytest.MonkeyPatch, days: int
) -> None:
    keep(monkeypatch, keep_calls_days=days, keep_audit_days=days)
    make(world, 3650 * DAY)
    retention.forget_old()
    assert left(world) == (1, 1, 0)


def test_more_than_a_handful_goes_at_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    keep(monkeypatch, keep_audit_days=1)
    at = int(time.time()) - 3 * DAY
    event = {"entity_id": world.tenant.id, "at": at, "actor": "test", "action": "old"}
    rows = [AuditEvent(id=made_at(3 * DAY), **event) for _ in range(retention.ROWS_AT_ONCE + 500)]
    write(lambda: AuditEvent.objects.bulk_create(rows))
    retention.forget_old()
    assert left(world)[1] == 0


def test_links_that_no_longer_open_anything_go(world: World) -> None:
    now = int(time.time())
    links = [LoginLink(digest=new_id().bytes, expires_at=at) for at in (now - 5, now + 500)]
    made = write(lambda: LoginLink.objects.bulk_create(links))
    retention.forget_old()
    assert list(LoginLink.objects.filter(id__in=[link.id for link in made])) == [made[1]]
    write(made[1].delete)

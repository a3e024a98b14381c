"""The log of calls: what was noted is told, whoever is storing it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from shipmend.accounts import calls as module
from shipmend.accounts.calls import Call, calls
from shipmend.catalog.queries import Tenant
from tests.threads import at_once
from tests.world import World

pytestmark = pytest.mark.database


def shown(tenant: Tenant) -> list[str]:
    return at_once(lambda each: [call.path for call in module.latest(each)], [tenant], threads=1)[0]


def test_calls_that_are_just_being_stored_are_waited_for(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    store, taken, go_on = module._store, Event(), Event()

    def storing(bundle: list[Call]) -> None:
        taken.set()
        assert go_on.wait(30)
        store(bundle)

    monkeypatch.setattr(module, "_store", storing)
    world.api().get("api_tokens")
    with ThreadPoolExecutor(2) as pool:
        stored = pool.submit(at_once, lambda _: calls.flush(), [None])
        assert taken.wait(30)
        told = pool.submit(shown, world.tenant)
        with pytest.raises(TimeoutError):
            told.result(0.5)
        go_on.set()
        assert told.result(30) == ["/api/v1/api_tokens"]
        stored.result(30)

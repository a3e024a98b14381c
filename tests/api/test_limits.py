"""How often the API may be called: by token, by address, and without a good token."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings
from django.test import Client

from shipmend.core import tokens
from tests.world import Api, Reply, World

pytestmark = pytest.mark.database


def limit(monkeypatch: pytest.MonkeyPatch, **limits: Any) -> None:
    monkeypatch.setattr(settings, "CONFIG", replace(settings.CONFIG, **limits))


def somewhere(token: str, address: str = "") -> Api:
    """A script at an address that no other test calls from."""
    address = address or f"2001:db8::{uuid4().hex[:4]}:{uuid4().hex[:4]}"
    return Api(token, Client(raise_request_exception=False, REMOTE_ADDR=address))


def told_to_wait(reply: Reply) -> bool:
    """Whether it is a 429 as DESIGN's table has it, with a time to come back."""
    if reply.status != 429:
        return False
    assert reply.words == (429, "response_throttled")
    assert 1 <= int(reply.headers["Retry-After"]) <= 120
    assert f"in {reply.headers['Retry-After']} s" in reply.json["response_detail"]
    return True


def test_a_token_is_slowed_down_and_no_other(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    limit(monkeypatch, calls_per_token=3)
    one, other = world.api(), world.api()
    assert [one.get("api_tokens").status for _ in range(3)] == [200] * 3
    assert told_to_wait(one.get("api_tokens"))
    assert told_to_wait(one.post("releases", resource_path=world.path))
    assert other.get("api_tokens").status == 200


def test_an_address_is_slowed_down_whatever_its_tokens(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    limit(monkeypatch, calls_per_address=2)
    here, there = "198.51.100.7", "198.51.100.8"
    assert [somewhere(world.api().token, here).get("api_tokens").status for _ in range(2)] == [200] * 2
    assert told_to_wait(somewhere(world.api().token, here).get("api_tokens"))
    assert told_to_wait(somewhere("none", here).get("api_tokens"))
    assert somewhere(world.api().token, there).get("api_tokens").status == 200


@pytest.mark.parametrize("token", ["", "nonsense", tokens.mint()], ids=["none", "nonsense", "unknown"])
def test_probing_is_slowed_down_after_fifty_failures_and_shuts_no_good_token_out(
    world: World, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit(monkeypatch, token_failures=50)
    probe = somewhere(token)
    assert [probe.get("api_tokens").status for _ in range(50)] == [401] * 50
    assert told_to_wait(probe.get("api_tokens"))
    good = Api(world.api().token, probe.client)
    assert good.get("api_tokens").status == 200
    assert somewhere(token).get("api_tokens").status == 401


def test_nothing_is_counted_where_nothing_is_limited(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    limit(monkeypatch, calls_per_token=0, calls_per_address=0, token_failures=0)
    api, nobody = world.api(), somewhere("")
    assert {api.get("api_tokens").status for _ in range(100)} == {200}
    assert {nobody.get("api_tokens").status for _ in range(100)} == {401}

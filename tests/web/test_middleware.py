"""What stands around every page, and stays away from the API."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterator

import pytest
from django.db import OperationalError, connection
from django.db.backends.utils import CursorWrapper
from django.test import Client
from django.test.utils import CaptureQueriesContext

from shipmend.core.tokens import mint
from shipmend.core.values import Role
from shipmend.db.sql import Statement
from tests.web.cast import Person, words_of
from tests.world import World

pytestmark = pytest.mark.database


def test_the_policy_lets_nothing_inline_and_nothing_from_elsewhere(instance: object) -> None:
    policy = Client().get("/sign-in")["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "http" not in policy
    assert policy.startswith("default-src 'none'")


def test_no_page_has_a_script_or_a_style_in_its_text(world: World) -> None:
    world.repo()
    owner, slug = Person.of(world, Role.OWNER), world.tenant.slug
    for page in (
        f"/entities/{slug}",
        f"/entities/{slug}/acme/shop",
        f"/settings/{slug}/api",
        f"/settings/{slug}/members",
    ):
        markup = owner.get(page).html
        assert "<style" not in markup
        assert " style=" not in markup
        assert " onclick=" not in markup
        assert markup.count("<script") == markup.count("<script defer src=")


def test_a_call_to_the_api_touches_no_session_even_with_a_cookie(world: World) -> None:
    owner, api = Person.of(world, Role.OWNER), world.api()
    api.get("api_tokens")
    headers = {"Authorization": f"Bearer {api.token}"}
    with CaptureQueriesContext(connection) as queries:
        response = owner.client.get("/api/v1/api_tokens", headers=headers)
    assert response.status_code == 200
    assert not [query for query in queries if "django_session" in query["sql"]]
    assert not response.cookies
    assert "Content-Security-Policy" not in response


def test_a_call_to_the_api_needs_no_csrf_token_and_a_session_is_no_token(world: World) -> None:
    owner = Person.of(world, Role.OWNER)
    client = Client(enforce_csrf_checks=True)
    client.cookies = owner.client.cookies
    form = {"defect_key": "D", "resource_path": str(world.path), "detected_now": "true"}
    assert client.post("/api/v1/critical_defects", form).status_code == 401
    headers = {"Authorization": f"Bearer {world.api().token}"}
    assert client.post("/api/v1/critical_defects", form, headers=headers).status_code == 200


def test_cookies_can_not_be_read_by_scripts_nor_sent_from_other_sites(world: World) -> None:
    user = world.user()
    response = Client().post("/sign-in", {"email": user.email, "password": "correct horse"})
    session = response.cookies["sessionid"]
    assert session["httponly"]
    assert session["samesite"] == "Lax"
    assert Client().get("/sign-in").cookies["csrftoken"]["httponly"]


def test_an_error_page_tells_nothing_of_the_inside(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    from shipmend.web.views import overview

    def broken(*_: object) -> None:
        raise RuntimeError("a secret of the inside")

    monkeypatch.setattr(overview, "read_overview", broken)
    owner = Person.of(world, Role.OWNER)
    owner.client.raise_request_exception = False
    seen = owner.get(f"/entities/{world.tenant.slug}")
    assert seen.status == 500
    assert "This went wrong" in seen.text
    assert "secret" not in seen.html
    assert "Traceback" not in seen.html


def test_a_database_that_can_not_be_written_is_told_with_when_to_try_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    from shipmend.core.errors import Unavailable
    from shipmend.web.views import settings

    def unavailable(**_: object) -> None:
        raise Unavailable("Nothing was stored.", retry_after=7)

    monkeypatch.setattr(settings, "change_entity", unavailable)
    seen = Person.of(world, Role.OWNER).post(f"/settings/{world.tenant.slug}", name="X", time_zone="UTC")
    assert (seen.status, seen.headers["Retry-After"]) == (503, "7")
    assert "Nothing was stored." in seen.text


@pytest.fixture
def away(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    """A reader who has signed in, and of whose database nothing more can be had."""
    client = Person.of(world, Role.OWNER).client
    client.raise_request_exception = False

    def fail(*_: object, **__: object) -> None:
        raise OperationalError("server closed the connection\n\tBefore or while processing") from sqlite3.Error("gone")

    with monkeypatch.context() as patched:
        patched.setattr(Statement, "_execute", fail)
        patched.setattr(CursorWrapper, "execute", fail)
        yield client


@pytest.mark.parametrize("path", ["/sign-in", "/entities/{}", "/api_reference", "/nowhere", "/account"])
def test_a_page_of_a_database_that_is_away_says_when_to_come_back(
    world: World, away: Client, caplog: pytest.LogCaptureFixture, path: str
) -> None:
    response = away.get(path.format(world.tenant.slug))
    assert (response.status_code, response.headers["Retry-After"]) == (503, "5")
    assert "The database does not answer right now" in words_of(response.content.decode())
    assert response.headers["Content-Security-Policy"]
    told = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert len(told) == 1
    assert "\n" not in told[0].getMessage()
    assert not told[0].exc_info


def test_a_form_sent_to_a_database_that_is_away_is_told_the_same(world: World, away: Client) -> None:
    for path in ("/sign-in", "/sign-out", f"/settings/{world.tenant.slug}"):
        response = away.post(path, {"email": "ada@example.org", "password": "x", "name": "X", "time_zone": "UTC"})
        assert (response.status_code, response.headers["Retry-After"]) == (503, "5")


def test_a_call_that_reads_is_not_told_of_what_was_stored(world: World, away: Client) -> None:
    headers = {"Authorization": f"Bearer {mint()}"}
    read = away.get("/api/v1/releases", {"resource_path": str(world.path)}, headers=headers)
    wrote = away.post("/api/v1/releases", {"resource_path": str(world.path)}, headers=headers)
    assert read.status_code == wrote.status_code == 503
    assert "The database does not answer right now" in read.json()["response_detail"]
    assert "Nothing was stored" not in read.json()["response_detail"]
    assert "Nothing was stored" in wrote.json()["response_detail"]

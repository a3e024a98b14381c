"""Who may call: every way a token can be sent, and every reason for which one no longer works."""

from __future__ import annotations

import base64
import time

import pytest

from shipmend.accounts import tokens
from shipmend.accounts.calls import calls
from shipmend.accounts.models import ApiToken
from shipmend.audit.trail import COMMAND_LINE
from shipmend.core.errors import Invalid
from shipmend.core.tokens import mint
from tests.snapshot import stored_rows
from tests.world import Api, Reply, World

HOUR = 3600

pytestmark = pytest.mark.database


def row_of(world: World) -> ApiToken:
    return ApiToken.objects.get(entity_id=world.tenant.id)


def status(api: Api, authorization: str) -> int:
    return api.client.get("/api/v1/api_tokens", headers={"Authorization": authorization}).status_code


def test_a_token_comes_as_bearer_or_in_basic(world: World) -> None:
    api = world.api()
    for authorization in (f"Bearer {api.token}", f"bearer  {api.token}"):
        assert status(api, authorization) == 200, authorization
    for pair in (f"{api.token}:", f"{api.token}:api", f":{api.token}", f"me:{api.token}", api.token):
        coded = base64.b64encode(pair.encode()).decode()
        assert status(api, f"Basic {coded}") == 200, pair


def test_every_token_that_can_not_be_used_gets_one_and_the_same_answer(world: World) -> None:
    live, expired, revoked = world.api(), world.api(), world.api()
    rows = list(ApiToken.objects.filter(entity_id=world.tenant.id).order_by("id"))
    ApiToken.objects.filter(id=rows[1].id).update(expires_at=int(time.time()) - 1)
    tokens.revoke(tenant=world.tenant, token_id=rows[2].id, actor=COMMAND_LINE)
    wrong_checksum = live.token[:-1] + ("0" if live.token[-1] != "0" else "1")
    bad = ["", "nonsense", mint(), wrong_checksum, expired.token, revoked.token, live.token + "x", "é", "a" * 10_000]
    answers = {(reply.status, str(reply.json), reply.headers["WWW-Authenticate"]) for reply in map(_check, bad)}
    assert len(answers) == 1
    assert {answer[0] for answer in answers} == {401}
    assert _check(live.token).status == 200


def _check(token: str) -> Reply:
    return Api(token).get("api_tokens")


def test_no_token_no_basic_and_broken_basic_are_refused(world: World) -> None:
    api = world.api()
    for authorization in ("", "Basic", "Basic !!!", "Basic /w==", f"Token {api.token}", api.token, "Bearer"):
        assert status(api, authorization) == 401, authorization


def test_a_rotated_token_works_beside_its_successor_for_a_day(world: World) -> None:
    old = world.api()
    fresh = tokens.rotate(tenant=world.tenant, token_id=row_of(world).id, actor=COMMAND_LINE)
    assert old.get("api_tokens").status == Api(fresh.text).get("api_tokens").status == 200
    row = ApiToken.objects.get(entity_id=world.tenant.id, replaced_by__isnull=False)
    assert row.expires_at is not None
    assert 0 < row.expires_at - time.time() <= tokens.ROTATION_OVERLAP
    ApiToken.objects.filter(id=row.id).update(expires_at=int(time.time()))
    assert old.get("api_tokens").status == 401
    assert Api(fresh.text).get("api_tokens").status == 200


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"revoked_at": 1}, "has been revoked"),
        ({"expires_at": 1}, "has expired"),
        ({}, "has been rotated already"),
    ],
)
def test_only_a_token_that_works_is_rotated_and_only_once(change: dict[str, int], says: str, world: World) -> None:
    world.api()
    token_id = row_of(world).id
    if change:
        ApiToken.objects.filter(id=token_id).update(**change)
    else:
        tokens.rotate(tenant=world.tenant, token_id=token_id, actor=COMMAND_LINE)
    before = ApiToken.objects.filter(entity_id=world.tenant.id).count()
    with pytest.raises(Invalid, match=says):
        tokens.rotate(tenant=world.tenant, token_id=token_id, actor=COMMAND_LINE)
    assert ApiToken.objects.filter(entity_id=world.tenant.id).count() == before


def test_the_last_use_is_noted(world: World) -> None:
    api = world.api()
    assert row_of(world).last_used_at is None
    api.get("api_tokens")
    calls.flush()
    noted = row_of(world).last_used_at
    assert noted is not None
    assert abs(noted - time.time()) < 60


def test_the_last_use_is_noted_once_an_hour(world: World) -> None:
    api = world.api()
    for before in (HOUR // 2, HOUR):
        at = int(time.time()) - before
        ApiToken.objects.filter(id=row_of(world).id).update(last_used_at=at)
        api.get("api_tokens")
        calls.flush()
        assert (row_of(world).last_used_at == at) is (before < HOUR)


def test_the_token_itself_is_nowhere_in_the_database(world: World) -> None:
    api = world.api()
    api.get("api_tokens")
    api.get("releases", resource_path=api.token)
    api.get(f"critical_defects/{api.token}")
    calls.flush()
    kept = repr(stored_rows(world.tenant.id, without=frozenset()))
    assert api.token not in kept
    assert api.token[13:43] not in kept


def test_a_token_bound_to_a_repo_reaches_nothing_else(world: World) -> None:
    one, two = world.repo("one").path, world.repo("two").path
    bound = world.api(at=one)
    absent = bound.get("releases", resource_path=world.repo_path("three"))
    for path in (two, world.path, f"{world.path}/acme"):
        reply = bound.get("releases", resource_path=path)
        assert reply.status == 404
        assert reply.json["response_detail"] == absent.json["response_detail"].replace(
            str(world.repo_path("three")), str(path)
        )
    assert bound.get("releases", resource_path=one).status == 200


def test_another_entity_s_things_are_not_there(world: World, stranger: World) -> None:
    sha = "541a8b28d08405aa961f9de1d7c8fcd5c3da3218"
    path = stranger.repo().path
    theirs = stranger.api().post("releases", resource_path=path, release_sha=sha, released_at="2021-01-01")
    release_id = theirs.json["release"]["id"]
    api = world.api()
    assert api.get(f"releases/{release_id}").status == 404
    assert api.delete(f"releases/{release_id}").status == 404
    assert stranger.api().get(f"releases/{release_id}").status == 200

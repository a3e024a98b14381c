"""Settings → API Dashboard: making, rotating and revoking tokens, and the calls made with them."""

from __future__ import annotations

import re
import time

import pytest

from shipmend.accounts import calls
from shipmend.accounts.models import ApiToken
from shipmend.core.values import Role, Scope
from tests.snapshot import stored_rows
from tests.web.cast import Person, Seen
from tests.world import Api, World

pytestmark = pytest.mark.database

TOKEN = re.compile(r'id="token">(shipmend_api_\w+)<')
ALL = [scope.value for scope in Scope]


@pytest.fixture
def member(world: World) -> Person:
    return Person.of(world, Role.MEMBER)


@pytest.fixture
def page(world: World) -> str:
    return f"/settings/{world.tenant.slug}/api"


def make(person: Person, page: str, at: str, **more: object) -> Seen:
    return person.post(f"{page}/tokens", **{"name": "CI", "resource_path": at, "scope": ALL, "days": "30", **more})


def text_of(seen: Seen) -> str:
    found = TOKEN.search(seen.html)
    assert found, seen.text
    return found.group(1)


def works(token: str) -> int:
    return Api(token).get("api_tokens").status


def test_a_token_is_shown_once_works_and_is_kept_by_nobody(world: World, member: Person, page: str) -> None:
    made = make(member, page, str(world.path))
    token = text_of(made)
    assert made.status == 200
    assert made.headers["Cache-Control"] == "no-store"
    assert f"curl http://testserver/api/v1/api_tokens \\ -H &quot;Authorization: Bearer {token}" in re.sub(
        r"\s+", " ", made.html
    )
    assert works(token) == 200
    assert token not in member.get(page).html
    assert token not in repr(stored_rows(world.tenant.id))


def test_a_token_made_on_the_page_is_bound_scoped_and_expires_as_chosen(
    world: World, member: Person, page: str
) -> None:
    world.repo()
    path = world.repo_path("shop")
    make(member, page, str(path), scope=["releases:write", "read"], days="90")
    row = ApiToken.objects.select_related("repo").get(entity_id=world.tenant.id)
    assert row.repo
    assert (row.repo.slug, row.organization_id, row.scopes) == ("shop", None, "read releases:write")
    assert row.expires_at
    assert abs(row.expires_at - (time.time() + 90 * 86400)) < 60
    assert row.created_by == member.user
    never = make(member, page, str(world.path), days="0")
    assert works(text_of(never)) == 200
    assert ApiToken.objects.filter(entity_id=world.tenant.id, expires_at=None).count() == 1


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"name": " "}, "This field is required"),
        ({"name": "x" * 201}, "at most 200 characters"),
        ({"resource_path": "elsewhere"}, "This names nothing here"),
        ({"resource_path": "{e}/acme/none"}, "This names nothing here"),
        ({"resource_path": "{e}/a b"}, "This names nothing here"),
        ({"scope": []}, "Is missing: choose at least one of"),
        ({"scope": ["root"]}, "root is not one of the available choices"),
        ({"days": "7"}, "7 is not one of the available choices"),
        ({"days": ""}, "This field is required"),
    ],
)
def test_a_wrong_field_is_told_at_the_field_and_makes_no_token(
    world: World, member: Person, page: str, wrong: dict[str, object], said: str
) -> None:
    filled = {key: v.format(e=world.tenant.slug) if isinstance(v, str) else v for key, v in wrong.items()}
    before = stored_rows(world.tenant.id)
    seen = make(member, page, str(world.path), **filled)
    assert seen.status == 400
    assert re.search(rf'id="id_{next(iter(wrong))}_error">[^<]*{said}', seen.html), seen.html
    assert stored_rows(world.tenant.id) == before


def test_another_entitys_path_can_not_be_bound(stranger: World, world: World, member: Person, page: str) -> None:
    assert make(member, page, str(stranger.path)).status == 400
    assert not ApiToken.objects.filter(entity_id__in=[world.tenant.id, stranger.tenant.id]).exists()


def test_a_rotated_token_works_beside_its_successor_and_a_revoked_one_not_at_all(
    world: World, member: Person, page: str
) -> None:
    old = text_of(make(member, page, str(world.path)))
    row = ApiToken.objects.get(entity_id=world.tenant.id)
    new = text_of(member.post(f"{page}/tokens/{row.id}/rotate"))
    assert (works(old), works(new)) == (200, 200)
    assert "replaced" in member.get(page).text
    row.refresh_from_db()
    assert row.expires_at
    assert row.expires_at <= time.time() + 86400
    successor = ApiToken.objects.exclude(id=row.id).get(entity_id=world.tenant.id)
    assert member.post(f"{page}/tokens/{successor.id}/revoke").to == page
    assert (works(old), works(new)) == (200, 401)
    assert "revoked" in member.get(page).text


def test_the_latest_calls_tell_status_and_the_reason_of_a_refusal_but_no_secret(
    world: World, member: Person, page: str
) -> None:
    api = world.api()
    api.get("api_tokens")
    api.post("releases", resource_path=f"{world.path}/acme/none", released_at="03/04/2021")
    calls.calls.flush()
    seen = member.get(page)
    assert "GET /api/v1/api_tokens test 200 success" in seen.text
    assert re.search(r"POST /api/v1/releases test 40[04] (invalid_params|not_found)", seen.text)
    assert api.token not in seen.html


def test_calls_and_tokens_of_another_entity_are_not_shown(world: World, stranger: World, page: str) -> None:
    theirs = stranger.api()
    theirs.get("api_tokens")
    calls.calls.flush()
    seen = Person.of(world, Role.OWNER).get(page)
    assert "No call has been made" in seen.text
    assert "No token yet." in seen.text


def test_a_viewer_looks_but_has_no_form(world: World, page: str) -> None:
    seen = Person.of(world, Role.VIEWER).get(page)
    assert seen.status == 200
    assert "Make a token" not in seen.text

"""Who may open what: every address of the pages, tried by every kind of reader."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.test import Client

from shipmend.accounts import tokens
from shipmend.accounts.models import Membership
from shipmend.audit.trail import COMMAND_LINE
from shipmend.catalog.queries import find_place
from shipmend.core.values import Role
from shipmend.web.urls import urlpatterns
from tests.snapshot import stored_rows
from tests.web.cast import Person
from tests.world import World

pytestmark = pytest.mark.database

VIEWER, MEMBER, OWNER = Role.VIEWER, Role.MEMBER, Role.OWNER

PAGES = {
    "place": ("/entities/{e}", VIEWER),
    "organization": ("/entities/{e}/acme", VIEWER),
    "repo": ("/entities/{e}/acme/shop", VIEWER),
    "releases": ("/entities/{e}/-/releases", VIEWER),
    "organization-releases": ("/entities/{e}/acme/-/releases", VIEWER),
    "repo-releases": ("/entities/{e}/acme/shop/releases", VIEWER),
    "defects": ("/entities/{e}/-/defects", VIEWER),
    "organization-defects": ("/entities/{e}/acme/-/defects", VIEWER),
    "repo-defects": ("/entities/{e}/acme/shop/defects", VIEWER),
    "metric": ("/entities/{e}/-/metrics/change_fail_rate", VIEWER),
    "organization-metric": ("/entities/{e}/acme/-/metrics/change_fail_rate", VIEWER),
    "repo-metric": ("/entities/{e}/acme/shop/metrics/change_fail_rate", VIEWER),
    "index-state": ("/entities/{e}/acme/shop/index", VIEWER),
    "release": ("/entities/{e}/acme/shop/releases/{release}", VIEWER),
    "compare": ("/entities/{e}/acme/shop/compare", VIEWER),
    "repo-waiting": ("/entities/{e}/acme/shop/waiting", VIEWER),
    "organization-waiting": ("/entities/{e}/acme/-/waiting", VIEWER),
    "waiting": ("/entities/{e}/-/waiting", VIEWER),
    "ticket": ("/entities/{e}/-/tickets/SHOP-1", VIEWER),
    "defect": ("/entities/{e}/-/defects/BANANA-1", VIEWER),
    "change-defect": ("/entities/{e}/-/change-defect/BANANA-1", MEMBER),
    "settings-general": ("/settings/{e}", OWNER),
    "settings-members": ("/settings/{e}/members", OWNER),
    "settings-repos": ("/settings/{e}/repos", MEMBER),
    "settings-repo": ("/settings/{e}/repos/acme/shop", MEMBER),
    "settings-remove-repo": ("/settings/{e}/repos/acme/shop/remove", OWNER),
    "settings-releases": ("/settings/{e}/releases", VIEWER),
    "settings-set-rule": ("/settings/{e}/releases/set", MEMBER),
    "settings-tickets": ("/settings/{e}/tickets", VIEWER),
    "settings-set-tickets": ("/settings/{e}/tickets/set", OWNER),
    "settings-metrics": ("/settings/{e}/metrics", OWNER),
    "settings-api": ("/settings/{e}/api", VIEWER),
    "settings-make-token": ("/settings/{e}/api/tokens", MEMBER),
}
"""What a GET asks for, and the least role that it takes."""

ACTS = {
    "settings-role": ("/settings/{e}/members/role", OWNER),
    "settings-invite": ("/settings/{e}/members/{nobody}/invite", OWNER),
    "settings-remove-member": ("/settings/{e}/members/{nobody}/remove", OWNER),
    "settings-add-part": ("/settings/{e}/parts", MEMBER),
    "settings-index": ("/settings/{e}/repos/acme/shop/index", MEMBER),
    "settings-delete-rule": ("/settings/{e}/releases/{nobody}/delete", MEMBER),
    "settings-rotate-token": ("/settings/{e}/api/tokens/{nobody}/rotate", MEMBER),
    "settings-revoke-token": ("/settings/{e}/api/tokens/{nobody}/revoke", MEMBER),
}
"""What only a POST does."""

FOR_ALL = {"home", "sign-in", "sign-out", "login-link", "setup-where", "setup", "account", "live", "badge"}


@pytest.fixture
def names(world: World) -> dict[str, str]:
    """What stands in the addresses: a world with one of everything."""
    world.repo()
    api = world.api()
    api.post("critical_defects", defect_key="BANANA-1", resource_path=str(world.path), detected_now="true")
    sha = "a" * 40
    call = {"resource_path": str(world.repo_path("shop")), "release_sha": sha, "release_now": "true"}
    made = api.post("releases", call, issue_keys_resolved="SHOP-1")
    return {"e": world.tenant.slug, "release": made.json["release"]["id"], "nobody": str(uuid4())}


def test_the_tables_above_name_every_address() -> None:
    named = {pattern.name for pattern in urlpatterns}
    assert named == set(PAGES) | set(ACTS) | FOR_ALL


@pytest.mark.parametrize("role", list(Role))
def test_a_page_opens_for_its_role_and_the_ones_above(world: World, names: dict[str, str], role: Role) -> None:
    person = Person.of(world, role)
    for path, needed in PAGES.values():
        seen = person.get(path.format(**names))
        opened = (302,) if path.endswith(("/tokens", "/set")) or "/change-" in path else (200,)
        assert seen.status in (opened if role.includes(needed) else (403,)), path
        assert seen.status != 403 or f"this takes a {needed}" in seen.text, path


@pytest.mark.parametrize("role", [VIEWER, MEMBER])
def test_a_form_of_a_higher_role_is_refused_and_changes_nothing(
    world: World, names: dict[str, str], role: Role
) -> None:
    person = Person.of(world, role)
    before = stored_rows(world.tenant.id)
    for path, needed in {**PAGES, **ACTS}.values():
        if not role.includes(needed):
            assert person.post(path.format(**names)).status == 403, path
    assert stored_rows(world.tenant.id) == before


def test_a_stranger_sees_nothing_and_can_not_tell_it_from_what_is_not_there(
    world: World, stranger: World, names: dict[str, str]
) -> None:
    outsider = Person.of(stranger, OWNER)
    before = stored_rows(world.tenant.id)
    for path, _ in {**PAGES, **ACTS}.values():
        there, nowhere = (path.format(**{**names, "e": slug}) for slug in (names["e"], "no-such-entity"))
        for send in (outsider.get, outsider.post):
            seen, missing = send(there), send(nowhere)
            assert seen.status == missing.status, path
            assert seen.status in (404, 405), path  # 405: told of the method before anything is looked up
            assert seen.text.replace(names["e"], "X") == missing.text.replace("no-such-entity", "X"), path
    assert stored_rows(world.tenant.id) == before


def test_whoever_is_not_signed_in_is_led_to_sign_in_and_back(names: dict[str, str]) -> None:
    for path, _ in PAGES.values():
        address = path.format(**names)
        seen = Person().get(address)
        assert (seen.status, seen.to) == (302, f"/sign-in?next={address.replace('/', '%2F')}")
    for path, _ in ACTS.values():
        assert Person().post(path.format(**names)).to == "/sign-in?next=%2F"


def test_a_part_of_a_page_asked_for_after_the_session_ended_reloads_the_page(names: dict[str, str]) -> None:
    response = Client().get(PAGES["index-state"][0].format(**names), headers={"HX-Request": "true"})
    assert (response.status_code, response["HX-Refresh"]) == (204, "true")


def test_what_changes_something_is_not_done_by_looking_at_it(world: World, names: dict[str, str]) -> None:
    owner = Person.of(world, OWNER)
    for path, _ in ACTS.values():
        seen = owner.get(path.format(**names))
        assert (seen.status, seen.headers["Allow"]) == (405, "POST"), path


def test_a_member_rotates_and_revokes_their_own_tokens_only(world: World) -> None:
    member, owner = Person.of(world, MEMBER), Person.of(world, OWNER)
    place = find_place(world.tenant, world.path)
    issued = [
        tokens.issue(place=place, name="mine", actor=COMMAND_LINE, created_by=member.user),
        tokens.issue(place=place, name="theirs", actor=COMMAND_LINE, created_by=owner.user),
    ]
    mine, theirs = (f"/settings/{world.tenant.slug}/api/tokens/{token.row.id}" for token in issued)
    assert member.post(f"{theirs}/revoke").status == 403
    assert member.post(f"{theirs}/rotate").status == 403
    assert member.post(f"{mine}/revoke").status == 302
    assert owner.post(f"{theirs}/revoke").status == 302


def test_a_membership_that_ended_opens_nothing_any_more(world: World) -> None:
    person = Person.of(world, VIEWER)
    assert person.get(f"/entities/{world.tenant.slug}").status == 200
    Membership.objects.filter(user=person.user).delete()
    assert person.get(f"/entities/{world.tenant.slug}").status == 404


@pytest.mark.parametrize("text", ["%00", "x%00y", "%0a", "..", "%c3", "%ff%fe", "'", "x" * 300, "-"])
def test_an_address_that_can_name_nothing_is_not_found(world: World, text: str) -> None:
    person, slug = Person.of(world, OWNER), world.tenant.slug
    for path in (f"/entities/{text}", f"/entities/{slug}/{text}", f"/entities/{slug}/acme/{text}", f"/settings/{text}"):
        assert person.get(path).status == 404, path
    assert person.get(f"/entities/{slug}/-/defects/{text}").status == 404

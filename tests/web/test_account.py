"""Signing in, by password and by link, and the password itself."""

from __future__ import annotations

import time
from uuid import uuid4

import pytest
from django.test import Client

from shipmend.accounts import people
from shipmend.accounts.models import LoginLink, User
from shipmend.audit.trail import COMMAND_LINE
from shipmend.core.values import Role
from tests.web.cast import Person
from tests.world import World

pytestmark = pytest.mark.database

PASSWORD = "correct horse"
WRONG = "This mail address and this password don't belong together."


@pytest.fixture
def user(world: World) -> User:
    return world.user(Role.OWNER)


def sign_in(person: Person, email: str, password: str = PASSWORD, **more: str) -> tuple[int, str]:
    seen = person.post("/sign-in", email=email, password=password, **more)
    return seen.status, seen.to


def is_signed_in(person: Person) -> bool:
    return person.get("/account").status == 200


def test_a_password_signs_in_and_signing_out_ends_it(user: User) -> None:
    person = Person()
    assert sign_in(person, user.email.upper()) == (302, "/")
    assert is_signed_in(person)
    assert person.post("/sign-out").to == "/sign-in"
    assert not is_signed_in(person)


@pytest.mark.parametrize("known", [True, False])
def test_a_wrong_password_and_an_unknown_address_get_the_same_answer(user: User, known: bool) -> None:
    seen = Person().post("/sign-in", email=user.email if known else "nobody@example.org", password="not it at all")
    assert seen.status == 400
    assert WRONG in seen.text


@pytest.mark.parametrize(
    ("wanted", "got"),
    [
        ("/entities/x?state=open", "/entities/x?state=open"),
        ("https://evil.example/", "/"),
        ("//evil.example/", "/"),
        ("/\\evil.example", "/"),
        ("javascript:alert(1)", "/"),
        ("entities", "/"),
        ("", "/"),
    ],
)
def test_signing_in_leads_on_to_a_page_of_this_instance_only(user: User, wanted: str, got: str) -> None:
    assert sign_in(Person(), user.email, next=wanted) == (302, got)


def test_guessing_is_slowed_down_for_that_address_from_there(user: User) -> None:
    for _ in range(10):
        assert sign_in(Person(), user.email, "a wrong guess")[0] == 400
    refused = Person().post("/sign-in", email=user.email, password=PASSWORD)
    assert refused.status == 429
    assert 0 < int(refused.headers["Retry-After"]) <= 15 * 60
    elsewhere = Client(REMOTE_ADDR="192.0.2.7")
    assert elsewhere.post("/sign-in", {"email": user.email, "password": PASSWORD}).status_code == 302


def test_a_right_password_forgets_the_wrong_ones(user: User) -> None:
    for _ in range(9):
        sign_in(Person(), user.email, "a wrong guess")
    assert sign_in(Person(), user.email)[0] == 302
    for _ in range(9):
        assert sign_in(Person(), user.email, "a wrong guess")[0] == 400


def test_the_entity_is_the_first_page_where_there_is_one_and_a_list_where_there_are_more(
    world: World, stranger: World
) -> None:
    person = Person.of(world, Role.VIEWER)
    assert person.user
    assert person.get("/").to == f"/entities/{world.tenant.slug}"
    people.set_role(tenant=stranger.tenant, email=person.user.email, role=Role.VIEWER, actor=COMMAND_LINE)
    both = person.get("/")
    assert both.status == 200
    assert world.tenant.slug in both.text
    assert stranger.tenant.slug in both.text


def test_whoever_belongs_to_no_entity_is_told_what_to_do(instance: object) -> None:
    loner = people.create_user(email=f"{uuid4().hex}@example.org", password=PASSWORD)
    person = Person(loner)
    person.client.force_login(loner)
    assert f"ask an owner of one to add {loner.email}" in person.get("/").text


# Login links


def test_looking_at_a_login_link_uses_nothing_up_and_its_button_signs_in_once(user: User) -> None:
    link = f"/login/{people.make_login_link(user)}"
    for _ in range(3):
        preview = Person().get(link)
        assert preview.status == 200
        assert user.email in preview.text
        assert preview.headers["Cache-Control"] == "no-store"
    person = Person()
    assert person.post(link).to == "/"
    assert is_signed_in(person)
    late = Person()
    assert late.post(link).status == 404
    assert late.get(link).status == 404
    assert not is_signed_in(late)


def test_a_login_link_older_than_a_day_is_refused(user: User) -> None:
    link = f"/login/{people.make_login_link(user)}"
    LoginLink.objects.filter(user=user).update(expires_at=int(time.time()))
    assert Person().post(link).status == 404


def test_someone_without_a_password_is_asked_to_choose_one(world: World) -> None:
    newcomer = people.create_user(email=f"{uuid4().hex}@example.org", password=None)
    person = Person(newcomer)
    seen = person.post(f"/login/{people.make_login_link(newcomer)}")
    assert seen.to == "/account"
    page = person.get("/account")
    assert "Choose a password" in page.text
    assert "Present password" not in page.text
    assert person.post("/account", password="a long enough one").status == 302
    assert is_signed_in(person)
    assert sign_in(Person(), newcomer.email, "a long enough one")[0] == 302


# The password


def test_changing_the_password_takes_the_present_one_and_ends_other_sessions(user: User) -> None:
    here, elsewhere = Person(user), Person(user)
    sign_in(here, user.email)
    sign_in(elsewhere, user.email)
    wrong = here.post("/account", present="not it", password="another good one")
    assert wrong.status == 400
    assert "This is not your present password." in wrong.text
    assert here.post("/account", present=PASSWORD, password="another good one").to == "/account"
    assert is_signed_in(here)
    assert not is_signed_in(elsewhere)
    assert sign_in(Person(), user.email)[0] == 400
    assert sign_in(Person(), user.email, "another good one")[0] == 302


@pytest.mark.parametrize("weak", ["short", "password123"])
def test_a_weak_password_is_refused_at_its_field_and_the_old_one_stays(user: User, weak: str) -> None:
    person = Person(user)
    sign_in(person, user.email)
    seen = person.post("/account", present=PASSWORD, password=weak)
    assert seen.status == 400
    assert "Is too weak" in seen.text
    assert sign_in(Person(), user.email)[0] == 302


def test_the_set_up_page_tells_where_its_link_is_and_opens_to_nobody_once_there_is_a_user(user: User) -> None:
    assert "This instance has users" in Person().get("/setup").text
    assert Person().get(f"/setup/{people.make_login_link(None)}").status == 404
    assert Person().get("/setup/nonsense").status == 404

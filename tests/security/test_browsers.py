"""What keeps a reader's browser from being used against them: forms, sessions and headers, on every page there is."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.http import HttpResponse
from django.test import Client, override_settings

from shipmend.accounts import people
from shipmend.accounts.models import User
from shipmend.audit.trail import COMMAND_LINE
from shipmend.core.values import Role
from shipmend.web import throttle
from shipmend.web.middleware import HEADERS
from shipmend.web.views import account
from tests.gitworld import GitRepo
from tests.security.addresses import INSIDE, ROUTES, address, named_things
from tests.security.things import Household
from tests.snapshot import stored_rows
from tests.web.cast import Person
from tests.world import World

PASSWORD, WRONG = "correct horse", "a wrong guess"
OUTSIDE = {
    "home": "/",
    "sign-in": "/sign-in",
    "sign-out": "/sign-out",
    "login-link": "/login/x",
    "setup-where": "/setup",
    "setup": "/setup/x",
    "account": "/account",
    "live": "/live",
    "badge": "/badge/x/y/z/production.svg",
    "api_reference": "/api_reference",
    "metrics_reference": "/metrics_reference",
    "healthz": "/healthz",
    "readyz": "/readyz",
    "metrics": "/metrics",
}
"""The pages that lie in no entity."""
MEANT_FOR_OTHER_SITES = {"badge": "Cross-Origin-Resource-Policy"}


@pytest.fixture(scope="module")
def home(instance: object, tmp_path_factory: pytest.TempPathFactory) -> Household:
    git = GitRepo(tmp_path_factory.mktemp("upstream") / "upstream.git")
    git.commit("Start", at="2024-01-01T10:00:00Z")
    return Household.make(git)


@pytest.fixture(scope="module")
def owner(home: Household) -> Person:
    person = Person(home.owner)
    person.client.force_login(home.owner)
    return person


@pytest.fixture(scope="module")
def everywhere(home: Household) -> dict[str, str]:
    """An address of each page."""
    return OUTSIDE | {route.name: address(route, named_things(home, route)) for route in INSIDE}


def test_every_page_is_tried() -> None:
    assert set(ROUTES) == set(OUTSIDE) | {route.name for route in INSIDE}


def test_every_answer_carries_the_headers_that_guard_it(owner: Person, everywhere: dict[str, str]) -> None:
    """To readers and strangers, to looks and forms, found or not."""
    pages = {**everywhere, "missing": "/no-such-page", "named like nothing": "/entities/%00"}
    for name, place in pages.items():
        for client in (owner.client, Client()):
            for send in (client.get, client.post, client.head, client.put):
                answer = send(place)
                for header, value in HEADERS.items():
                    if header != "Cache-Control" and header != MEANT_FOR_OTHER_SITES.get(name):
                        assert answer[header] == value, (name, header)
                assert set(answer["Cache-Control"].split(", ")) & {"no-cache", "no-store", "public"}, name
                assert "public" not in answer["Cache-Control"] or name == "badge"
        if name == "sign-out":
            assert owner.user
            owner.client.force_login(owner.user)


def test_over_https_browsers_are_told_to_stay_there(instance: object) -> None:
    with override_settings(SESSION_COOKIE_SECURE=True, CSRF_COOKIE_SECURE=True):
        answer = Client().get("/sign-in")
    assert answer["Strict-Transport-Security"] == f"max-age={365 * 24 * 3600}"
    assert answer.cookies["csrftoken"]["secure"]


WATCHED = frozenset({"/healthz", "/readyz", "/metrics"})


def test_a_form_from_elsewhere_is_refused_at_every_address(
    home: Household, owner: Person, everywhere: dict[str, str]
) -> None:
    """Without the token, with somebody else's, and with a cookie that an attacker has planted."""
    before, entity = stored_rows(home.world.tenant.id), home.world.tenant.slug
    theirs = Client()
    theirs.get("/sign-in")
    stolen = theirs.cookies["csrftoken"].value
    for name, place in everywhere.items():
        if place in WATCHED:
            assert _strict(owner).post(place).status_code == 405, "it takes no form, from nobody"
            continue
        for form in ({}, {"csrfmiddlewaretoken": stolen}, {"csrfmiddlewaretoken": ""}):
            client = _strict(owner)
            answer = client.post(place, {"name": entity, **form})
            assert answer.status_code == 403, (name, form)
            assert "could not be matched to your session" in answer.content.decode(), name
        client = _strict(owner)
        client.cookies["csrftoken"] = "x" * 32
        assert client.post(place, {"csrfmiddlewaretoken": "y" * 32}).status_code == 403, name
    assert stored_rows(home.world.tenant.id) == before


def test_a_form_sent_over_https_from_another_site_is_refused(owner: Person) -> None:
    """Even with the right token: the origin does not fit."""
    client = _strict(owner)
    client.get("/account", secure=True)
    form = {"csrfmiddlewaretoken": client.cookies["csrftoken"].value}
    for headers in ({"Origin": "https://evil.example"}, {"Referer": "https://evil.example/"}, {}):
        assert client.post("/account", form, secure=True, headers=headers).status_code == 403
    assert client.post("/account", form, secure=True, headers={"Origin": "https://testserver"}).status_code == 400


def _strict(person: Person) -> Client:
    """A browser with the person's cookies, whose forms are checked."""
    client = Client(enforce_csrf_checks=True)
    client.cookies = person.client.cookies
    return client


# Sessions


@pytest.fixture
def user(world: World) -> User:
    return world.user(Role.OWNER)


def _signed_in(user: User) -> Client:
    client = Client()
    assert client.post("/sign-in", {"email": user.email, "password": PASSWORD}).status_code == 302
    return client


def _copied(client: Client) -> Client:
    """Another browser with the same session: a thief's."""
    thief = Client()
    thief.cookies["sessionid"] = client.cookies["sessionid"].value
    assert _is_in(thief)
    return thief


def _is_in(client: Client) -> bool:
    return client.get("/account").status_code == 200


def test_a_copied_session_ends_when_its_owner_signs_out(user: User) -> None:
    client = _signed_in(user)
    thief = _copied(client)
    client.post("/sign-out")
    assert not _is_in(thief)


def test_a_copied_session_ends_when_the_password_changes(user: User) -> None:
    client = _signed_in(user)
    thief = _copied(client)
    form = {"present": PASSWORD, "password": "another good one"}
    assert client.post("/account", form).status_code == 302
    assert not _is_in(thief)
    assert _is_in(client), "under a new name"


def test_a_session_ends_when_its_person_is_switched_off(user: User) -> None:
    client = _signed_in(user)
    User.objects.filter(id=user.id).update(is_active=False)
    assert not _is_in(client)


@pytest.mark.parametrize("planted", ["kept", "made up", "of another person"])
@pytest.mark.parametrize("by", ["password", "link"])
def test_a_planted_session_is_never_the_one_signed_in_to(user: User, stranger: World, by: str, planted: str) -> None:
    attacker = Client()
    if planted == "of another person":
        attacker.force_login(stranger.user())
    else:
        attacker.get("/sign-in")
        session = attacker.session
        session["planted"] = True
        session.save()
    name = "a" * 32 if planted == "made up" else str(attacker.session.session_key)
    victim = Client()
    victim.cookies["sessionid"] = name
    if by == "password":
        answer = victim.post("/sign-in", {"email": user.email, "password": PASSWORD})
    else:
        answer = victim.post(f"/login/{people.make_login_link(user)}")
    assert answer.status_code == 302
    assert _is_in(victim)
    assert victim.cookies["sessionid"].value != name
    assert "planted" not in victim.session or planted == "kept"
    attacker.cookies["sessionid"] = name
    assert user.email not in attacker.get("/account").content.decode()


# Guessing


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing counted yet, and fewer tries than in earnest, since each takes as long as hashing a password."""
    monkeypatch.setattr(account, "by_person", throttle.FailureLimit(3, account.by_person.seconds))
    monkeypatch.setattr(account, "by_address", throttle.FailureLimit(6, account.by_address.seconds))


def test_guesses_are_counted_as_strictly_as_is_said(instance: object) -> None:
    assert (account.by_person.allowed, account.by_address.allowed) == (10, 50)
    assert account.by_person.seconds == account.by_address.seconds == 15 * 60


def _guess(email: str, address: str, password: str = WRONG) -> HttpResponse:
    answer = Client(REMOTE_ADDR=address).post("/sign-in", {"email": email, "password": password})
    assert isinstance(answer, HttpResponse)
    return answer


@pytest.mark.usefixtures("impatient")
def test_one_password_tried_on_many_people_is_slowed_down(user: User) -> None:
    """Each of them has been tried once only, but all from one address."""
    for _ in range(account.by_address.allowed):
        assert _guess(f"{uuid4().hex}@example.org", "192.0.2.1").status_code == 400
    refused = _guess(user.email, "192.0.2.1", PASSWORD)
    assert refused.status_code == 429
    assert 0 < int(refused["Retry-After"]) <= account.by_address.seconds
    assert _guess(user.email, "192.0.2.2", PASSWORD).status_code == 302


@pytest.mark.usefixtures("impatient")
def test_a_right_password_does_not_let_an_address_guess_on(user: User) -> None:
    """An attacker who has one account can't use it to start counting afresh for the others."""
    for _ in range(account.by_address.allowed):
        assert _guess(user.email, "192.0.2.3", PASSWORD).status_code == 302
        assert _guess(f"{uuid4().hex}@example.org", "192.0.2.3").status_code == 400
    assert _guess(f"{uuid4().hex}@example.org", "192.0.2.3").status_code == 429


@pytest.mark.usefixtures("impatient")
def test_the_present_password_can_not_be_guessed_with_a_stolen_session(user: User) -> None:
    """Whoever holds a session may not find out the password at leisure."""
    client = _signed_in(user)
    form = {"present": "a wrong guess", "password": "another good one"}
    for _ in range(account.by_person.allowed):
        assert client.post("/account", form).status_code == 400
    assert client.post("/account", {**form, "present": PASSWORD}).status_code == 429
    assert User.objects.get(id=user.id).password == user.password


def test_a_lower_role_counts_at_once(world: World, user: User) -> None:
    world.user(Role.OWNER)
    client = _signed_in(user)
    assert client.get(f"/settings/{world.tenant.slug}").status_code == 200
    people.set_role(tenant=world.tenant, email=user.email, role=Role.VIEWER, actor=COMMAND_LINE)
    assert client.get(f"/settings/{world.tenant.slug}").status_code == 403

"""Who may open and do what on the pages: every address by role by own, foreign and absent things named in it.

The addresses come from the URL configuration, and the role that each needs from the table of `tests.web.test_roles`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import pytest
from django.test import Client
from django.urls import reverse

from shipmend.core.values import Role
from tests.gitworld import GitRepo
from tests.security.addresses import ARGUMENTS, INSIDE, ROUTES, absent_name, address, named_things, owned
from tests.security.routes import Route
from tests.security.things import Household
from tests.snapshot import stored_rows
from tests.web.cast import Person, Seen
from tests.web.test_roles import ACTS, FOR_ALL, PAGES

pytestmark = pytest.mark.database

ROLES = {name: role for name, (_, role) in {**PAGES, **ACTS}.items()}
BESIDE_THE_PAGES = {"api_reference", "metrics_reference", "healthz", "readyz", "metrics"}
"""Served by the same application, and open to all; /metrics to those addresses that the operator names."""

OWN_TOKENS_ONLY = {"settings-rotate-token", "settings-revoke-token"}
"""A member ends tokens that they made; one of somebody else's takes an owner."""
_CSRF = re.compile(r'(name="csrfmiddlewaretoken" value|hx-headers)="[^"]*"')


@dataclass(frozen=True)
class Scene:
    """Two entities, and somebody in each role of the first."""

    here: Household
    there: Household
    people: Mapping[Role, Person]


@pytest.fixture(scope="module")
def scene(instance: object, tmp_path_factory: pytest.TempPathFactory) -> Scene:
    git = GitRepo(tmp_path_factory.mktemp("upstream") / "upstream.git")
    git.commit("Start", at="2024-01-01T10:00:00Z")
    here, there = Household.make(git), Household.make(git)
    people = {role: Person(here.person(role)) for role in Role}
    for person in people.values():
        assert person.user
        person.client.force_login(person.user)
    return Scene(here, there, people)


def test_every_address_is_in_a_table_and_every_part_of_one_has_a_maker() -> None:
    assert set(ROUTES) == set(PAGES) | set(ACTS) | FOR_ALL | BESIDE_THE_PAGES
    assert {argument for route in INSIDE for argument in route.arguments} == set(ARGUMENTS)


@pytest.mark.parametrize("route", INSIDE, ids=lambda route: route.name)
def test_what_is_another_s_is_answered_as_what_is_not_there(route: Route, scene: Scene) -> None:
    """Each part of the address in turn is another entity's, or nobody's; the others are our own."""
    own = named_things(scene.here, route)
    taken = named_things(scene.there, route)
    before = _stored(scene)
    for person in scene.people.values():
        for argument in owned(route):
            foreign, absent = taken[argument], absent_name(argument)
            for send in (_get, _post):
                seen = send(person, address(route, {**own, argument: foreign}))
                missing = send(person, address(route, {**own, argument: absent}))
                assert _same(seen, str(foreign)) == _same(missing, absent), argument
                assert seen.status in (403, 404, 405), (argument, seen.status)
                assert scene.there.world.tenant.slug not in seen.html.replace(str(foreign), "X"), argument
    assert _stored(scene) == before


@pytest.mark.parametrize("route", INSIDE, ids=lambda route: route.name)
def test_our_own_is_open_to_its_role_and_closed_to_the_others(route: Route, scene: Scene) -> None:
    needed = ROLES[route.name]
    for role, person in scene.people.items():
        place = address(route, named_things(scene.here, route))
        before = _stored(scene)
        for send in (_get, _post):
            seen = send(person, place)
            if not role.includes(needed) or (route.name in OWN_TOKENS_ONLY and role is not Role.OWNER):
                assert seen.status in (403, 405), (role, seen.status)
            else:
                assert seen.status in (200, 302, 400, 405), (role, seen.status)
        if not role.includes(needed):
            assert _stored(scene) == before, role


@pytest.mark.parametrize("route", INSIDE, ids=lambda route: route.name)
def test_whoever_is_not_signed_in_learns_nothing_of_what_there_is(route: Route, scene: Scene) -> None:
    own, nobody = named_things(scene.here, route), Person()
    before = _stored(scene)
    for argument in owned(route):
        absent = absent_name(argument)
        for send in (_get, _post):
            seen = send(nobody, address(route, own))
            missing = send(nobody, address(route, {**own, argument: absent}))
            assert seen.status == missing.status
            assert seen.status == 405 or seen.to.startswith("/sign-in?next=")
            assert seen.text == missing.text
    assert _stored(scene) == before


def test_a_badge_that_is_not_public_is_no_badge(scene: Scene) -> None:
    world = scene.here.world
    entities = (world.tenant.slug, "no-such-entity")
    addresses = [reverse("badge", args=[entity, world.organization, "shop", "production"]) for entity in entities]
    answers = {(response.status_code, response.content) for response in map(Client().get, addresses)}
    assert len(answers) == 1
    assert {status for status, _ in answers} == {404}


def _get(person: Person, address: str) -> Seen:
    return person.get(address)


def _post(person: Person, address: str) -> Seen:
    return person.post(address)


def _same(seen: Seen, name: str) -> tuple[int, str, str]:
    """A page without what was asked for, and without what differs from one time to the next."""
    html = _CSRF.sub("", seen.html).replace(name, "X")
    return seen.status, seen.to.replace(name, "X"), html


def _stored(scene: Scene) -> list[dict[str, list[str]]]:
    return [stored_rows(home.world.tenant.id) for home in (scene.here, scene.there)]

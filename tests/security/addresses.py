"""Every address of the pages that lies in an entity, and the things that stand in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from uuid import uuid4

from django.urls import reverse

from shipmend.core.metrics import Metric
from tests.security.routes import Route, all_routes
from tests.security.things import Household
from tests.web.test_roles import FOR_ALL

ROUTES = {route.name: route for route in all_routes() if not route.path.lstrip("^").startswith("api/")}
INSIDE = [route for route in ROUTES.values() if "entity" in route.arguments and route.name not in FOR_ALL]
"""Every page of an entity, and everything done on one."""

ARGUMENTS: dict[str, Callable[[Household], object]] = {
    "entity": lambda home: home.world.tenant.slug,
    "organization": lambda home: home.world.organization,
    "repo": lambda home: home.world.repo(f"r{uuid4().hex[:8]}").slug,
    "release_id": lambda home: home.release(),
    "key": lambda home: home.defect(),
    "membership_id": lambda home: home.membership(),
    "rule_id": lambda home: home.rule(),
    "token_id": lambda home: home.token(),
    "metric": lambda _: Metric.CHANGE_LEAD_TIME,
}
"""How a thing is made for each changeable part of an address."""
NOBODYS = {"metric"}
"""Parts that name nothing which could be somebody's."""


def named_things(home: Household, route: Route) -> dict[str, object]:
    """Fresh things of the entity, one for each part of the address; the release is one of the repo named before it."""
    things: dict[str, object] = {}
    for argument in route.arguments:
        if argument == "release_id":
            things[argument] = home.release(str(things["repo"]))
        elif route.name == "ticket" and argument == "key":
            things[argument] = home.ticket()
        else:
            things[argument] = ARGUMENTS[argument](home)
    return things


def owned(route: Route) -> list[str]:
    """The parts of the address that name what belongs to somebody."""
    return [argument for argument in route.arguments if argument not in NOBODYS]


def address(route: Route, things: Mapping[str, object]) -> str:
    """The route with these things in it."""
    return reverse(route.name, kwargs=dict(things))


def absent_name(argument: str) -> str:
    """What nothing is called."""
    return str(uuid4()) if argument.endswith("_id") else "NO-SUCH-1"

"""Every statement on a tenant's table binds the entity: heard while each call, page, form and job of an entity runs."""

from __future__ import annotations

import threading
from uuid import UUID

import pytest

from shipmend.accounts.calls import calls
from shipmend.accounts.models import Membership
from shipmend.catalog.models import Repo
from shipmend.catalog.queries import history_number
from shipmend.core.values import Role
from shipmend.db.writes import write
from shipmend.delivery import handlers as delivery
from shipmend.delivery.models import PRODUCTION, TrackingRule
from shipmend.delivery.ownership import MEASURE, StreamKey, bring_up_to_date, unattributed_streams
from shipmend.history import handlers as history
from shipmend.history.actions import FORGET, INDEX, SETTLE, SIFT, request_index, request_sift
from shipmend.jobs.models import OPEN, Job
from shipmend.jobs.queue import Claimer, enqueue
from shipmend.jobs.registry import Registry
from shipmend.jobs.running import Running
from tests.gitworld import GitRepo
from tests.security.addresses import INSIDE, address, named_things
from tests.security.operations import CELLS, good_things, send
from tests.security.statements import TENANT_TABLES, Said, listening
from tests.security.things import Household
from tests.web.cast import Person

pytestmark = pytest.mark.database

ALLOWED: dict[tuple[str, str], str] = {
    ("accounts/tokens.py check", "SELECT accounts_apitoken"): "a token's digest is what tells which entity it is of",
    ("accounts/people.py entities_of", "SELECT accounts_membership"): "the entities of one person",
    ("catalog/models.py path", "SELECT catalog_organization"): "the organization of a repo in hand, by its key",
    ("delivery/ownership.py unattributed_streams", "SELECT delivery_release"): "a chore of all entities",
    ("accounts/people.py work", "SELECT accounts_membership"): "whether somebody invited belongs to anything yet",
}
"""By place, verb and first table: why these may speak of rows of any entity."""
BY_CASCADE = "catalog/actions.py work"
"""Where a repo, found in its entity and locked there, is removed: Django then looks for what hangs on its id."""


def test_the_tables_of_tenants_are_known() -> None:
    assert {"catalog_repo", "delivery_release", "history_commit", "jobs_job", "accounts_apitoken"} < TENANT_TABLES


def test_a_statement_that_binds_no_entity_would_be_heard(world: object) -> None:
    with listening() as heard:
        Repo.objects.filter(slug="shop").first()
        Repo.objects.filter(entity_id=UUID(int=7), slug="shop").first()
    assert [said.binds(UUID(int=7), "") for said in heard if said.tables] == [False, True]


def test_every_statement_on_a_tenant_s_table_binds_the_entity(instance: object, git_repo: GitRepo) -> None:
    git_repo.commit("Start SHOP-1", at="2024-01-01T10:00:00Z")
    git_repo.commit("Go on SHOP-2", at="2024-01-02T10:00:00Z", files={"src/a": "1"})
    git_repo.tag("v1")
    home = Household.make(git_repo)
    tenant = home.world.tenant
    home.world.part("part", Repo.objects.get(entity_id=tenant.id, slug="other"), "src/**")
    with listening() as heard:
        _call(home)
        _visit(home)
        _work(home)
    bad = {_mark(said): said.text for said in heard if said.is_ours and not said.binds(tenant.id, tenant.slug)}
    unexpected = {mark: text for mark, text in bad.items() if mark not in ALLOWED and mark[0] != BY_CASCADE}
    assert not unexpected, f"bind the entity, or say in ALLOWED why not: {unexpected}"
    assert set(ALLOWED) <= set(bad), "no longer heard"
    assert len({said.tables for said in heard}) > 30, "nearly nothing was done"


def _call(home: Household) -> None:
    home.world.repo("bare")
    call = {"resource_path": home.path("bare"), "release_now": "true", "release_sha": home.sha()}
    assert home.api.post("releases", call, key="one").status == 200
    for name, row in CELLS:
        send(home.api, name, row, good_things(home, row))
    calls.flush()


def _visit(home: Household) -> None:
    owner = Person(home.owner)
    owner.client.force_login(home.owner)
    slug = home.world.tenant.slug
    for route in INSIDE:
        place = address(route, named_things(home, route))
        owner.get(place)
        owner.post(place)
    newcomer, role = f"{slug}@example.org", {"role": Role.MEMBER}
    for path, form in (
        ("members", {"email": newcomer, **role}),
        ("members/role", {"email": newcomer, "role": Role.VIEWER}),
        ("repos", {"resource_path": home.path("new"), "repo_path": "https://git.invalid/new.git"}),
        (f"repos/{home.world.organization}/shop", {"release_branch": "main"}),
        ("releases/set", {"kind": "any_tag", "value": "", "repo": "", "environment": "production"}),
        ("tickets/set", {"ticket_pattern": "[A-Z]+-[0-9]+"}),
        ("api/tokens", {"name": "t", "scope": ["read"], "days": "30", "resource_path": slug}),
    ):
        owner.post(f"/settings/{slug}/{path}", **form)
    membership = Membership.objects.get(entity_id=home.world.tenant.id, user__email=newcomer)
    owner.post(f"/settings/{slug}/members/{membership.id}/remove")
    owner.get("/live", q=home.sha())
    assert TrackingRule.objects.filter(entity_id=home.world.tenant.id, kind="any_tag").exists()
    assert not Membership.objects.filter(id=membership.id).exists()


def _work(home: Household) -> None:
    """The jobs of a repo and its part, and what remains to be done of a removed one."""
    tenant_id = home.world.tenant.id
    other = Repo.objects.get(entity_id=tenant_id, slug="other")
    home.git.commit("Later SHOP-3", files={"src/b": "2"})
    request_index(other, reason="test")
    write(lambda: request_sift(other))
    for kind in (INDEX, SIFT, SETTLE):
        _do(tenant_id, kind, str(other.id))
    unattributed_streams(1)
    number = history_number(tenant_id, other.id)
    assert number is not None
    bring_up_to_date(StreamKey(tenant_id, other.id, number, PRODUCTION))
    write(lambda: enqueue(entity_id=tenant_id, kind=MEASURE, key=str(other.id)))
    _do(tenant_id, MEASURE, str(other.id))
    for key in list(Job.objects.filter(OPEN, entity_id=tenant_id, kind=FORGET).values_list("key", flat=True)):
        _do(tenant_id, FORGET, key)


def _do(entity_id: UUID, kind: str, key: str) -> None:
    registry = Registry()
    history.register(registry)
    delivery.register(registry)
    running = Running(registry, lease=60, stopping=threading.Event())
    claim = Claimer([kind], owner="test", lease=60).of(entity_id, kind, key)
    assert claim is not None, kind
    assert running.run(claim, running.hold(claim)) is None, kind


def _mark(said: Said) -> tuple[str, str]:
    return said.place, f"{said.text.split()[0]} {min(said.tables)}"

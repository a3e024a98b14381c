"""Settings → Tickets: what a pattern would find, and what happens when it is set."""

from __future__ import annotations

import pytest

from shipmend.audit import trail
from shipmend.catalog.models import Entity
from shipmend.core.tickets import USUAL
from shipmend.core.values import Role
from shipmend.history.mirrors import mirror_of
from shipmend.history.tickets import commits_of_ticket
from shipmend.jobs.models import Job
from tests.gitworld import GitRepo
from tests.history.guards import do_waiting_job
from tests.web.cast import Person
from tests.world import FIRST_DAY, World

pytestmark = pytest.mark.database


@pytest.fixture
def owner(world: World) -> Person:
    return Person.of(world, Role.OWNER)


@pytest.fixture
def page(world: World, git_repo: GitRepo) -> str:
    git_repo.commit("SHOP-1: mend", at=FIRST_DAY)
    git_repo.commit("Mend more\n\nRefs: SHOP-2, fixes #7", at=FIRST_DAY)
    git_repo.commit("Nothing in particular", at=FIRST_DAY)
    world.repo("shop", git_repo)
    return f"/settings/{world.tenant.slug}/tickets"


def test_the_page_shows_what_is_looked_for_and_found_now(owner: Person, page: str) -> None:
    seen = owner.get(page)
    assert "In the latest 3 commits of 1 repo, 2 speak of 2 tickets" in seen.text
    assert "This is what is looked for now." in seen.text
    assert f'placeholder="{USUAL}"' in seen.html
    assert "Nothing in particular" in seen.text.split("Without a ticket")[1]


def test_another_pattern_is_looked_at_before_it_is_set(world: World, owner: Person, page: str) -> None:
    seen = owner.get(page, preview="1", ticket_pattern="SHOP-[13]", ticket_numbers="on")
    assert "2 speak of 2 tickets" in seen.text
    assert "#7" in seen.text
    assert "Look for this, and read all messages again" in seen.text
    entity = Entity.objects.get(id=world.tenant.id)
    assert (entity.ticket_pattern, entity.ticket_numbers) == ("", False)
    viewer = Person.of(world, Role.VIEWER).get(page, preview="1", ticket_pattern="SHOP-[13]")
    assert "An owner of this entity can set it" in viewer.text
    assert "Look for this" not in viewer.text


@pytest.mark.parametrize(
    ("pattern", "because"),
    [("[A-Z]+-1", "may go on for too long"), ("(", "can't be read"), ("x?", "no characters"), ("x" * 201, "200")],
)
def test_a_pattern_that_can_not_be_taken_is_told_at_its_field_and_sets_nothing(
    world: World, owner: Person, page: str, pattern: str, because: str
) -> None:
    seen = owner.get(page, preview="1", ticket_pattern=pattern)
    assert seen.status == 200
    assert because in seen.text
    assert 'id="id_ticket_pattern_error"' in seen.html
    assert "speak" not in seen.text
    refused = owner.post(f"{page}/set", ticket_pattern=pattern)
    assert (refused.status, because in refused.text) == (400, True)
    assert Entity.objects.get(id=world.tenant.id).ticket_pattern == ""


def test_setting_a_pattern_has_all_messages_read_again(
    world: World, owner: Person, page: str, git_repo: GitRepo
) -> None:
    repo = world.repo("shop")
    world.repo("blind")
    Job.objects.filter(entity_id=world.tenant.id).delete()
    assert owner.post(f"{page}/set", ticket_pattern="SHOP-[13]", ticket_numbers="on").to == page
    change = trail.latest(world.tenant.id)[0]
    assert change.action == "entity_changed"
    asked = Job.objects.filter(entity_id=world.tenant.id, kind="index")
    assert [job.key for job in asked] == [str(repo.id)]
    assert do_waiting_job(world.tenant.id, "index", str(repo.id)) is None
    found = {key: commits_of_ticket(world.tenant.id, key, most=9) for key in ("SHOP-1", "SHOP-2", "#7")}
    assert found == {"SHOP-1": {repo.number: [1]}, "SHOP-2": {}, "#7": {repo.number: [2]}}
    assert 'value="SHOP-[13]"' in owner.get(page).html
    owner.post(f"{page}/set", ticket_pattern="SHOP-[13]", ticket_numbers="on")
    assert Job.objects.filter(entity_id=world.tenant.id, kind="index", done_at=None).count() == 0
    assert owner.get(f"{page}/set").to == page


def test_first_lines_are_looked_at_where_the_mirror_is_on_another_machine(
    world: World, owner: Person, page: str
) -> None:
    mirror_of(world.repo("shop").id).delete()
    seen = owner.get(page)
    assert "1 speaks of 1 ticket" in seen.text
    assert "Only first lines could be looked at here" in seen.text


def test_without_commits_there_is_nothing_to_look_at(world: World, owner: Person) -> None:
    assert "No commit is indexed yet" in owner.get(f"/settings/{world.tenant.slug}/tickets").text

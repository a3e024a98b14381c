"""Settings: the entity, its members, its repos."""

from __future__ import annotations

import json
import re
from uuid import uuid4

import pytest

from shipmend.accounts import people
from shipmend.accounts.models import Membership, User
from shipmend.audit import trail
from shipmend.audit.trail import COMMAND_LINE
from shipmend.catalog.models import Entity, IndexState, Repo
from shipmend.core.values import Role
from shipmend.jobs.models import Job
from tests.snapshot import stored_rows
from tests.web.cast import Person
from tests.world import World

pytestmark = pytest.mark.database

LINK = re.compile(r"http://testserver(/login/[\w-]+)")


@pytest.fixture
def owner(world: World) -> Person:
    return Person.of(world, Role.OWNER)


@pytest.fixture
def settings(world: World) -> str:
    return f"/settings/{world.tenant.slug}"


def a_mail_address() -> str:
    return f"{uuid4().hex[:12]}@example.org"


# The entity


def test_an_owner_changes_name_time_zone_and_date_order(world: World, owner: Person, settings: str) -> None:
    assert owner.post(settings, name=" Acme ", time_zone="Asia/Kolkata", date_order="dmy").to == settings
    entity = Entity.objects.get(id=world.tenant.id)
    assert (entity.name, entity.time_zone, entity.date_order) == ("Acme", "Asia/Kolkata", "dmy")
    page = owner.get(settings)
    assert 'value="Asia/Kolkata"' in page.html
    latest = trail.latest(world.tenant.id)[0]
    assert latest.action == "entity_changed"
    assert owner.user
    assert latest.actor == f"user {owner.user.email}"


def test_an_unknown_time_zone_is_refused_at_its_field_with_what_was_typed(
    world: World, owner: Person, settings: str
) -> None:
    before = stored_rows(world.tenant.id)
    seen = owner.post(settings, name="X", time_zone="Europe/Atlantis", date_order="")
    assert seen.status == 400
    assert re.search(r'id="id_time_zone_error">"Europe/Atlantis" is not a time zone', seen.html.replace("&quot;", '"'))
    assert 'value="Europe/Atlantis"' in seen.html
    assert stored_rows(world.tenant.id) == before


def test_an_order_of_dates_that_is_none_of_the_three_is_refused(owner: Person, settings: str) -> None:
    assert owner.post(settings, name="", time_zone="UTC", date_order="ymd").status == 400


def test_an_owner_chooses_how_metrics_are_worked_out(world: World, owner: Person, settings: str) -> None:
    assert 'value="168"' in owner.get(f"{settings}/metrics").html
    assert owner.post(f"{settings}/metrics", cause_window_hours="24").to == f"{settings}/metrics"
    entity = Entity.objects.get(id=world.tenant.id)
    assert (entity.cause_window_hours, entity.rollbacks_fail) == (24, False)
    latest = trail.latest(world.tenant.id)[0]
    assert json.loads(latest.detail) == {"cause_window_hours": [168, 24], "rollbacks_fail": [True, False]}
    assert owner.user
    assert latest.actor == f"user {owner.user.email}"


@pytest.mark.parametrize("hours", ["0", "-1", "8785", "a week", "", "1.5"])
def test_a_window_that_is_none_is_refused_at_its_field(world: World, owner: Person, settings: str, hours: str) -> None:
    before = stored_rows(world.tenant.id)
    seen = owner.post(f"{settings}/metrics", cause_window_hours=hours, rollbacks_fail="on")
    assert seen.status == 400
    assert 'id="id_cause_window_hours_error"' in seen.html
    assert stored_rows(world.tenant.id) == before


# Members


def test_a_newcomer_gets_a_link_that_is_shown_once_and_signs_them_in(
    world: World, owner: Person, settings: str
) -> None:
    email = a_mail_address()
    seen = owner.post(f"{settings}/members", email=email, role="member")
    assert seen.status == 200
    assert seen.headers["Cache-Control"] == "no-store"
    link = LINK.search(seen.text)
    assert link
    assert LINK.search(owner.get(f"{settings}/members").text) is None
    newcomer = Person()
    assert newcomer.post(link.group(1)).to == "/account"
    assert newcomer.get(f"/entities/{world.tenant.slug}").status == 200


def test_someone_with_an_account_becomes_a_member_without_a_link(
    stranger: World, world: World, owner: Person, settings: str
) -> None:
    known = Person.of(stranger, Role.OWNER)
    assert known.user
    seen = owner.post(f"{settings}/members", email=known.user.email.upper(), role="viewer")
    assert seen.to == f"{settings}/members"
    assert "signs in as before" in owner.get(seen.to).text
    assert known.get(f"/entities/{world.tenant.slug}").status == 200


def test_nobody_gets_a_second_link_for_someone_who_could_be_another_person_elsewhere(
    stranger: World, world: World, owner: Person, settings: str
) -> None:
    shared = people.create_user(email=a_mail_address(), password=None)
    for tenant in (world.tenant, stranger.tenant):
        people.set_role(tenant=tenant, email=shared.email, role=Role.MEMBER, actor=COMMAND_LINE)
    member = Membership.objects.get(user=shared, entity_id=world.tenant.id)
    refused = owner.post(f"{settings}/members/{member.id}/invite")
    assert refused.status == 400
    assert "can sign in already" in refused.text
    assert LINK.search(refused.text) is None


def test_a_member_who_never_signed_in_gets_another_link_and_nobody_else_does(
    world: World, owner: Person, settings: str
) -> None:
    email = a_mail_address()
    owner.post(f"{settings}/members", email=email, role="viewer")
    member = Membership.objects.get(user__email=email)
    again = LINK.search(owner.post(f"{settings}/members/{member.id}/invite").text)
    assert again
    assert Person().post(again.group(1)).to == "/account"
    assert owner.post(f"{settings}/members/{member.id}/invite").status == 400


def test_roles_change_and_members_go(world: World, owner: Person, settings: str) -> None:
    person = Person.of(world, Role.VIEWER)
    assert person.user
    owner.post(f"{settings}/members/role", email=person.user.email, role="owner")
    assert person.get(settings).status == 200
    member = Membership.objects.get(user=person.user)
    owner.post(f"{settings}/members/{member.id}/remove")
    assert person.get(f"/entities/{world.tenant.slug}").status == 404
    actions = [event.action for event in trail.latest(world.tenant.id)]
    assert actions[:2] == ["member_removed", "member_made_owner"]


def test_the_last_owner_stays(world: World, owner: Person, settings: str) -> None:
    assert owner.user
    member = Membership.objects.get(user=owner.user)
    for refused in (
        owner.post(f"{settings}/members/{member.id}/remove"),
        owner.post(f"{settings}/members/role", email=owner.user.email, role="member"),
        owner.post(f"{settings}/members", email=owner.user.email, role="viewer"),
    ):
        assert refused.status == 400
        assert "the last owner" in refused.text
    member.refresh_from_db()
    assert member.role == "owner"


@pytest.mark.parametrize("email", ["", "no address", "a@b", "x" * 250 + "@example.org"])
def test_what_is_no_mail_address_makes_no_user(world: World, owner: Person, settings: str, email: str) -> None:
    users, rows = User.objects.count(), stored_rows(world.tenant.id)
    assert owner.post(f"{settings}/members", email=email, role="member").status == 400
    assert (User.objects.count(), stored_rows(world.tenant.id)) == (users, rows)


def test_a_role_that_is_none_is_refused(owner: Person, settings: str) -> None:
    assert owner.post(f"{settings}/members", email=a_mail_address(), role="emperor").status == 400


# Repos


def add(person: Person, world: World, path: str, address: str = "") -> tuple[int, str]:
    seen = person.post(f"/settings/{world.tenant.slug}/repos", resource_path=path, remote_url=address)
    return seen.status, seen.text


def test_a_member_adds_a_repo_by_its_address_and_it_waits_for_its_index(world: World, settings: str) -> None:
    member = Person.of(world, Role.MEMBER)
    address = "https://token:s3cret@git.invalid/acme/shop.git"
    assert add(member, world, f"{world.tenant.slug}/acme/shop", address)[0] == 302
    repo = Repo.objects.get(entity_id=world.tenant.id)
    assert repo.remote_url == "https://git.invalid/acme/shop.git"
    assert repo.index_state == IndexState.WAITING
    assert Job.objects.filter(entity_id=world.tenant.id, kind="index", key=str(repo.id)).count() == 1
    for path in (f"{settings}/repos", f"{settings}/repos/acme/shop", f"/entities/{repo.path}"):
        assert "s3cret" not in member.get(path).html


def test_a_repo_without_an_address_is_a_name_only(world: World) -> None:
    owner = Person.of(world, Role.OWNER)
    assert add(owner, world, f"{world.tenant.slug}/acme/shop")[0] == 302
    assert Repo.objects.get(entity_id=world.tenant.id).index_state == IndexState.NONE
    assert not Job.objects.filter(entity_id=world.tenant.id).exists()


@pytest.mark.parametrize(
    "address",
    [
        "/srv/git/shop.git",
        "../shop",
        "file:///srv/git/shop.git",
        "ext::sh -c id",
        "--upload-pack=id",
        "http://git.example.org/shop.git",
        "git://git.example.org/shop.git",
        "https://git.example.org",
        "ftp://git.example.org/shop.git",
        "x" * 3000,
    ],
)
def test_an_address_that_is_not_https_or_ssh_is_refused_and_nothing_is_stored(world: World, address: str) -> None:
    owner = Person.of(world, Role.OWNER)
    before = stored_rows(world.tenant.id)
    status, text = add(owner, world, f"{world.tenant.slug}/acme/shop", address)
    assert status == 400
    assert "The address" in text
    assert stored_rows(world.tenant.id) == before


def test_a_folder_of_the_server_is_never_taken_even_if_it_is_a_repository(world: World, git_repo: object) -> None:
    owner = Person.of(world, Role.OWNER)
    assert add(owner, world, f"{world.tenant.slug}/acme/shop", git_repo.url)[0] == 400  # type: ignore[attr-defined]  # a GitRepo
    assert not Repo.objects.filter(entity_id=world.tenant.id).exists()


@pytest.mark.parametrize(
    "path", ["{e}", "{e}/acme", "{e}/acme/shop/more", "{e}/acme/sh op", "{e}/acme/.git", "other/acme/shop", ""]
)
def test_a_path_that_is_not_a_repo_of_this_entity_is_refused(world: World, path: str) -> None:
    owner = Person.of(world, Role.OWNER)
    before = stored_rows(world.tenant.id)
    assert add(owner, world, path.format(e=world.tenant.slug))[0] == 400
    assert stored_rows(world.tenant.id) == before


def test_changing_the_branch_keeps_address_and_secret_and_asks_for_an_index(world: World, settings: str) -> None:
    owner = Person.of(world, Role.OWNER)
    add(owner, world, f"{world.tenant.slug}/acme/shop", "https://token:s3cret@git.invalid/acme/shop.git")
    before = Repo.objects.get(entity_id=world.tenant.id)
    changed = owner.post(f"{settings}/repos/acme/shop", release_branch=" stable ", remote_url="")
    assert changed.to == f"{settings}/repos/acme/shop"
    after = Repo.objects.get(id=before.id)
    assert after.release_branch == "stable"
    assert (after.remote_url, after.remote_secret) == (before.remote_url, before.remote_secret)
    assert after.remote_secret


def test_a_new_address_takes_the_place_of_the_old_one_with_its_secret(world: World, settings: str) -> None:
    owner = Person.of(world, Role.OWNER)
    add(owner, world, f"{world.tenant.slug}/acme/shop", "https://token:s3cret@git.invalid/acme/shop.git")
    owner.post(f"{settings}/repos/acme/shop", release_branch="", remote_url="git@git.invalid:acme/shop.git")
    repo = Repo.objects.get(entity_id=world.tenant.id)
    assert repo.remote_url == "git@git.invalid:acme/shop.git"
    assert not repo.remote_secret


def test_index_again_asks_for_one_job_however_often_it_is_pressed(world: World, settings: str) -> None:
    owner = Person.of(world, Role.OWNER)
    add(owner, world, f"{world.tenant.slug}/acme/shop", "https://git.invalid/acme/shop.git")
    for _ in range(3):
        assert owner.post(f"{settings}/repos/acme/shop/index").to == f"/entities/{world.tenant.slug}/acme/shop"
    assert Job.objects.filter(entity_id=world.tenant.id, kind="index").count() == 1


def test_removing_a_repo_says_what_is_lost_and_then_loses_it(world: World, settings: str) -> None:
    owner = Person.of(world, Role.OWNER)
    world.repo()
    api, path = world.api(), str(world.repo_path("shop"))
    for day in range(3):
        api.post("releases", resource_path=path, release_sha="ab" * 20, released_at=f"2024-01-0{day + 1}")
    api.post("critical_defects", resource_path=path, defect_key="D-1", detected_now="true")
    asked = owner.get(f"{settings}/repos/acme/shop/remove")
    assert "3 releases" in asked.text
    assert "1 defect ." in asked.text  # the space is the end of its tag
    assert owner.get(f"/entities/{path}").status == 200
    assert owner.post(f"{settings}/repos/acme/shop/remove").to == f"{settings}/repos"
    assert owner.get(f"/entities/{path}").status == 404
    assert trail.latest(world.tenant.id)[0].action == "repo_removed"


def test_a_failed_index_is_told_in_words(world: World, settings: str) -> None:
    repo = world.repo()
    sentence = "The remote refused the credentials: check the token or the deploy key & what it may read."
    Repo.objects.filter(id=repo.id).update(index_state=IndexState.FAILED, index_error=sentence)
    owner = Person.of(world, Role.OWNER)
    for path in (f"{settings}/repos", f"{settings}/repos/acme/shop", f"/entities/{repo.path}"):
        assert sentence in owner.get(path).text

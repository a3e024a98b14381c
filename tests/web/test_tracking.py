"""Settings → Release tracking: looking at a rule, setting it, deleting it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from shipmend.catalog.models import Repo
from shipmend.core.values import Role
from shipmend.delivery.handlers import follow_up_now
from shipmend.delivery.models import Release, TrackingRule
from tests.gitworld import GitRepo
from tests.questions import asked
from tests.snapshot import stored_rows
from tests.web.cast import Person, Seen, words_of
from tests.world import World

pytestmark = pytest.mark.database


@pytest.fixture
def shop(world: World, git_repo: GitRepo) -> Repo:
    git_repo.commit("Start", at="2024-01-01T10:00:00Z")
    git_repo.tag("v1.0")
    git_repo.commit("Second & last", at="2024-01-02T10:00:00Z")
    git_repo.tag("v1.1")
    git_repo.tag("stable")
    return world.repo("shop", git_repo)


@pytest.fixture
def member(world: World) -> Person:
    return Person.of(world, Role.MEMBER)


@pytest.fixture
def page(world: World) -> str:
    return f"/settings/{world.tenant.slug}/releases"


def look(
    person: Person, page: str, kind: str, value: str = "", repo: str = "", environment: str = "production"
) -> Seen:
    return person.get(page, preview="1", kind=kind, value=value, repo=repo, environment=environment)


def fields(seen: Seen) -> dict[str, str]:
    """What the form that sets the rule would send."""
    form = re.search(r'<form method="post" action="[^"]*/releases/set">.*?</form>', seen.html, re.DOTALL)
    assert form
    pairs = dict(re.findall(r'name="(\w+)" value="([^"]*)"', form[0]))
    return {name: value for name, value in pairs.items() if name != "csrfmiddlewaretoken"}


def set_it(person: Person, page: str, repo: Repo, kind: str, value: str = "") -> TrackingRule:
    seen = look(person, page, kind, value)
    assert person.post(f"{page}/set", **fields(seen)).to == page
    follow_up_now(repo)
    return TrackingRule.objects.filter(entity_id=repo.entity_id).latest("id")


def test_looking_at_a_rule_shows_what_it_matches_and_changes_nothing(
    world: World, shop: Repo, member: Person, page: str
) -> None:
    before = stored_rows(world.tenant.id)
    seen = look(member, page, "any_tag")
    assert "Preview: any tag" in seen.text
    assert "It matches 3 tags in 1 repo. That makes 2 releases to production, all of them new." in seen.text
    rows = re.findall(r'<td class="main">([^<]*)</td>\s*<td>(.*?)</td>', seen.html)
    assert [(name, re.sub("<[^>]*>", "", state)) for name, state in rows] == [
        ("v1.1", "new"),
        ("stable", "one release with v1.1"),
        ("v1.0", "new"),
    ]
    assert stored_rows(world.tenant.id) == before


def test_a_rule_is_set_as_it_was_looked_at_and_its_releases_follow(
    world: World, shop: Repo, member: Person, page: str
) -> None:
    seen = look(member, page, "tag_matches", r"^v1\.\d$", repo="acme/shop", environment="Staging")
    assert "Set this rule and make 2 releases" in seen.text
    assert member.post(f"{page}/set", **fields(seen)).to == page
    after = member.get(page)
    assert "being applied" in after.text
    follow_up_now(shop)
    after = member.get(page)
    assert "being applied" not in after.text
    row = re.search(r"<tr>\s*<td class=\"main\">tag matches.*?</tr>", after.html, re.DOTALL)
    assert row
    assert member.user
    words = words_of(row[0])
    assert "acme/shop staging 2 " in words
    assert f"user {member.user.email}" in words
    made = Release.objects.filter(entity_id=world.tenant.id)
    assert sorted((each.name, each.environment) for each in made) == [("v1.0", "staging"), ("v1.1", "staging")]


def test_a_second_look_says_what_is_there_already(shop: Repo, member: Person, page: str) -> None:
    set_it(member, page, shop, "tag_contains", "1.0")
    assert "There is such a rule already." in look(member, page, "tag_contains", " 1.0 ").text
    seen = look(member, page, "any_tag")
    assert "2 releases to production, 1 of them new." in seen.text
    assert "is there already" in seen.text


def test_a_rule_that_was_set_meanwhile_is_refused_above_the_form(shop: Repo, member: Person, page: str) -> None:
    form = fields(look(member, page, "any_tag"))
    assert member.post(f"{page}/set", **form).status == 302
    seen = member.post(f"{page}/set", **form)
    assert seen.status == 400
    assert "is a rule that is there already" in seen.text
    assert TrackingRule.objects.filter(entity_id=shop.entity_id).count() == 1


@pytest.mark.parametrize(
    ("kind", "value", "because", "field"),
    [
        ("tag_matches", "v(", "a ( is not closed", "value"),
        ("tag_contains", "", "at least 1 character", "value"),
        ("message_contains", "ab", "at least 3 characters", "value"),
        ("no_such_kind", "x", "not one of the available choices", "kind"),
    ],
)
def test_what_makes_no_rule_is_told_and_what_was_typed_stays(
    shop: Repo, member: Person, page: str, kind: str, value: str, because: str, field: str
) -> None:
    seen = look(member, page, kind, value)
    assert seen.status == 200
    error = re.search(rf'<p class="error" id="id_{field}_error">(.*?)</p>', seen.html, re.DOTALL)
    assert error
    assert because in error[1]
    assert f'aria-describedby="id_{field}_error"' in seen.html
    assert f'value="{value}"' in seen.html or field != "value" or not value
    assert "/releases/set" not in seen.html


def test_a_repo_or_environment_that_is_none_is_refused(shop: Repo, member: Person, page: str) -> None:
    assert "available choices" in look(member, page, "any_tag", repo="acme/other").text
    assert "can&#x27;t name an environment" in look(member, page, "any_tag", environment="a\nb").html
    assert member.post(f"{page}/set", kind="any_tag", repo="acme/other", environment="production").status == 400
    assert not TrackingRule.objects.filter(entity_id=shop.entity_id).exists()


def test_a_viewer_looks_but_sets_and_deletes_nothing(world: World, shop: Repo, member: Person, page: str) -> None:
    rule = set_it(member, page, shop, "any_tag")
    viewer = Person.of(world, Role.VIEWER)
    seen = look(viewer, page, "tag_contains", "v")
    assert "It matches 2 tags" in seen.text
    assert "A member of this entity can set it" in seen.text
    assert "/releases/set" not in seen.html
    assert "/delete" not in seen.html
    assert viewer.post(f"{page}/set", kind="any_tag", environment="x").status == 403
    assert viewer.post(f"{page}/{rule.id}/delete").status == 403


@pytest.mark.parametrize(("choice", "left"), [("take", 0), ("keep", 2)])
def test_a_rule_is_deleted_with_its_releases_or_without_them(
    world: World, shop: Repo, member: Person, page: str, choice: str, left: int
) -> None:
    rule = set_it(member, page, shop, "any_tag")
    assert "The rule “any tag” made 2 releases." in member.get(page).text
    assert member.post(f"{page}/{rule.id}/delete", releases=choice).to == page
    follow_up_now(shop)
    assert Release.objects.filter(entity_id=world.tenant.id, deleted_at=None).count() == left
    assert "No rule is set" in member.get(page).text


def test_a_rule_of_another_entity_is_not_there(stranger: World, shop: Repo, member: Person, page: str) -> None:
    rule = set_it(member, page, shop, "any_tag")
    outsider = Person.of(stranger, Role.OWNER)
    assert outsider.post(f"/settings/{stranger.tenant.slug}/releases/{rule.id}/delete").status == 404
    assert "any tag" not in outsider.get(f"/settings/{stranger.tenant.slug}/releases").text


def test_a_release_tells_which_rule_made_it_until_someone_reports_it(
    world: World, shop: Repo, member: Person, page: str
) -> None:
    set_it(member, page, shop, "tag_contains", "v1.0")
    made = Release.objects.get(entity_id=world.tenant.id)
    address = f"/entities/{shop.path}/releases/{made.id}"
    assert "Made by the rule “tag contains “v1.0””" in member.get(address).text
    api = world.api()
    api.post("releases", resource_path=str(shop.path), release_sha=made.release_sha, released_at=made.released_at)
    assert "Made by" not in member.get(address).text


def test_repos_that_are_not_indexed_yet_are_named(world: World, member: Person, page: str) -> None:
    world.repo("new")
    seen = look(member, page, "any_tag")
    assert "It matches nothing in 1 repo." in seen.text
    assert "Not indexed yet, and looked at once they are: acme/new." in seen.text


def test_an_entity_without_repos_can_have_rules(world: World, member: Person, page: str) -> None:
    seen = look(member, page, "any_tag")
    assert "It matches nothing, since there is no repo yet." in seen.text
    assert member.post(f"{page}/set", **fields(seen)).to == page


def test_a_preview_over_repos_counts_each(world: World, shop: Repo, member: Person, page: str, tmp_path: Path) -> None:
    git = GitRepo(tmp_path / "other")
    git.commit("Start")
    git.tag("v1.0")
    world.repo("other", git)
    seen = look(member, page, "tag_contains", "v1")
    assert "It matches 3 tags in 2 of 2 repos. That makes 3 releases" in seen.text
    assert re.search(r"acme/shop 2 2 2 ", seen.text)
    assert re.search(r"acme/other 1 1 1 ", seen.text)


def test_markup_in_history_stays_text(world: World, member: Person, page: str, git_repo: GitRepo) -> None:
    git_repo.commit("<script>alert(1)</script> release")
    world.repo("shop", git_repo)
    seen = look(member, page, "message_contains", "<script>")
    assert "&lt;script&gt;alert(1)" in seen.html
    assert "<script>alert" not in seen.html


def test_the_list_costs_the_same_number_of_queries_for_any_number_of_rules(
    shop: Repo, member: Person, page: str
) -> None:
    counts = []
    for value in ("v1", "v2", "v3", "v4"):
        set_it(member, page, shop, "tag_contains", value)
        with asked() as questions:
            member.get(page)
        counts.append(questions.count)
    assert len(set(counts)) == 1

"""Is it live, tickets and what waits, on pages; and badges for anybody."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from urllib.parse import quote

import pytest
from django.test import Client

from shipmend.accounts import people
from shipmend.audit.trail import COMMAND_LINE
from shipmend.catalog.models import Entity
from shipmend.core.moments import iso
from shipmend.core.values import Role
from shipmend.web.badges import HEIGHT, LONGEST, Tone, badge
from tests.gitworld import GitRepo
from tests.questions import asked
from tests.web.cast import Person, Seen, words_of
from tests.world import FIRST_DAY, World

pytestmark = pytest.mark.database

DAY = 86400


@pytest.fixture
def reader(world: World) -> Person:
    return Person.of(world, Role.VIEWER)


@pytest.fixture
def line(git_repo: GitRepo) -> list[str]:
    return [git_repo.commit(f"SHOP-{n}: <b>step</b> {n}", at=FIRST_DAY + n * DAY) for n in range(1, 4)]


@pytest.fixture
def shop(world: World, git_repo: GitRepo, line: list[str]) -> str:
    """The path of a repo whose first commit is live."""
    path = str(world.repo("shop", git_repo).path)
    release(world, path, line[0], "v1", issue_keys_resolved="BANANA-7")
    return path


def release(world: World, path: str, sha: str, name: str, day: int = 9, **more: str) -> str:
    when = iso(FIRST_DAY + day * DAY)
    named = {"name": name} if name else {}
    call = {"resource_path": path, "release_sha": sha, "released_at": when, **named, **more}
    reply = world.api().post("releases", call)
    assert reply.status == 200, reply.json
    return str(reply.json["release"]["id"])


def rows(seen: Seen) -> list[str]:
    """The rows of the page's tables, as text."""
    found = re.findall(r"<tr>(.*?)</tr>", seen.html, re.DOTALL)
    return [words_of(row) for row in found]


def test_a_commit_a_ticket_and_a_release_are_looked_up_in_one_box(
    world: World, reader: Person, shop: str, line: list[str]
) -> None:
    made = release(world, shop, line[1], "v2", 10)
    for q, heading in (
        (line[0][:9], f"Commit {line[0][:8]} SHOP-1"),
        ("shop-1", "Ticket SHOP-1"),
        ("v1", "Release v1"),
    ):
        seen = reader.get("/live", q=q)
        assert seen.status == 200
        assert heading in seen.text
        assert any("acme/shop production live 2020-09-22" in row and "v1" in row for row in rows(seen)), q
    assert f"/releases/{made}" in reader.get("/live", q="SHOP-2", resource_path=world.tenant.slug).html
    assert "merged, not released" in reader.get("/live", q=line[2], resource_path=shop).text


def test_what_is_not_known_is_said_and_nothing_is_asked_without_a_question(
    world: World, reader: Person, shop: str
) -> None:
    seen = reader.get("/live", q=" NOPE-1\x00 ", resource_path=shop)
    assert (seen.status, "is called “NOPE-1”" in seen.text) == (200, True)
    assert "Look everywhere" in seen.text
    assert rows(reader.get("/live")) == []
    assert reader.get("/live", q="&lt;<script>").status == 200
    assert "<script>alert" not in reader.get("/live", q="<script>alert").html
    assert reader.get("/live", q="x", resource_path="a/b/c/d").status == 400
    assert reader.get("/live", q="x" * 9000).status == 200


def test_a_reader_of_several_entities_looks_in_all_of_them_and_in_no_other(
    world: World, stranger: World, git_repo: GitRepo, line: list[str]
) -> None:
    for each in (world, stranger):
        each.repo("shop", git_repo)
    reader = Person.of(world, Role.VIEWER)
    assert stranger.tenant.slug not in reader.get("/live", q=line[0]).text
    assert reader.get("/live", q=line[0], resource_path=stranger.tenant.slug).status == 404
    assert reader.user is not None
    people.set_role(tenant=stranger.tenant, email=reader.user.email, role=Role.VIEWER, actor=COMMAND_LINE)
    seen = reader.get("/live", q=line[0])
    assert {f"in {world.tenant.slug}", f"in {stranger.tenant.slug}"} <= {
        f"in {slug}" for slug in re.findall(r"in (e\w{12})", seen.text)
    }
    assert Person().get("/live", q=line[0]).to.startswith("/sign-in?next=")


def test_every_page_of_an_entity_has_the_box(world: World, reader: Person, shop: str) -> None:
    for page in (f"/entities/{shop}", f"/settings/{world.tenant.slug}/api"):
        html = reader.get(page).html
        assert f'<input type="hidden" name="resource_path" value="{world.tenant.slug}">' in html
        assert 'action="/live"' in html
    assert 'name="q"' not in reader.get("/account").html
    assert reader.get("/live").html.count('name="q"') == 1


def test_a_tickets_page_tells_where_it_is_live_its_commits_and_their_releases(
    world: World, reader: Person, git_repo: GitRepo, shop: str, line: list[str]
) -> None:
    git_repo.commit("SHOP-1: and more", at=FIRST_DAY + 5 * DAY)
    world.index(world.repo("shop", git_repo))
    release(world, shop, line[1], "rc", environment="staging")
    page = f"/entities/{world.tenant.slug}/-/tickets/"
    seen = reader.get(f"{page}shop-1")
    assert rows(seen)[1:3] == [
        f"acme/shop production partly live {rows(seen)[1].split('partly live ')[1]}",
        f"acme/shop staging partly live {rows(seen)[2].split('partly live ')[1]}",
    ]
    assert all("1 of 2" in row for row in rows(seen)[1:3])
    assert [row.rsplit("acme/shop ", 1)[1] for row in rows(seen)[4:]] == ["not yet", "v1 production rc staging"]
    assert "&lt;b&gt;step&lt;/b&gt;" in seen.html
    assert "Numbers count per repo" not in seen.text
    claimed = reader.get(f"{page}BANANA-7")
    assert "said to resolve it 1" in claimed.text
    assert reader.get(f"{page}NOPE-1").status == 404
    assert reader.get(f"{page}{quote('#', safe='')}1").status == 404


def test_a_tickets_page_marks_what_was_amended_away(
    world: World, reader: Person, git_repo: GitRepo, shop: str, line: list[str]
) -> None:
    first = git_repo.commit("TILL-9: as first pushed", at=FIRST_DAY + 5 * DAY)
    repo = world.repo("shop", git_repo)
    git_repo.point("main", line[2])
    git_repo.commit("TILL-9: amended", at=FIRST_DAY + 6 * DAY)
    world.index(repo)
    page = f"/entities/{world.tenant.slug}/-/tickets/TILL-9"
    seen = reader.get(page)
    assert rows(seen)[1].endswith(" 1")
    assert [row.rsplit("acme/shop ", 1)[1] for row in rows(seen)[3:]] == ["not yet", "on no branch any more"]
    assert "counts only where it was" in seen.text
    # A branch that is not merged yet holds it again.
    git_repo.point("topic", first)
    world.index(repo)
    seen = reader.get(page)
    assert [row.rsplit("acme/shop ", 1)[1] for row in rows(seen)[3:]] == ["not yet", "not yet"]
    assert "counts only where it was" not in seen.text


def test_what_was_amended_away_after_a_release_to_one_environment_is_marked_beside_it(
    world: World, reader: Person, git_repo: GitRepo, shop: str, line: list[str]
) -> None:
    first = git_repo.commit("TILL-9: as first pushed", at=FIRST_DAY + 5 * DAY)
    repo = world.repo("shop", git_repo)
    release(world, shop, first, "rc", environment="staging")
    git_repo.point("main", line[2])
    git_repo.commit("TILL-9: amended", at=FIRST_DAY + 6 * DAY)
    world.index(repo)
    seen = reader.get(f"/entities/{world.tenant.slug}/-/tickets/TILL-9")
    found = [row.rsplit("acme/shop ", 1)[1] for row in rows(seen) if "TILL-9:" in row]
    assert found == ["not yet", "rc staging on no branch any more"]


def test_a_number_is_a_ticket_of_each_repo(world: World, reader: Person, git_repo: GitRepo) -> None:
    Entity.objects.filter(id=world.tenant.id).update(ticket_numbers=True)
    git_repo.commit("Mend it (#12)", at=FIRST_DAY)
    world.repo("shop", git_repo)
    seen = reader.get(f"/entities/{world.tenant.slug}/-/tickets/%2312")
    assert seen.status == 200
    assert "Numbers count per repo: #12" in seen.text
    assert f"/entities/{world.tenant.slug}/-/tickets/%2312" in reader.get("/live", q="#12").html


def test_a_release_leads_to_the_tickets_that_its_commits_speak_of(
    world: World, reader: Person, shop: str, line: list[str]
) -> None:
    made = release(world, shop, line[2], "v2", 10, issue_keys_resolved="banana-8")
    seen = reader.get(f"/entities/{shop}/releases/{made}")
    tickets = re.findall(rf'href="/entities/{world.tenant.slug}/-/tickets/([^"]+)"', seen.html)
    assert set(tickets) == {"SHOP-2", "SHOP-3", "BANANA-8", "banana-8"}


def test_a_key_that_browsers_would_fold_away_is_no_link(world: World, reader: Person, git_repo: GitRepo) -> None:
    Entity.objects.filter(id=world.tenant.id).update(ticket_pattern=r"[./]{1,3}/[0-9]{1,3}|\.{2}")
    git_repo.commit("../12: .../3 and all that", at=FIRST_DAY)
    path = world.repo("shop", git_repo).path
    seen = reader.get(f"/entities/{path}/waiting")
    assert "../12, .../3" in seen.text
    tickets = f"/entities/{world.tenant.slug}/-/tickets/"
    assert re.findall(f'href="{tickets}([^"]*)"', seen.html) == [".../3"]
    assert reader.get(f"{tickets}.../3").status == 200
    assert tickets not in reader.get("/live", q="../12").html


def test_what_waits_is_counted_on_each_level_and_listed(
    world: World, reader: Person, git_repo: GitRepo, shop: str, line: list[str]
) -> None:
    world.repo("till", git_repo)
    entity, organization = f"/entities/{world.tenant.slug}", f"/entities/{world.tenant.slug}/acme"
    for page, waiting, count in (
        (entity, f"{entity}/-/waiting", 5),
        (organization, f"{organization}/-/waiting", 5),
        (f"/entities/{shop}", f"/entities/{shop}/waiting", 2),
    ):
        assert f'data-hx-get="{waiting}?count=1"' in reader.get(page).html
        part = reader.get(waiting, count="1")
        assert (part.text.strip(), f'href="{waiting}"' in part.html) == (f"{count} commits wait for release", True)
        assert "<html" not in part.html
        assert f"{count} commits on the release branch" in reader.get(waiting).text
    seen = reader.get(f"/entities/{shop}/waiting")
    assert [row[:24] for row in rows(seen)[1:]] == ["2020-09-15 12:26 SHOP-2:", "2020-09-16 12:26 SHOP-3:"]
    assert "nothing was ever released there" in reader.get(f"{entity}/-/waiting").text
    release(world, shop, line[2], "all", 11)
    assert "Everything on the release branches was released" in reader.get(f"/entities/{shop}/waiting").text
    assert reader.get(f"/entities/{shop}/waiting", count="1").text.strip() == "Nothing waits for release."


def test_nobody_is_told_that_all_was_released_where_nobody_could_look(
    world: World, reader: Person, git_repo: GitRepo, line: list[str]
) -> None:
    entity = f"/entities/{world.tenant.slug}"
    astray = f"/entities/{world.astray(git_repo).path}/waiting"
    for page in (astray, f"{entity}/-/waiting"):
        seen = reader.get(page)
        assert "What waits here can’t be told" in seen.text
        assert "was released" not in seen.text
        assert 'ts release branch "gone" is not on the remote: choose its release branch under Settings' in seen.text
        assert reader.get(page, count="1").text.strip() == "What waits for release can’t be told"
    world.repo("blind")
    till = str(world.repo("till", git_repo).path)
    release(world, till, line[2], "all")
    seen = reader.get(f"{entity}/-/waiting")
    assert "Everything on the release branches that could be looked at was released to production." in seen.text
    assert rows(seen)[1:] == [
        'acme/astray Its release branch "gone" is not on the remote: choose its release branch under Settings → Repos.',
        "acme/blind It has no remote: give it a git address under Settings → Repos.",
    ]
    assert (
        reader.get(f"{entity}/-/waiting", count="1").text.strip() == "Nothing waits for release, as far as can be told"
    )
    assert reader.get(f"/entities/{till}/waiting", count="1").text.strip() == "Nothing waits for release."


def test_what_waits_is_shown_for_the_environment_that_is_chosen(
    world: World, reader: Person, shop: str, line: list[str]
) -> None:
    release(world, shop, line[1], "rc", environment="staging")
    seen = reader.get(f"/entities/{shop}/waiting", environment="staging")
    assert "1 commit on the release branch is in no release to staging" in seen.text
    assert "<option selected>staging</option>" in seen.html
    assert "in no release to production" in reader.get(f"/entities/{shop}/waiting", environment="no such\x00").text
    assert "past the last commit" in reader.get(f"/entities/{shop}/waiting", page="9").text


@pytest.mark.parametrize("page", ["/live?q=SHOP-1", "/entities/{e}/-/tickets/SHOP-1", "/entities/{e}/-/waiting"])
def test_a_page_costs_as_many_questions_for_many_repos_as_for_one(
    world: World, git_repo: GitRepo, line: list[str], page: str
) -> None:
    reader, address = Person.of(world, Role.VIEWER), page.format(e=world.tenant.slug)

    def questions(*slugs: str) -> int:
        for slug in slugs:
            path = str(world.repo(slug, git_repo).path)
            release(world, path, line[0], f"v-{slug}")
            release(world, path, line[1], f"rc-{slug}", environment="staging")
        reader.get(address)
        with asked() as seen:
            assert reader.get(address).status == 200
        return seen.count

    few = questions("one")
    assert questions("two", "three", "four") == few
    assert few <= 25


# Badges


def parsed(svg: str) -> ET.Element:
    return ET.fromstring(svg)  # noqa: S314 -- our own picture


def text_of(svg: str) -> str:
    return "|".join(each.text or "" for each in parsed(svg).iter("{http://www.w3.org/2000/svg}text"))


def test_badges_are_off_until_an_owner_switches_them_on(world: World, shop: str, line: list[str]) -> None:
    owner, settings = Person.of(world, Role.OWNER), f"/settings/{world.tenant.slug}"
    stranger, address = Client(), f"/badge/{shop}/production.svg"
    off, nowhere = (stranger.get(each) for each in (address, "/badge/no/such/repo/production.svg"))
    assert (
        (off.status_code, off.content) == (nowhere.status_code, nowhere.content) == (404, b"There is no badge here.\n")
    )
    form = {"name": "", "time_zone": "UTC", "date_order": ""}
    assert owner.post(settings, **form, public_badges="on").to == settings
    on = stranger.get(address)
    assert (on.status_code, on.headers["Content-Type"]) == (200, "image/svg+xml")
    assert on.headers["Cache-Control"] == "public, max-age=60"
    assert on.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert "Set-Cookie" not in on.headers
    assert text_of(on.content.decode()) == "production|v1"
    assert 'name="public_badges" id="id_public_badges" checked' in owner.get(settings).html.replace(
        'aria-describedby="id_public_badges_helptext" ', ""
    )
    owner.post(settings, **form)
    assert stranger.get(address).status_code == 404


def test_a_badge_tells_the_release_or_whether_a_commit_is_live(world: World, shop: str, line: list[str]) -> None:
    Entity.objects.filter(id=world.tenant.id).update(public_badges=True)

    def said(environment: str = "production", **query: str) -> str:
        response = Client().get(f"/badge/{shop}/{environment}.svg", query)
        assert response.status_code == 200
        return text_of(response.content.decode()).split("|")[1]

    assert said(sha=line[0]) == said(sha=line[0][:8]) == "live"
    assert said(sha=line[1]) == "merged, not released"
    assert said(sha="f" * 40) == said(sha="nonsense") == said(sha="") == "not known"
    assert said("staging") == said("eu/prod.2") == "nothing released"
    release(world, shop, line[1], "", 10)
    assert said() == line[1][:8]
    release(world, shop, line[0], "back", 11)
    assert (said(), said(sha=line[1])) == ("back", "withdrawn")
    release(world, shop, line[2], "broken", 12, status="failed")
    assert said() == "back"
    assert Client().post(f"/badge/{shop}/production.svg").status_code == 405


@pytest.mark.parametrize(
    ("label", "message"),
    [("production", "v1.2.3"), ("<&\">'", "</text><script>"), ("x" * 99, "y" * 99), ("", ""), ("日本", "é\u202e")],
)
def test_a_badge_is_well_formed_whatever_it_says(label: str, message: str) -> None:
    svg = badge(label, message, Tone.GOOD)
    root = parsed(svg)
    assert text_of(svg).startswith(label[: LONGEST - 1])
    assert root.attrib["height"] == str(HEIGHT)
    assert max(map(len, text_of(svg).split("|"))) <= LONGEST
    assert int(root.attrib["width"]) >= sum(int(each.attrib["textLength"]) for each in root.iter() if each.get("x"))
    assert "<script>" not in svg

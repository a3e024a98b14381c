"""The pages that tell what changed: of a release, and of any two points."""

from __future__ import annotations

import csv
import io
from uuid import UUID

import pytest

from shipmend.core.values import Role
from tests.delivery.shop import Shop
from tests.gitworld import GRACE, GitRepo
from tests.questions import asked
from tests.web.cast import Person, Seen
from tests.world import World

pytestmark = pytest.mark.database


@pytest.fixture
def line(git_repo: GitRepo) -> list[str]:
    """Five commits; the last one's words are not to be trusted."""
    made = [git_repo.commit(f"change {n}", files={"log": "y\n" * n, f"src/f{n}": "x\n"}) for n in range(4)]
    return [*made, git_repo.commit("<script>alert(1)</script>", author=GRACE, files={"<b>.txt": "x\n", "bin": "\0"})]


@pytest.fixture
def shop(world: World, git_repo: GitRepo, line: list[str]) -> Shop:
    return Shop(world, git_repo)


@pytest.fixture
def reader(world: World) -> Person:
    return Person.of(world, Role.VIEWER)


def look(reader: Person, shop: Shop, release: UUID, **query: str) -> Seen:
    seen = reader.get(f"/entities/{shop.path}/releases/{release}", **query)
    assert seen.status == 200
    return seen


def compare(reader: Person, shop: Shop, **query: str) -> Seen:
    return reader.get(f"/entities/{shop.path}/compare", **query)


def test_the_page_of_a_release_tells_what_it_changed(reader: Person, shop: Shop, line: list[str]) -> None:
    first = shop.release(line[1], name="v1")
    second = shop.release(line[4], name="v2", issue_keys_resolved="PAY-1")
    shop.defect("OUTAGE", fix_released_sha=line[3], description="tills down")
    shop.measure()
    seen = look(reader, shop, second)
    assert "3 commits by 2 people, 5 files, 5 lines inserted, 0 deleted." in seen.text
    assert f'<a href="/entities/{shop.path}/releases/{first}">v1</a>' in seen.html
    for sha, subject in zip(line[2:4], ("change 2", "change 3"), strict=True):
        assert f"{sha[:8]} {subject}" in seen.text
    assert f"{line[1][:8]} change 1" not in seen.text
    for words in ("log modified +2", "src/f2 added +1", "bin added, binary", "OUTAGE tills down", "Grace Hopper 1"):
        assert words in seen.text
    assert "PAY-1" in seen.text


def test_nothing_of_what_committers_write_is_markup(reader: Person, shop: Shop, line: list[str]) -> None:
    seen = look(reader, shop, shop.release(line[4]))
    assert "<script>alert" not in seen.html
    assert "<b>.txt" not in seen.html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in seen.html


def test_lines_not_counted_yet_are_said_to_be_and_the_page_looks_again(
    reader: Person, shop: Shop, line: list[str]
) -> None:
    release = shop.release(line[3])
    seen = look(reader, shop, release)
    assert "lines are being counted" in seen.text
    assert "data-hx-get" in seen.html
    shop.measure()
    seen = look(reader, shop, release)
    assert "being counted" not in seen.text
    assert "data-hx-get" not in seen.html


def test_the_views_are_links_that_keep_nothing_but_the_view(
    reader: Person, shop: Shop, line: list[str], git_repo: GitRepo
) -> None:
    fix = git_repo.commit("hotfix", branch="hotfix", parents=[line[1]])
    merged = git_repo.merge("hotfix")
    shop.world.index(shop.row)
    for sha in (line[2], fix):
        shop.release(sha)
    last = shop.release(merged)
    union, notes = look(reader, shop, last, page="1"), look(reader, shop, last, view="ancestor")
    assert 'href="?view=ancestor#changes"' in union.html
    assert 'href="?view=union#changes"' in notes.html
    assert f"{line[2][:8]} change 2" not in union.text.partition("Commits")[2]
    listed = notes.text.partition("Commits")[2]
    assert (f"{line[2][:8]} change 2" in listed) is not (f"{fix[:8]} hotfix" in listed)
    assert look(reader, shop, last, view="nonsense").text == union.text


def test_commits_are_paged_and_each_page_has_an_address(reader: Person, shop: Shop, git_repo: GitRepo) -> None:
    made = [git_repo.commit(f"more {n}") for n in range(120)]
    shop.world.index(shop.row)
    release = shop.release(made[-1])
    first, second = look(reader, shop, release), look(reader, shop, release, page="2")
    assert "Page 1 of 2" in first.text
    assert "?page=2#commits" in first.html
    assert f"{made[-1][:8]} more 119" in first.text
    assert f"{made[0][:8]} more 0" not in first.text
    assert f"{made[0][:8]} more 0" in second.text
    assert "past the last commit" in look(reader, shop, release, page="9").text


def test_markdown_and_csv_are_taken_along_whole(reader: Person, shop: Shop, line: list[str]) -> None:
    release = shop.release(line[4], name='v2 "final"')
    assert 'href="?format=markdown"' in look(reader, shop, release).html
    notes = look(reader, shop, release, format="markdown")
    assert notes.headers["Content-Type"] == "text/markdown; charset=utf-8"
    assert '# v2 "final"' in notes.html
    table = look(reader, shop, release, format="csv", view="ancestor")
    assert table.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert table.headers["Content-Disposition"] == 'attachment; filename="changes v2 \\"final\\".csv"'
    kinds = {row["kind"] for row in csv.DictReader(io.StringIO(table.html))}
    assert kinds == {"commit", "author", "place", "file"}


def test_a_rollback_says_what_it_withdraws_and_leads_to_the_comparison(
    reader: Person, shop: Shop, line: list[str]
) -> None:
    shop.release(line[1], name="v1")
    later = shop.release(line[3], name="v2")
    back = shop.release(line[1], name="back")
    seen = look(reader, shop, back)
    assert "Of v2 , the release before it, 2 commits are withdrawn." in seen.text
    link = f"/entities/{shop.path}/compare?from={later}&amp;to={back}"
    assert link in seen.html
    compared = reader.get(link.replace("&amp;", "&"))
    assert "2 commits of v2 are not in back." in compared.text


def test_why_nothing_can_be_told_is_told(reader: Person, shop: Shop, line: list[str]) -> None:
    seen = look(reader, shop, shop.release(line[3], status="failed"))
    assert "It failed, so it shipped nothing." in seen.text
    assert "format=markdown" not in seen.html


# Any two points


def test_two_points_are_compared_at_an_address_that_can_be_sent_on(
    reader: Person, shop: Shop, line: list[str], git_repo: GitRepo
) -> None:
    git_repo.tag("v1", line[1])
    shop.world.index(shop.row)
    assert 'name="from"' in compare(reader, shop).html
    seen = compare(reader, shop, **{"from": "v1", "to": line[3][:10]})
    assert seen.status == 200
    assert "2 commits by 1 person, 3 files, 4 lines inserted, 0 deleted." in seen.text
    assert f'href="?from={line[3][:10]}&amp;to=v1"' in seen.html
    assert 'value="v1"' in seen.html
    back = compare(reader, shop, **{"from": line[3], "to": "v1"})
    assert f"2 commits of {line[3][:8]} are not in v1." in back.text
    notes = compare(reader, shop, **{"from": "v1", "to": line[3], "format": "markdown"})
    assert "Compared with v1" in notes.html


@pytest.mark.parametrize("name", ["no-such-tag", "v\0", "x" * 300, ""])
def test_a_point_that_is_none_is_told_at_its_field(reader: Person, shop: Shop, line: list[str], name: str) -> None:
    seen = compare(reader, shop, **{"from": line[0], "to": name})
    assert seen.status == 400
    assert 'id="id_to_error"' in seen.html
    assert 'id="id_from_error"' not in seen.html


def test_a_repo_s_page_leads_to_the_comparison(reader: Person, shop: Shop) -> None:
    assert f'href="/entities/{shop.path}/compare"' in reader.get(f"/entities/{shop.path}").html


def test_strangers_see_nothing(stranger: World, shop: Shop, line: list[str]) -> None:
    other, release = Person.of(stranger, Role.OWNER), shop.release(line[3])
    assert other.get(f"/entities/{shop.path}/releases/{release}").status == 404
    assert compare(other, shop, **{"from": line[0], "to": line[1]}).status == 404
    assert Person().get(f"/entities/{shop.path}/compare").status == 302


def test_a_page_costs_as_many_queries_for_many_commits_as_for_few(
    reader: Person, shop: Shop, git_repo: GitRepo, line: list[str]
) -> None:
    many = [git_repo.commit(f"more {n}", author=(f"P{n}", f"p{n}@x"), files={f"d{n}/f": "x\n"}) for n in range(150)]
    shop.world.index(shop.row)
    releases = [shop.release(sha) for sha in (line[0], line[2], many[-1])]
    for n in range(20):
        shop.defect(f"D-{n}", fix_released_sha=many[n])
    shop.measure()

    def cost(release: UUID) -> int:
        with asked() as questions:
            look(reader, shop, release)
        return questions.count

    few = cost(releases[1])
    assert cost(releases[2]) == few
    assert few <= 40

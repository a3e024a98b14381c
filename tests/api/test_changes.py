"""What changed, by API: as JSON in pages, as Markdown and CSV whole, and only within reach."""

from __future__ import annotations

import csv
import io
from uuid import UUID, uuid4

import pytest
from django.test import Client

from shipmend.core.values import Scope
from tests.delivery.shop import Shop
from tests.gitworld import ADA, GitRepo
from tests.world import FIRST_DAY, Reply, World

pytestmark = pytest.mark.database


@pytest.fixture
def line(git_repo: GitRepo) -> list[str]:
    return [
        git_repo.commit(f"=change *{n}*", at=FIRST_DAY + n, files={"log": "y\n" * n, f"d{n}/f": "x\n"})
        for n in range(1, 6)
    ]


@pytest.fixture
def shop(world: World, git_repo: GitRepo, line: list[str]) -> Shop:
    return Shop(world, git_repo)


def changes(shop: Shop, release: UUID, **parameters: object) -> Reply:
    return shop.api.get(f"releases/{release}/changes", **parameters)


def text(shop: Shop, path: str, **parameters: str) -> tuple[str, str]:
    """Content type and text of an answer that is no JSON."""
    headers = {"Authorization": f"Bearer {shop.api.token}"}
    response = Client().get(f"/api/v1/{path}", parameters, headers=headers)
    assert response.status_code == 200
    return response["Content-Type"], response.content.decode()


def test_a_release_tells_all_that_changed(shop: Shop, line: list[str]) -> None:
    first, second = shop.release(line[1], name="v1"), shop.release(line[3], name="v2", issue_keys_resolved="PAY-1")
    shop.defect("D", fix_released_sha=line[2], description="down")
    shop.measure()
    reply = changes(shop, second)
    assert reply.words == (200, "response_success")
    assert reply.json["response_detail"] == "2 commits by 1 person, 3 files, 4 lines inserted, 0 deleted."
    assert (reply.json["page"], reply.json["pages"], reply.json["per_page"], reply.json["total"]) == (1, 1, 100, 2)
    assert reply.json["changes"] == {
        "from": {"sha": line[1], "name": "v1", "release_id": str(first)},
        "to": {"sha": line[3], "name": "v2", "release_id": str(second)},
        "view": "union",
        "reason": None,
        "commits": [
            {
                "sha": line[n - 1],
                "subject": f"=change *{n}*",
                "author_name": ADA[0],
                "author_email": ADA[1],
                "authored_at": f"2020-09-13T12:26:4{n}Z",
            }
            for n in (4, 3)
        ],
        "commits_total": 2,
        "commits_withdrawn": 0,
        "authors": [{"name": ADA[0], "email": ADA[1], "commits": 2}],
        "authors_total": 1,
        "lines": "counted",
        "files_total": 3,
        "insertions": 4,
        "deletions": 0,
        "files": [
            {"path": "log", "status": "M", "insertions": 2, "deletions": 0},
            {"path": "d3/f", "status": "A", "insertions": 1, "deletions": 0},
            {"path": "d4/f", "status": "A", "insertions": 1, "deletions": 0},
        ],
        "places": [
            {"place": "*", "files": 1, "insertions": 2, "deletions": 0},
            {"place": "d3/", "files": 1, "insertions": 1, "deletions": 0},
            {"place": "d4/", "files": 1, "insertions": 1, "deletions": 0},
        ],
        "issue_keys": ["PAY-1"],
        "defects_fixed": [{"defect_key": "D", "description": "down", "detected_at": "2020-09-13T12:26:40Z"}],
        "defects_blamed": [],
    }


def test_lines_that_have_not_been_counted_are_null_and_not_nought(shop: Shop, line: list[str]) -> None:
    told = changes(shop, shop.release(line[3])).json["changes"]
    assert (told["lines"], told["files_total"], told["insertions"], told["deletions"]) == ("pending", 5, None, None)
    assert {place["insertions"] for place in told["places"]} == {None}


def test_the_two_views_differ_after_a_hotfix(shop: Shop, line: list[str], git_repo: GitRepo) -> None:
    fix = git_repo.commit("hotfix", branch="hotfix", parents=[line[1]])
    merged = git_repo.merge("hotfix")
    shop.world.index(shop.row)
    shop.release(line[2])
    shop.release(fix)
    last = shop.release(merged)
    union, notes = (changes(shop, last, view=view).json["changes"] for view in ("union", "ancestor"))
    assert {commit["sha"] for commit in union["commits"]} == {merged, line[3], line[4]}
    assert notes["from"]["sha"] in (line[2], fix)
    assert notes["commits_total"] == int(git_repo.git("rev-list", "--count", merged, f"^{notes['from']['sha']}"))
    assert notes["commits_total"] > union["commits_total"]


def test_commits_come_in_pages(shop: Shop, git_repo: GitRepo) -> None:
    made = [git_repo.commit(f"more {n}") for n in range(130)]
    shop.world.index(shop.row)
    release = shop.release(made[-1])
    pages = [changes(shop, release, page=page).json for page in (1, 2, 3)]
    listed = [[commit["sha"] for commit in page["changes"]["commits"]] for page in pages]
    assert [len(part) for part in listed] == [100, 35, 0]
    assert (pages[0]["pages"], pages[0]["total"]) == (2, 135)
    assert listed[0] + listed[1] == git_repo.git("rev-list", "--topo-order", made[-1]).split()


def test_markdown_and_csv_have_every_commit_and_no_envelope(shop: Shop, git_repo: GitRepo) -> None:
    made = [git_repo.commit(f"more {n}") for n in range(130)]
    shop.world.index(shop.row)
    release = shop.release(made[-1], name="v1")
    kind, notes = text(shop, f"releases/{release}/changes", format="markdown")
    assert kind == "text/markdown; charset=utf-8"
    assert notes.startswith("# v1\n\n135 commits by 1 person")
    assert all(sha[:8] in notes for sha in made)
    assert "- =change \\*5\\*" not in notes
    assert "- \\=change \\*5\\*" in notes
    kind, table = text(shop, f"releases/{release}/changes", format="csv")
    assert kind == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(table)))
    assert [row["key"] for row in rows if row["kind"] == "commit"][::-1][5:] == made
    assert "'=change *5*" in {row["text"] for row in rows}


def test_any_two_commits_are_compared(shop: Shop, line: list[str]) -> None:
    release = shop.release(line[1], name="v1")
    call = {"resource_path": shop.path, "from": release, "to": line[3][:10]}
    told = shop.api.get("changes", **call).json["changes"]
    assert [commit["sha"] for commit in told["commits"]] == [line[3], line[2]]
    assert (told["view"], told["lines"], told["insertions"]) == (None, "counted", 4)
    back = shop.api.get("changes", **{**call, "from": line[3], "to": release}).json["changes"]
    assert (back["commits"], back["commits_withdrawn"], back["deletions"]) == ([], 2, 4)
    _, notes = text(
        shop, "changes", resource_path=shop.path, **{"from": str(release), "to": line[3], "format": "markdown"}
    )
    assert "Compared with v1" in notes


def test_why_nothing_can_be_told_is_the_detail(shop: Shop, line: list[str]) -> None:
    reply = changes(shop, shop.release(line[3], status="failed"))
    assert reply.words == (200, "response_success")
    assert reply.json["response_detail"] == reply.json["changes"]["reason"] == "It failed, so it shipped nothing."
    assert (reply.json["changes"]["files_total"], reply.json["total"]) == (None, 0)


@pytest.mark.parametrize(
    ("parameters", "named"),
    [
        ({"view": "both"}, "view"),
        ({"format": "html"}, "format"),
        ({"page": "0"}, "page"),
    ],
)
def test_what_can_not_be_read_is_named(shop: Shop, line: list[str], parameters: dict[str, str], named: str) -> None:
    reply = changes(shop, shop.release(line[3]), **parameters)
    assert reply.words == (400, "response_invalid_params")
    assert reply.json["response_detail"].startswith(named)


def test_two_ends_are_needed_of_one_repo(shop: Shop, line: list[str]) -> None:
    whole = {"resource_path": shop.path, "from": line[0], "to": line[1]}
    for missing in whole:
        call = {name: value for name, value in whole.items() if name != missing}
        reply = shop.api.get("changes", **call)
        assert reply.words == (400, "response_invalid_params")
        assert reply.json["response_detail"].startswith(f"{missing} is missing")
    refused = shop.api.get("changes", **{**whole, "resource_path": shop.world.path})
    assert "commits are a repo's" in refused.json["response_detail"]
    unknown = shop.api.get("changes", **{**whole, "to": "no-such-tag"})
    assert unknown.words == (400, "response_invalid_params")
    assert unknown.json["response_detail"].startswith('to "no-such-tag" names no commit')


def test_what_is_out_of_reach_is_not_found(shop: Shop, stranger: World, line: list[str]) -> None:
    release = shop.release(line[3])
    elsewhere = shop.world.repo("elsewhere")
    for api in (stranger.api(), shop.world.api(at=elsewhere.path)):
        assert api.get(f"releases/{release}/changes").words == (404, "response_not_found")
        call = {"resource_path": shop.path, "from": line[0], "to": line[1]}
        assert api.get("changes", **call).words == (404, "response_not_found")
    assert shop.api.get(f"releases/{uuid4()}/changes").words == (404, "response_not_found")
    writes_only = shop.world.api(scopes=frozenset({Scope.RELEASES_WRITE}))
    assert writes_only.get(f"releases/{release}/changes").words == (403, "response_forbidden")


def test_the_document_tells_of_the_forms(shop: Shop) -> None:
    paths = shop.api.get("openapi.json").json["paths"]
    for path in ("/changes", "/releases/{release_id}/changes"):
        content = paths[path]["get"]["responses"]["200"]["content"]
        assert set(content) == {"application/json", "text/markdown", "text/csv"}

"""The rows behind figures by API: each with all that the metrics rest on, in pages or whole, and as git has them."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from shipmend.api.parameters import ResourceType
from shipmend.api.report_schemas import ROW_COLUMNS
from shipmend.core.moments import iso
from shipmend.reports import listing
from shipmend.reports.commit_rows import CommitListing
from tests.gitworld import ADA, GRACE, GitRepo
from tests.reports.busy import FIRST, LAST, Busy
from tests.world import FIRST_DAY, Api, World

pytestmark = pytest.mark.database

DAY = 86_400


@pytest.fixture(scope="module")
def busy(instance: object, tmp_path_factory: pytest.TempPathFactory) -> Busy:
    return Busy(World.make(), tmp_path_factory.mktemp("busy"), 11)


def body(api: Api, **parameters: object) -> tuple[str, str]:
    """The media type and the text of a streamed answer."""
    response = stream(api, **parameters)
    return response["Content-Type"], b"".join(response.streaming_content).decode()


def stream(api: Api, **parameters: object) -> Any:
    """A streamed answer as it comes."""
    texts = {name: str(value) for name, value in parameters.items()}
    response: Any = api.client.get("/api/v1/audits", texts, headers={"Authorization": f"Bearer {api.token}"})
    assert (response.status_code, response.streaming) == (200, True)
    return response


def pages(api: Api, **parameters: object) -> Iterator[dict[str, Any]]:
    """Every row, page by page."""
    number, count = 1, 1
    while number <= count:
        reply = api.get("audits", **parameters, page=number)
        assert reply.words == (200, "response_success")
        yield from reply.json["audits"]
        number, count = number + 1, reply.json["pages"]


def whole(busy: Busy, **more: object) -> dict[str, object]:
    return {"resource_path": busy.world.path, "start_date": FIRST, "end_date": LAST, **more}


def baselines_of(busy: Busy) -> set[str]:
    """The releases whose commits are nobody's."""
    return {row["id"] for row in pages(busy.api, **whole(busy, resource_type="releases")) if row["kind"] == "baseline"}


@pytest.mark.parametrize("kind", list(ResourceType))
def test_pages_lines_and_csv_hold_the_same_rows(busy: Busy, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asking = whole(busy, resource_type=kind)
    rows = list(pages(busy.api, **asking))
    monkeypatch.setattr(listing, "PAGE_SIZE", 7)
    monkeypatch.setattr(listing.page_of, "__defaults__", (7,))
    monkeypatch.setattr(listing, "ROWS_AT_ONCE", 5)
    assert len(rows) > 3
    assert list(pages(busy.api, **asking)) == rows
    media_type, lines = body(busy.api, **asking, format="jsonl")
    assert media_type.startswith("application/x-ndjson")
    assert [json.loads(line) for line in lines.splitlines()] == rows
    assert all(tuple(row) == ROW_COLUMNS[ResourceType(kind)] for row in rows)
    media_type, text = body(busy.api, **asking, format="csv")
    assert media_type.startswith("text/csv")
    header, *cells = csv.reader(io.StringIO(text, newline=""))
    assert tuple(header) == ROW_COLUMNS[ResourceType(kind)]
    assert len(cells) == len(rows)
    # The names of the releases begin with "=".
    assert not any(cell.startswith("=") for line in cells for cell in line)


def test_a_stream_is_made_a_little_at_a_time(busy: Busy, monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[int] = []
    rows = CommitListing.rows

    def noting(self: CommitListing, skip: int, take: int) -> Any:
        found = rows(self, skip, take)
        taken.append(len(found))
        return found

    monkeypatch.setattr(CommitListing, "rows", noting)
    monkeypatch.setattr(listing, "ROWS_AT_ONCE", 4)
    response = stream(busy.api, **whole(busy, resource_type="commits", format="csv"))
    parts = iter(response.streaming_content)
    for _ in range(4):
        next(parts)
    assert taken == [4]
    assert max(len(part) for part in parts) < 2000
    assert max(taken) == 4


def test_the_commits_of_each_release_are_those_of_git(busy: Busy) -> None:
    releases = {row["id"]: row for row in pages(busy.api, **whole(busy, resource_type="releases"))}
    commits = list(pages(busy.api, **whole(busy, resource_type="commits")))
    found: defaultdict[str, set[str]] = defaultdict(set)
    for row in commits:
        found[row["release_id"]].add(row["sha"])
        assert row["released_at"] == releases[row["release_id"]]["released_at"]
    assert len(commits) == sum(len(each) for each in found.values()) == sum(r["commits"] for r in releases.values())
    for slug, git in busy.gits.items():
        own = [row for row in releases.values() if row["resource_path"].endswith(slug) and row["status"] == "succeeded"]
        seen: list[str] = []
        for row in sorted(own, key=lambda each: each["released_at"]):
            new = git.git("rev-list", row["release_sha"], "--not", *seen).split()
            assert found.get(row["id"], set()) == set(new)
            seen.append(row["release_sha"])


def test_an_author_is_a_mail_address_however_it_is_spelt(busy: Busy) -> None:
    commits = list(pages(busy.api, **whole(busy, resource_type="commits")))
    baselines = {
        row["id"] for row in pages(busy.api, **whole(busy, resource_type="releases")) if row["kind"] == "baseline"
    }
    told = {row["email"].lower(): row for row in busy.api.get("developers", **whole(busy)).json["developers"]}
    for asked_for, email in ((ADA[1].upper(), ADA[1]), (GRACE[0], GRACE[1])):
        own = [row for row in commits if row["author_email"].lower() == email and row["release_id"] not in baselines]
        listed = list(pages(busy.api, **whole(busy, resource_type="commits", committer_user_name=asked_for)))
        assert sorted(row["sha"] for row in listed) == sorted(row["sha"] for row in own)
        named = Counter((row["author_name"], row["author_email"]) for row in own)
        assert named[told[email]["name"], told[email]["email"]] == max(named.values())
        assert told[email]["commits"] == len(own)
        assert told[email]["commits_with_lead_time"] == sum(1 for row in own if row["lead_seconds"] is not None)
        assert told[email]["first_released_at"] == min(row["released_at"] for row in own)
        assert told[email]["last_released_at"] == max(row["released_at"] for row in own)
    assert set(told) == {ADA[1], GRACE[1]}
    nobody = busy.api.get("audits", **whole(busy, resource_type="commits", committer_user_name="nobody"))
    assert (nobody.status, nobody.json["total"]) == (200, 0)


def test_tickets_are_those_of_the_commits(busy: Busy) -> None:
    baselines = {
        row["id"] for row in pages(busy.api, **whole(busy, resource_type="releases")) if row["kind"] == "baseline"
    }
    spoken: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in pages(busy.api, **whole(busy, resource_type="commits")):
        for key in row["issue_keys"]:
            if row["release_id"] not in baselines:
                spoken[key].append(row)
    rows = {row["issue_key"]: row for row in pages(busy.api, **whole(busy, resource_type="tickets"))}
    assert set(rows) == set(spoken)
    for key, row in rows.items():
        assert row["commits"] == len(spoken[key])
        assert row["released_at"] == min(each["released_at"] for each in spoken[key])
        assert row["repos"] == sorted({each["resource_path"] for each in spoken[key]})


def test_a_release_says_what_it_resolves_where_no_history_does(world: World) -> None:
    call = {"resource_path": str(world.repo().path), "release_sha": "a" * 40, "released_at": iso(FIRST_DAY)}
    assert world.api().post("releases", call, issue_keys_resolved="shop-7").status == 200
    (row,) = (
        world.api().get("audits", resource_path=world.path, resource_type="tickets", start_date=FIRST).json["audits"]
    )
    assert (row["issue_key"], row["commits"], row["repos"]) == ("SHOP-7", 0, [str(world.repo_path("shop"))])


def test_a_commit_says_why_it_has_no_lead_time(world: World, git_repo: GitRepo) -> None:
    first = git_repo.commit("first", at=FIRST_DAY)
    good = git_repo.commit("good", at=FIRST_DAY + DAY)
    early = git_repo.commit("early", at=FIRST_DAY + DAY, author_at=FIRST_DAY + 9 * DAY, branch="side")
    merge = git_repo.merge("side", at=FIRST_DAY + 2 * DAY)
    world.repo(git=git_repo)
    for sha, day in ((first, 1), (merge, 4)):
        call = {
            "resource_path": str(world.repo_path("shop")),
            "release_sha": sha,
            "released_at": iso(FIRST_DAY + day * DAY),
        }
        assert world.api().post("releases", call).status == 200
    asking = {"resource_path": world.path, "start_date": FIRST, "end_date": LAST, "segment_em": "change_lead_time"}
    rows = {row["sha"]: row for row in pages(world.api(), **asking)}
    assert {sha: (row["excluded_because"], row["lead_seconds"], row["counts_as"]) for sha, row in rows.items()} == {
        first: ("baseline", None, "excluded"),
        good: (None, 3 * DAY, "numerator"),
        early: ("early", None, "excluded"),
        merge: ("merge", None, "excluded"),
    }
    stats = (
        world.api().get("reports", **asking, generate_summary_stats="true").json["summary_stats"]["Change lead time"]
    )
    assert (stats["n"], stats["value"]) == (1, 3 * DAY)
    assert {each["reason"]: each["count"] for each in stats["excluded"]} == {"baseline": 1, "early": 1, "merge": 1}


def test_taking_all_back_and_adding_it_again_in_another_order_changes_no_row(tmp_path: Path) -> None:
    busy = Busy(World.make(), tmp_path, 12, slugs=("shop",))

    def named(value: Any, names: dict[str, str]) -> Any:
        """The same with the ids of releases, which are new after they come back, as their times."""
        if isinstance(value, dict):
            return {key: named(each, names) for key, each in value.items()}
        if isinstance(value, list):
            return [named(each, names) for each in value]
        return names.get(value, value) if isinstance(value, str) else value

    def rows() -> list[Any]:
        told = [row for kind in ("releases", "defects") for row in pages(busy.api, **whole(busy, resource_type=kind))]
        names = {row["id"]: row["released_at"] for row in told if "id" in row}
        return [named(row, names) for row in told]

    before = rows()
    for row in list(pages(busy.api, **whole(busy, resource_type="releases"))):
        assert busy.api.delete(f"releases/{row['id']}").status == 200
    assert list(pages(busy.api, **whole(busy, resource_type="releases"))) == []
    for call in reversed([call for call in busy.calls if call[0] == "releases"]):
        busy.make(call)
    assert rows() == before

"""Is it live, and what waits, by API: answers, refusals, and nothing beyond a token's reach."""

from __future__ import annotations

import json

import pytest
from django.test import Client

from shipmend.core.live import State
from shipmend.core.moments import iso
from shipmend.core.values import ResourcePath, Scope
from tests.gitworld import GitRepo
from tests.world import FIRST_DAY, Api, World

pytestmark = pytest.mark.database

DAY = 24 * 3600


@pytest.fixture
def line(git_repo: GitRepo) -> list[str]:
    return [git_repo.commit(f"SHOP-{n}: change", at=FIRST_DAY + n * DAY) for n in range(1, 4)]


@pytest.fixture
def api(world: World, git_repo: GitRepo, line: list[str]) -> Api:
    """Of two repos with the same history, one has its second commit live, and its first one in staging."""
    for slug in ("shop", "till"):
        world.repo(slug, git_repo)
    api = world.api()
    for sha, name, environment in ((line[1], "v2", "production"), (line[0], "rc1", "staging")):
        when = iso(FIRST_DAY + 9 * DAY)
        call = {"resource_path": str(world.repo_path("shop")), "release_sha": sha, "released_at": when, "name": name}
        assert api.post("releases", call, environment=environment).status == 200
    return api


def states(rows: list[dict[str, object]]) -> dict[tuple[str, object], object]:
    return {(str(row["resource_path"]).rpartition("/")[2], row["environment"]): row["state"] for row in rows}


def test_a_commit_stands_somewhere_in_each_repo_and_environment(world: World, api: Api, line: list[str]) -> None:
    reply = api.get("live", resource_path=world.path, sha=line[1][:10])
    assert reply.words == (200, "response_success")
    assert states(reply.json["live"]) == {
        ("shop", "production"): "live",
        ("shop", "staging"): "merged_not_released",
        ("till", "production"): "merged_not_released",
    }
    assert reply.json["response_detail"] == "merged, not released in 2, live in 1."
    row = reply.json["live"][0]
    release = row.pop("release")
    assert row == {
        "resource_path": str(world.repo_path("shop")),
        "environment": "production",
        "state": "live",
        "since": iso(FIRST_DAY + 9 * DAY),
        "first_live_at": iso(FIRST_DAY + 9 * DAY),
        "commits": 1,
        "commits_live": 1,
        "sha": line[1],
    }
    assert (release["name"], release["release_sha"], release["released_at"]) == ("v2", line[1], row["since"])
    assert api.get(f"releases/{release['id']}").json["release"]["name"] == "v2"
    assert reply.json["context"] == {"entity": world.tenant.slug, "resource_path": str(world.path), "sha": line[1][:10]}


def test_a_ticket_and_a_release_are_asked_for_in_the_same_way(world: World, api: Api) -> None:
    path = world.repo_path("shop")
    ticket = api.get("live", resource_path=path, ticket="shop-1", environment="Production")
    assert ticket.json["response_detail"] == f"{path}, production: live since {iso(FIRST_DAY + 9 * DAY)} in release v2."
    assert states(ticket.json["live"]) == {("shop", "production"): "live"}
    release = api.get("live", resource_path=path, release="v2")
    assert states(release.json["live"]) == {("shop", "production"): "live", ("shop", "staging"): "merged_not_released"}


def test_what_is_not_known_is_a_good_answer(world: World, api: Api) -> None:
    for asked in ({"sha": "f" * 40}, {"ticket": "NONE-1"}, {"release": "v99"}):
        reply = api.get("live", resource_path=world.path, **asked)
        assert reply.words == (200, "response_success")
        (row,) = reply.json["live"]
        assert (row["resource_path"], row["state"], row["release"]) == (str(world.path), "not_known", None)
        assert reply.json["response_detail"] == f"{world.path}: not known."


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({}, "sha is missing, and so are ticket and release"),
        ({"sha": "a" * 40, "ticket": "SHOP-1"}, "ticket stands beside sha"),
        ({"ticket": "SHOP-1", "release": "v1"}, "release stands beside ticket"),
        ({"sha": "xyz"}, 'sha "xyz" is not a commit id'),
        ({"sha": "abcdef"}, "sha"),
        ({"ticket": ""}, "ticket is empty"),
        ({"ticket": "x" * 101}, "has 101 characters"),
        ({"ticket": "a\tb"}, "unprintable"),
        ({"release": ""}, "release is empty"),
        ({"sha": "a" * 40, "environment": ""}, "environment is empty"),
        ({"sha": "a" * 40, "resource_path": "a/b/c/d"}, "resource_path"),
    ],
)
def test_a_question_that_makes_no_sense_is_refused(world: World, asked: dict[str, str], says: str) -> None:
    reply = world.api().get("live", **{"resource_path": world.path, **asked})
    assert reply.words == (400, "response_invalid_params")
    assert says in reply.json["response_detail"]


def test_a_repo_that_cannot_be_looked_at_is_named_and_no_figure_counts_it(world: World, git_repo: GitRepo) -> None:
    git_repo.commit("Start")
    astray, blind = world.astray(git_repo), world.repo("blind")
    api = world.api()
    reply = api.get("waiting", resource_path=world.path)
    assert (reply.json["total"], reply.json["repos"]) == (0, [])
    untold = "can't be told, because"
    sentences = (
        f'{astray.path} {untold} its release branch "gone" is not on the remote: choose its release branch',
        f"{blind.path} {untold} it has no remote: give it a git address",
    )
    assert reply.json["warnings"] == [f"What waits in {each} under Settings → Repos." for each in sentences]
    assert _figure(api, world.path) == (None, 0, False)
    world.repo("till", git_repo)
    assert _figure(api, world.path) == (1, 1, True)
    assert _figure(api, world.repo_path("till")) == (1, 1, True)
    warned = api.get("reports", resource_path=world.path, segment_em="commits_waiting").json["warnings"]
    assert warned == ["commits_waiting leaves out 2 repos that can't be looked at: GET waiting says which, and why."]


def _figure(api: Api, path: ResourcePath) -> tuple[object, ...]:
    """Value, n and is_enough of the commits that wait."""
    reply = api.get("reports", resource_path=path, segment_em="commits_waiting", generate_summary_stats="true")
    (figures,) = reply.json["summary_stats"].values()
    return tuple(figures[name] for name in ("value", "n", "is_enough"))


def test_the_queue_is_told_by_repo_and_in_pages(world: World, api: Api, line: list[str]) -> None:
    reply = api.get("waiting", resource_path=world.path)
    assert reply.words == (200, "response_success")
    assert [(row["resource_path"][-4:], row["sha"]) for row in reply.json["waiting"]] == [
        ("shop", line[2]),
        *(("till", sha) for sha in line),
    ]
    assert reply.json["waiting"][0] == {
        "resource_path": str(world.repo_path("shop")),
        "sha": line[2],
        "subject": "SHOP-3: change",
        "author_name": "Ada Lovelace",
        "authored_at": iso(FIRST_DAY + 3 * DAY),
        "merged_at": iso(FIRST_DAY + 3 * DAY),
        "merged_by": line[2],
        "issue_keys": ["SHOP-3"],
    }
    assert [(repo["commits"], repo["merges"], repo["was_released"]) for repo in reply.json["repos"]] == [
        (1, 0, True),
        (3, 0, False),
    ]
    assert (reply.json["page"], reply.json["pages"], reply.json["total"]) == (1, 1, 4)
    assert reply.json["warnings"] == []
    staging = api.get("waiting", resource_path=world.repo_path("shop"), environment="STAGING")
    assert [row["sha"] for row in staging.json["waiting"]] == line[1:]
    assert api.get("waiting", resource_path=world.path, page=2).json["waiting"] == []
    assert api.get("waiting", resource_path=world.path, page=0).status == 400


def test_strangers_and_tokens_of_another_repo_learn_nothing(
    world: World, stranger: World, api: Api, line: list[str]
) -> None:
    till = world.api(at=world.repo_path("till"))
    unable = world.api(scopes=frozenset({Scope.IMPORTS_WRITE}))
    for call, asked in (("live", {"sha": line[0]}), ("live", {"ticket": "SHOP-1"}), ("waiting", {})):
        for path in (world.path, world.repo_path("shop")):
            for outsider in (stranger.api(), till):
                reply, nowhere = (outsider.get(call, resource_path=each, **asked) for each in (path, f"{path}x"))
                assert reply.words == nowhere.words == (404, "response_not_found")
                assert reply.json["response_detail"] == nowhere.json["response_detail"].replace(f"{path}x", str(path))
            assert unable.get(call, resource_path=path, **asked).words == (403, "response_forbidden")
        mine = till.get(call, resource_path=world.repo_path("till"), **asked)
        member = {row["resource_path"] for row in mine.json[call]}
        assert member == {str(world.repo_path("till"))}


def test_the_document_tells_every_state_there_is(instance: object) -> None:
    document = json.loads(Client().get("/api/v1/openapi.json").content)
    schemas = document["components"]["schemas"]
    assert schemas["Live"]["properties"]["state"]["enum"] == [state.value for state in State]
    operation = document["paths"]["/live"]["get"]
    assert [field["name"] for field in operation["parameters"]] == [
        "resource_path",
        "sha",
        "ticket",
        "release",
        "environment",
    ]
    answer = operation["responses"]["200"]["content"]["application/json"]["schema"]["allOf"][1]["properties"]["live"]
    assert answer["items"]["$ref"] == "#/components/schemas/Live"

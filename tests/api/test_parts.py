"""POST imports for a repo that is part of another one."""

from __future__ import annotations

from typing import Any

import pytest

from shipmend.audit.trail import COMMAND_LINE
from shipmend.catalog.actions import ensure_part
from shipmend.catalog.models import IndexState, Repo
from shipmend.core.globs import LONGEST, MOST
from shipmend.core.values import ResourcePath, Scope
from shipmend.history.actions import INDEX, SIFT
from shipmend.jobs.models import Job
from tests.gitworld import GitRepo
from tests.snapshot import stored_rows
from tests.world import Api, Reply, World

pytestmark = pytest.mark.database


@pytest.fixture
def source(world: World, git_repo: GitRepo) -> Repo:
    git_repo.commit("One", files={"services/a/x": "1"})
    return world.repo("mono", git=git_repo)


def post(world: World, api: Api | None = None, slug: str = "a", **given: object) -> Reply:
    body = {"resource_path": str(world.repo_path(slug)), "source_path": str(world.repo_path("mono")), **given}
    return (api or world.api()).post_json("imports", {name: value for name, value in body.items() if value is not None})


def test_a_part_is_registered_and_its_commits_are_asked_for(world: World, source: Repo) -> None:
    reply = post(world, paths=["services/a/", "!**/*.md"])
    assert reply.words == (200, "response_success")
    assert reply.json["import"] == {
        "resource_path": str(world.repo_path("a")),
        "repo_path": None,
        "state": "waiting",
        "progress": None,
        "error": None,
        "commits": 0,
        "indexed_at": None,
        "source_path": str(source.path),
        "paths": ["services/a/**", "!**/*.md"],
    }
    jobs = Job.objects.filter(entity_id=world.tenant.id, key=str(source.id), done_at=None)
    beside = ("settle", "tend")
    assert sorted(jobs.exclude(kind__in=beside).values_list("kind", flat=True)) == sorted([INDEX, SIFT])
    world.index(source)
    listed = world.api().get("imports", resource_path=world.repo_path("a")).json["imports"]
    assert [(one["state"], one["commits"]) for one in listed] == [("ready", 1)]


@pytest.mark.parametrize(
    "paths", [["services/a/**", "!**/*.md"], "services/a/**\n !**/*.md\r\n"], ids=["a list", "lines"]
)
def test_paths_are_a_list_or_lines(world: World, source: Repo, paths: object) -> None:
    assert post(world, paths=paths).json["import"]["paths"] == ["services/a/**", "!**/*.md"]
    assert source.commit_count == 0


def test_paths_may_come_from_a_form_in_either_spelling(world: World, source: Repo) -> None:
    api, call = world.api(), {"resource_path": world.repo_path("a"), "source_path": source.path}
    assert api.post("imports", call, paths="a/**").json["import"]["paths"] == ["a/**"]
    assert api.post("imports", {**call, "paths[]": ["b/**", "c"]}).json["import"]["paths"] == ["b/**", "c"]


def test_the_same_call_again_changes_nothing_and_other_paths_change_the_part(world: World, source: Repo) -> None:
    post(world, paths=["services/a/**"])
    world.index(source)
    post(world, paths=["services/a/**"])
    part = Repo.objects.get(entity_id=world.tenant.id, slug="a")
    assert (part.index_state, part.source_id) == (IndexState.READY, source.id)
    assert post(world, paths=["services/b/**"]).json["import"]["state"] == "waiting"
    assert Repo.objects.filter(entity_id=world.tenant.id).count() == 2


def test_a_part_is_indexed_again_by_its_path_alone(world: World, source: Repo) -> None:
    post(world, paths=["services/a/**"])
    Job.objects.filter(entity_id=world.tenant.id).delete()
    assert post(world, source_path=None).status == 200
    assert Job.objects.filter(entity_id=world.tenant.id, kind=INDEX, key=str(source.id)).count() == 1


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({}, ["paths", "name nothing"]),
        ({"paths": []}, ["paths", "name nothing"]),
        ({"paths": ["/srv"]}, ["paths", '"/srv"', "absolute", "services/checkout/**"]),
        ({"paths": ["ok", "../up"]}, ["paths", '"../up"', "dots"]),
        ({"paths": ["-x"]}, ["paths", '"-x"', "option"]),
        ({"paths": [":(top)x"]}, ["paths", '":(top)x"', "magic"]),
        ({"paths": ["a\nb"]}, ["paths", "unprintable"]),
        ({"paths": ["a\0b"]}, ["paths", "NUL"]),
        ({"paths": [["a"]]}, ["paths", "is not a text"]),
        ({"paths": {"a": 1}}, ["paths", "is not a text"]),
        ({"paths": ["x" * (LONGEST + 1)]}, ["paths", str(LONGEST)]),
        ({"paths": [f"p{n}" for n in range(MOST + 1)]}, ["paths", str(MOST + 1), str(MOST)]),
        ({"paths": ["a"], "source_path": None}, ["source_path", "is missing"]),
        ({"paths": ["a"], "source_path": "no path at all"}, ["source_path", "resource path"]),
        ({"paths": ["a"], "source_path": "{entity}/acme"}, ["source_path", "does not name a repo"]),
        ({"paths": ["a"], "source_path": "{entity}/acme/a"}, ["source_path", "{entity}/acme/a"]),
        ({"paths": ["a"], "resource_path": "{entity}/acme"}, ["resource_path", "does not name a repo"]),
        ({"paths": ["a"], "resource_path": "{entity}/acme/mono"}, ["source_path", "is the repo itself"]),
        ({"paths": ["a"], "resource_path": "{entity}/acme/other"}, ["resource_path", "git address of its own"]),
        ({"paths": ["a"], "resource_path": "{entity}/acme/part2"}, ["resource_path", "is part of {entity}/acme/other"]),
        ({"paths": ["a"], "source_path": "{entity}/acme/part"}, ["source_path", "is itself a part", "acme/mono"]),
        ({"paths": ["a"], "source_path": "{entity}/acme/named"}, ["source_path", "has no git remote yet"]),
        ({"paths": ["a"], "repo_path": "https://git.invalid/x.git"}, ["repo_path", "source_path", "contradict"]),
    ],
)
def test_what_can_not_be_a_part_is_refused_in_words_and_nothing_is_stored(
    world: World, source: Repo, git_repo: GitRepo, given: dict[str, object], says: list[str]
) -> None:
    other = world.repo("other", git=git_repo)
    world.repo("named")
    world.part("part", source, "a")
    world.part("part2", other, "a")
    filled: dict[str, Any] = {name: _filled(value, world) for name, value in given.items()}
    api = world.api()
    before = stored_rows(world.tenant.id)
    reply = post(world, api, **filled)
    expected = (
        (404, "response_not_found")
        if given.get("source_path") == "{entity}/acme/a"
        else (400, "response_invalid_params")
    )
    assert reply.words == expected
    for text in says:
        assert _filled(text, world) in reply.json["response_detail"]
    assert stored_rows(world.tenant.id) == before


def _filled(value: object, world: World) -> object:
    return value.replace("{entity}", world.tenant.slug) if isinstance(value, str) else value


def test_a_repo_with_parts_is_never_a_part_itself(world: World, source: Repo, git_repo: GitRepo) -> None:
    named = world.repo("named")
    assert post(world, slug="x", source_path=str(named.path), paths=["a"]).status == 400
    ensure_part(path=world.repo_path("x"), source=named.path, globs=["a"], actor=COMMAND_LINE)
    reply = post(world, slug="named", paths=["a"])
    assert (reply.status, "has parts itself" in reply.json["response_detail"]) == (400, True)


def test_a_part_gets_no_git_address_of_its_own(world: World, source: Repo) -> None:
    post(world, paths=["services/a/**"])
    call = {"resource_path": world.repo_path("a"), "repo_path": "https://git.example.org/a/b.git"}
    reply = world.api().post("imports", call)
    assert reply.words == (400, "response_invalid_params")
    assert f"is part of {source.path}" in reply.json["response_detail"]


def test_a_source_out_of_reach_is_not_there(world: World, stranger: World, source: Repo, git_repo: GitRepo) -> None:
    theirs = stranger.repo("mono", git=git_repo)
    absent = str(ResourcePath(world.tenant.slug, "elsewhere", "mono"))
    post(world, slug="a", paths=["a"])
    bound = world.api(at=world.repo_path("a"))
    api = world.api()
    replies = {
        "another entity's": post(world, api, source_path=str(theirs.path), paths=["a"]),
        "absent": post(world, api, source_path=absent, paths=["a"]),
        "out of the token's reach": post(world, bound, paths=["b"]),
    }
    named = [str(theirs.path), absent, str(source.path)]
    for (_, reply), path in zip(replies.items(), named, strict=True):
        assert reply.words == (404, "response_not_found")
        assert reply.json["response_detail"].replace(path, "") == (
            'resource_path "" names nothing that can be reached from here: compare it with the address of its page.'
        )
    assert Repo.objects.get(entity_id=world.tenant.id, slug="a").globs == ("a",)
    assert not Repo.objects.filter(entity_id=stranger.tenant.id, slug="a").exists()


def test_a_token_without_the_scope_makes_no_part(world: World, source: Repo) -> None:
    reply = post(world, world.api(scopes=frozenset({Scope.READ})), paths=["a"])
    assert reply.words == (403, "response_forbidden")
    assert source.parts.count() == 0

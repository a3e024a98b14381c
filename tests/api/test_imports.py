"""Registering repositories by their git address: once, by key, in a trial, and what is told of them."""

from __future__ import annotations

import pytest

from shipmend.catalog.models import Repo
from shipmend.jobs.models import Job
from tests.gitworld import GitRepo
from tests.snapshot import stored_rows
from tests.world import Api, World

pytestmark = pytest.mark.database

ADDRESS = "https://git.example.org/team/thing.git"


@pytest.fixture
def api(world: World) -> Api:
    return world.api()


def test_a_repo_is_registered_with_what_is_missing_above_it(api: Api, world: World) -> None:
    call = {"resource_path": world.repo_path("shop"), "repo_path": ADDRESS}
    reply = api.post("imports", call)
    assert reply.words == (200, "response_success")
    told = reply.json["import"]
    assert (told["resource_path"], told["repo_path"]) == (str(world.repo_path("shop")), ADDRESS)
    assert told["state"] == "waiting"
    assert api.post("imports", call).json == reply.json
    assert api.get("imports", resource_path=world.path).json["imports"] == [told]
    assert Job.objects.filter(entity_id=world.tenant.id, kind="index").count() == 1


@pytest.mark.parametrize(
    ("given", "address", "named"),
    [
        ("", ADDRESS, "team/thing"),
        ("/web", ADDRESS, "web/thing"),
        ("/web", "git@git.example.org:team/thing.git", "web/thing"),
        ("/web/other", "ssh://git@git.example.org:2222/team/thing", "web/other"),
    ],
)
def test_a_repo_that_is_not_named_is_called_after_its_address(
    given: str, address: str, named: str, api: Api, world: World
) -> None:
    reply = api.post("imports", resource_path=f"{world.path}{given}", repo_path=address)
    assert reply.json["import"]["resource_path"] == f"{world.path}/{named}"


def test_no_password_and_no_folder_of_the_server_is_told(api: Api, world: World, git_repo: GitRepo) -> None:
    secret = "https://me:" + "s3cret" * 2 + "@git.example.org/team/thing.git"
    reply = api.post("imports", resource_path=world.repo_path("shop"), repo_path=secret)
    assert reply.json["import"]["repo_path"] == ADDRESS
    git_repo.commit("One")
    world.repo("own", git=git_repo)
    listed = api.get("imports", resource_path=world.path).json["imports"]
    assert {each["resource_path"]: each["repo_path"] for each in listed} == {
        str(world.repo_path("own")): None,
        str(world.repo_path("shop")): ADDRESS,
    }


def test_a_trial_registers_nothing_and_changes_no_address(api: Api, world: World, git_repo: GitRepo) -> None:
    git_repo.commit("One")
    repo = world.repo("own", git=git_repo)
    before = stored_rows(world.tenant.id)
    for slug in ("own", "shop"):
        reply = api.post("imports", resource_path=world.repo_path(slug), repo_path=ADDRESS, dry_run="true")
        assert reply.words == (200, "response_success")
        assert reply.json["dry_run"] is True
        assert reply.json["import"]["repo_path"] == ADDRESS
    assert stored_rows(world.tenant.id) == before
    assert Repo.objects.get(id=repo.id).remote_url == str(git_repo.path)


def test_an_idempotency_key_brings_back_the_first_answer(api: Api, world: World) -> None:
    call = {"resource_path": world.repo_path("shop"), "repo_path": ADDRESS}
    first = api.post("imports", call, key="once")
    world.repo("shop")
    Repo.objects.filter(entity_id=world.tenant.id).update(index_state="failed")
    assert api.post("imports", call, key="once").json == first.json
    other = api.post("imports", {**call, "repo_path": ADDRESS.replace("thing", "other")}, key="once")
    assert other.words == (422, "response_invalid_request")

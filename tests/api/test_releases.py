"""Recording releases: identity, time, commit, kind, and what a repeated, late or deleted one does."""

from __future__ import annotations

import itertools
import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shipmend.core.moments import iso
from tests.gitworld import GitRepo
from tests.world import FIRST_DAY, Api, World

pytestmark = pytest.mark.database

DAY = 24 * 3600


@pytest.fixture
def api(world: World) -> Api:
    return world.api()


@pytest.fixture
def line(git_repo: GitRepo) -> list[str]:
    """Five commits, one a day."""
    return [git_repo.commit(f"change {n}", at=FIRST_DAY + n * DAY) for n in range(5)]


@pytest.fixture
def path(world: World, git_repo: GitRepo, line: list[str]) -> str:
    """The repo with those commits, indexed."""
    return str(world.repo(git=git_repo).path)


def kinds(api: Api, path: str) -> list[tuple[str, str | None]]:
    """(name, kind) of every release of a repo, oldest first."""
    listed = api.get("releases", resource_path=path).json["releases"]
    return [(release["name"], release["kind"]) for release in reversed(listed)]


def test_a_release_by_sha_alone_takes_the_authorship_time(api: Api, path: str, git_repo: GitRepo, world: World) -> None:
    sha = git_repo.commit("late", at=FIRST_DAY + 9 * DAY, author_at=FIRST_DAY + 8 * DAY)
    world.index(world.repo())
    reply = api.post("releases", resource_path=path, release_sha=sha)
    assert reply.json["action_em"] == "action_release_created"
    assert reply.json["release"]["released_at"] == iso(FIRST_DAY + 8 * DAY)


@pytest.mark.parametrize("name", ["release_sha", "head_long"])
@pytest.mark.parametrize("digits", [7, 12, 40])
def test_short_shas_resolve_when_unambiguous(name: str, digits: int, api: Api, path: str, line: list[str]) -> None:
    reply = api.post("releases", {"resource_path": path, name: line[2][:digits].upper()})
    assert reply.status == 200
    assert reply.json["release"]["release_sha"] == line[2]


def test_both_names_of_the_sha_may_be_given_when_they_agree(api: Api, path: str, line: list[str]) -> None:
    reply = api.post("releases", resource_path=path, release_sha=line[1], head_long=line[1][:7])
    assert reply.json["release"]["release_sha"] == line[1]


def test_a_release_by_time_alone_takes_the_last_commit_by_then(api: Api, path: str, line: list[str]) -> None:
    at = FIRST_DAY + 2 * DAY
    shas = [
        api.post("releases", resource_path=path, released_at=iso(when)).json["release"]["release_sha"]
        for when in (at - 1, at, at + DAY - 1)
    ]
    assert shas == [line[1], line[2], line[2]]


def test_a_time_before_the_first_commit_is_refused(api: Api, path: str) -> None:
    reply = api.post("releases", resource_path=path, released_at=iso(FIRST_DAY - 1))
    assert reply.words == (400, "response_invalid_params")
    assert iso(FIRST_DAY) in reply.json["response_detail"]


def test_no_time_is_placed_where_the_release_branch_is_not_on_the_remote(
    world: World, git_repo: GitRepo, line: list[str]
) -> None:
    path = world.astray(git_repo).path
    reply = world.api().post("releases", resource_path=path, released_at=iso(FIRST_DAY + 9))
    assert reply.words == (400, "response_invalid_params")
    assert reply.json["response_detail"] == (
        f'released_at can\'t be placed in {path}, because its release branch "gone" is not on the remote:'
        " choose its release branch under Settings → Repos, or give release_sha."
    )
    assert world.api().post("releases", resource_path=path, release_sha=line[0]).status == 200


def test_released_at_wins_over_release_now(api: Api, path: str, line: list[str]) -> None:
    at = iso(FIRST_DAY + 6 * DAY)
    reply = api.post("releases", resource_path=path, release_sha=line[0], released_at=at, release_now="true")
    assert reply.json["release"]["released_at"] == at


def test_the_same_call_again_is_unchanged(api: Api, path: str, line: list[str]) -> None:
    call = {"resource_path": path, "release_sha": line[1], "released_at": iso(FIRST_DAY + 6 * DAY), "name": "v1"}
    first, second = api.post("releases", call), api.post_json("releases", call)
    assert first.json["action_em"] == "action_release_created"
    assert second.json["action_em"] == "action_release_unchanged"
    assert first.json["release"] == second.json["release"]


def test_only_the_fields_sent_change(api: Api, path: str, line: list[str]) -> None:
    call = {"resource_path": path, "release_sha": line[1], "released_at": iso(FIRST_DAY + 6 * DAY)}
    first = api.post("releases", call, name="v1", issue_keys_resolved="A-1,B-2")
    second = api.post("releases", call, status="failed")
    assert second.json["action_em"] == "action_release_updated"
    assert second.json["release"] == {**first.json["release"], "status": "failed", "kind": None}


def test_issue_keys_come_as_a_list_or_between_commas(api: Api, path: str, line: list[str]) -> None:
    call = {"resource_path": path, "release_sha": line[1]}
    one = api.post_json("releases", {**call, "issue_keys_resolved": ["A-1", "B-2"]})
    two = api.post("releases", call, issue_keys_resolved="A-1, B-2")
    three = api.post("releases", {**call, "issue_keys_resolved[]": ["A-1", "B-2"]})
    assert one.json["release"]["issue_keys_resolved"] == ["A-1", "B-2"]
    assert [reply.json["action_em"] for reply in (two, three)] == ["action_release_unchanged"] * 2


def test_each_kind(api: Api, world: World, git_repo: GitRepo, line: list[str]) -> None:
    hotfix = git_repo.commit("hotfix", at=FIRST_DAY + 6 * DAY, branch="hotfix", parents=[line[1]])
    path = str(world.repo(git=git_repo).path)
    plan = [("a", line[2]), ("b", line[4]), ("c", line[4]), ("d", line[2]), ("e", hotfix), ("f", line[4])]
    for n, (name, sha) in enumerate(plan):
        when = iso(FIRST_DAY + (10 + n) * DAY)
        api.post("releases", resource_path=path, release_sha=sha, released_at=when, name=name)
    assert kinds(api, path) == [
        ("a", "baseline"),
        ("b", "forward"),
        ("c", "redeploy"),
        ("d", "rollback"),
        ("e", "diverged"),
        ("f", "diverged"),
    ]


def test_kinds_do_not_depend_on_the_order_of_arrival(world: World, git_repo: GitRepo, line: list[str]) -> None:
    side = git_repo.commit("side", at=FIRST_DAY + 3 * DAY, branch="side", parents=[line[0]])
    api, repo = world.api(), world.repo(git=git_repo)
    plan = [(line[0], 0), (line[3], 1), (side, 2), (line[3], 2), (line[1], 3), (line[1], 4), (line[4], 5)]
    rng = random.Random(5)
    seen = set()
    for environment in (f"try-{n}" for n in range(12)):
        order = rng.sample(plan, len(plan))
        for sha, hour in order:
            when = iso(FIRST_DAY + 9 * DAY + hour * 3600)
            api.post("releases", resource_path=repo.path, release_sha=sha, released_at=when, environment=environment)
        listed = api.get("releases", resource_path=repo.path, environment=environment).json["releases"]
        seen.add(tuple(sorted((each["released_at"], each["release_sha"], each["kind"]) for each in listed)))
    assert len(seen) == 1


def test_a_failed_release_is_not_what_was_live(api: Api, path: str, line: list[str]) -> None:
    for n, (sha, status) in enumerate([(line[1], "succeeded"), (line[4], "failed"), (line[2], "succeeded")]):
        when = iso(FIRST_DAY + (9 + n) * DAY)
        api.post("releases", resource_path=path, release_sha=sha, released_at=when, status=status, name=f"r{n}")
    assert kinds(api, path) == [("r0", "baseline"), ("r1", None), ("r2", "forward")]


def test_environments_are_streams_of_their_own(api: Api, path: str, line: list[str]) -> None:
    call = {"resource_path": path, "release_sha": line[1], "released_at": iso(FIRST_DAY + 9 * DAY)}
    answers = [api.post("releases", call, environment=name) for name in ("production", "Staging", "STAGING")]
    assert [reply.json["action_em"][15:] for reply in answers] == ["created", "created", "unchanged"]
    assert answers[1].json["release"]["environment"] == "staging"
    assert api.get("releases", resource_path=path, environment="Staging").json["total"] == 1


def test_a_deleted_release_is_gone_and_the_same_call_brings_it_back(api: Api, path: str, line: list[str]) -> None:
    calls = [
        {"resource_path": path, "release_sha": line[n], "released_at": iso(FIRST_DAY + (9 + n) * DAY), "name": f"r{n}"}
        for n in range(3)
    ]
    made = [api.post("releases", call).json["release"] for call in calls]
    gone = api.delete(f"releases/{made[0]['id']}")
    assert gone.json["action_em"] == "action_release_deleted"
    assert api.get(f"releases/{made[0]['id']}").words == (404, "response_not_found")
    assert api.delete(f"releases/{made[0]['id']}").status == 404
    assert kinds(api, path) == [("r1", "baseline"), ("r2", "forward")]
    back = api.post("releases", calls[0])
    assert back.json["action_em"] == "action_release_created"
    assert back.json["release"] == made[0]
    assert kinds(api, path) == [("r0", "baseline"), ("r1", "forward"), ("r2", "forward")]


def test_dry_run_answers_in_full_and_stores_nothing(api: Api, path: str, line: list[str]) -> None:
    call = {"resource_path": path, "release_sha": line[1], "released_at": iso(FIRST_DAY + 9 * DAY), "name": "v1"}
    tried = api.post("releases", call, dry_run="true")
    assert tried.json["action_em"] == "action_release_created"
    assert tried.json["dry_run"] is True
    assert api.get("releases", resource_path=path).json["total"] == 0
    real = api.post("releases", call)
    assert {**tried.json["release"], "id": ""} == {**real.json["release"], "id": ""}


def test_what_was_taken_out_comes_back_by_a_call_without_the_key_that_made_it_as_the_answer_says(
    api: Api, path: str, line: list[str]
) -> None:
    release = {"resource_path": path, "release_sha": line[0]}
    defect = {"resource_path": path, "defect_key": "K-1", "detected_at": FIRST_DAY}
    for verb, call, name in (("releases", release, "release"), ("critical_defects", defect, "defect")):
        made = api.post(verb, call, key=f"once {name}").json
        address = f"{verb}/{made[name].get('id', 'K-1')}"
        detail = api.delete(address).json["response_detail"]
        assert "a call under an Idempotency-Key already used is only answered as before" in detail
        assert api.post(verb, call, key=f"once {name}").json == made
        assert api.get(address).status == 404
        assert api.post(verb, call).json["action_em"] == f"action_{name}_created"
        assert api.get(address).status == 200


def test_an_idempotency_key_brings_back_the_first_answer(api: Api, path: str, line: list[str]) -> None:
    call = {"resource_path": path, "release_sha": line[1], "release_now": "true"}
    first = api.post("releases", call, key="deploy-17")
    second = api.post_json("releases", call, key="deploy-17")
    assert first.json == second.json
    assert api.get("releases", resource_path=path).json["total"] == 1
    other = api.post("releases", call, name="else", key="deploy-17")
    assert other.words == (422, "response_invalid_request")


def test_a_repo_without_a_remote_takes_a_sha_unverified(api: Api, world: World) -> None:
    repo, sha = world.repo("bare"), "541a8b28d08405aa961f9de1d7c8fcd5c3da3218"
    reply = api.post("releases", resource_path=repo.path, release_sha=sha, released_at="2021-05-25")
    assert reply.status == 200
    assert reply.json["release"]["commit_state"] == "unverified"
    assert "could not be verified" in reply.json["warnings"][0]
    again = api.post("releases", resource_path=repo.path, release_sha=sha, released_at="2021-05-26")
    assert (reply.json["release"]["kind"], again.json["release"]["kind"]) == ("baseline", "redeploy")


def test_heroku_s_hook_is_understood(api: Api, path: str, line: list[str]) -> None:
    form = {
        "app": "secure-woodland-9775",
        "user": "example@example.com",
        "url": "http://secure-woodland-9775.herokuapp.com",
        "head": line[3][:7],
        "head_long": line[3],
        "git_log": " * Michael Friis: add bar",
        "release": "v7",
    }
    url = f"/api/v1/releases?resource_path={path}&release_now=true"
    response = api.client.post(url, form, headers={"Authorization": f"Bearer {api.token}"})
    assert response.status_code == 200
    assert response.json()["release"]["release_sha"] == line[3]


def test_lists_are_paged_in_a_stable_order(api: Api, world: World) -> None:
    repo = world.repo("many")
    made = {_unverified(api, repo.path, n)["id"] for n in range(205)}
    pages = [api.get("releases", resource_path=world.path, page=page).json for page in (1, 2, 3, 4)]
    assert [len(page["releases"]) for page in pages] == [100, 100, 5, 0]
    listed = list(itertools.chain.from_iterable(page["releases"] for page in pages))
    assert {release["id"] for release in listed} == made
    times = [release["released_at"] for release in listed]
    assert times == sorted(times, reverse=True)
    assert {page["total"] for page in pages} == {205}


def test_a_list_s_last_day_is_included(api: Api, path: str, line: list[str]) -> None:
    for hour in (0, 23, 24):
        when = iso(1_610_000_000 // DAY * DAY + hour * 3600)
        api.post("releases", resource_path=path, release_sha=line[0], released_at=when)
    day = iso(1_610_000_000)[:10]
    assert api.get("releases", resource_path=path, start_date=day, end_date=day).json["total"] == 2
    assert api.get("releases", resource_path=path, start_date=f"{day}T23:00:00Z", end_date=day).json["total"] == 1


def test_a_window_may_end_in_the_future(api: Api, path: str, line: list[str]) -> None:
    """ "This month" and "this year" are what people look at most."""
    api.post("releases", resource_path=path, release_sha=line[0])
    assert api.get("releases", resource_path=path, end_date="2099-12-31").json["total"] == 1
    assert api.get("releases", resource_path=path, start_date="2099-12-31").json["total"] == 0


def _unverified(api: Api, path: object, n: int) -> dict[str, object]:
    # Several share a second, so that the order of ties matters.
    when = iso(FIRST_DAY + n // 7)
    reply = api.post("releases", resource_path=path, release_sha=f"{n:040x}", released_at=when)
    release: dict[str, object] = reply.json["release"]
    return release


@pytest.fixture(scope="module")
def shared(instance: object) -> World:
    return World.make()


streams = (f"s{n}" for n in itertools.count())


@given(data=st.data())
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_order_and_repetition_of_release_calls_ends_the_same(shared: World, data: st.DataObject) -> None:
    """Unverified commits, so that no history is needed: identity, deletion and kinds alone."""
    api, repo = shared.api(), shared.repo("bare")
    events = data.draw(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 3)), min_size=1, max_size=6, unique=True))
    outcomes = []
    for order in (events, data.draw(st.permutations(events + events))):
        stream = next(streams)
        for commit, hour in order:
            when = iso(FIRST_DAY + hour * 3600)
            call = {"resource_path": repo.path, "release_sha": f"{commit:040x}", "released_at": when}
            api.post("releases", call, environment=stream)
        listed = api.get("releases", resource_path=repo.path, environment=stream).json["releases"]
        outcomes.append(sorted((each["released_at"], each["release_sha"], str(each["kind"])) for each in listed))
    assert outcomes[0] == outcomes[1]
    assert len(outcomes[0]) == len(events)

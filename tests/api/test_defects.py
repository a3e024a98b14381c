"""Recording defects and their fixes: creation, updates, several repos, and the order of calls."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shipmend.core.moments import iso
from shipmend.core.values import DEFAULT_SCOPES, Scope
from tests.gitworld import GitRepo
from tests.threads import at_once
from tests.world import FIRST_DAY, Api, Reply, World

pytestmark = pytest.mark.database

HOUR = 3600


@pytest.fixture
def api(world: World) -> Api:
    return world.api()


def told(api: Api, key: str = "K-1") -> dict[str, object]:
    """A defect as it was reported: without its cause, which answers to reports leave out."""
    defect = api.get(f"critical_defects/{key}").json["defect"]
    return {field: value for field, value in defect.items() if field != "cause"}


def test_a_defect_opened_at_entity_level_is_fixed_in_two_repos(api: Api, world: World) -> None:
    one, two = world.repo("one").path, world.repo("two").path
    opened = api.post("critical_defects", defect_key="K-1", resource_path=world.path, detected_at=iso(FIRST_DAY))
    assert opened.json["action_em"] == "action_defect_created"
    assert opened.json["defect"]["resolved_at"] is None
    first = api.post("critical_defects", defect_key="K-1", resource_path=two, fix_released_at=iso(FIRST_DAY + HOUR))
    assert first.json["action_em"] == "action_defect_updated"
    assert first.json["defect"]["resolved_at"] == iso(FIRST_DAY + HOUR)
    second = api.post("critical_defects", defect_key="K-1", resource_path=one, fix_released_at=iso(FIRST_DAY + 9))
    defect = second.json["defect"]
    assert defect["resolved_at"] == iso(FIRST_DAY + HOUR)
    assert [(fix["resource_path"], fix["released_at"]) for fix in defect["fixes"]] == [
        (str(one), iso(FIRST_DAY + 9)),
        (str(two), iso(FIRST_DAY + HOUR)),
    ]
    assert defect["resource_path"] == str(world.path)
    assert told(api) == defect
    for path in (world.path, one, two):
        (listed,) = api.get("critical_defects", resource_path=path).json["critical_defects"]
        assert {**defect, "cause": listed["cause"]} == listed


def test_detected_now_never_moves_an_earlier_detection(api: Api, world: World) -> None:
    call = {"defect_key": "K-1", "resource_path": world.path}
    first = api.post("critical_defects", call, detected_at=iso(FIRST_DAY))
    second = api.post("critical_defects", call, detected_now="true")
    assert second.json["action_em"] == "action_defect_unchanged"
    assert second.json["defect"] == first.json["defect"]


def test_only_the_fields_sent_change(api: Api, world: World) -> None:
    call = {"defect_key": "K-1", "resource_path": world.path}
    first = api.post("critical_defects", call, detected_at=iso(FIRST_DAY), description="down", severity=2)
    second = api.post_json("critical_defects", {**call, "resource_path": str(world.path), "severity": 3})
    assert second.json["defect"] == {**first.json["defect"], "severity": 3}
    third = api.post("critical_defects", call, description="")
    assert third.json["defect"]["description"] is None
    assert third.json["defect"]["severity"] == 3


def test_a_fix_by_sha_takes_the_commit_s_authorship_time(api: Api, world: World, git_repo: GitRepo) -> None:
    git_repo.commit("start", at=FIRST_DAY)
    sha = git_repo.commit("mend", at=FIRST_DAY + 9 * HOUR, author_at=FIRST_DAY + 5 * HOUR)
    repo = world.repo(git=git_repo)
    call = {"defect_key": "K-1", "resource_path": repo.path, "fix_released_sha": sha[:9]}
    reply = api.post("critical_defects", call, detected_at=iso(FIRST_DAY + HOUR))
    assert reply.json["defect"]["fixes"][0] == {
        "resource_path": str(repo.path),
        "released_at": iso(FIRST_DAY + 5 * HOUR),
        "release_sha": sha,
        "commit_state": "known",
    }
    assert reply.json["warnings"] == []
    assert api.post("critical_defects", call).json["action_em"] == "action_defect_unchanged"


def test_a_fix_authored_before_the_detection_is_kept_with_a_warning(api: Api, world: World, git_repo: GitRepo) -> None:
    sha = git_repo.commit("mend", at=FIRST_DAY)
    repo = world.repo(git=git_repo)
    call = {"defect_key": "K-1", "resource_path": repo.path, "fix_released_sha": sha}
    reply = api.post("critical_defects", call, detected_at=iso(FIRST_DAY + HOUR))
    assert reply.status == 200
    assert "before the detection" in reply.json["warnings"][0]
    corrected = api.post("critical_defects", call, fix_released_at=iso(FIRST_DAY + 2 * HOUR))
    assert corrected.json["action_em"] == "action_defect_updated"
    assert corrected.json["defect"]["resolved_at"] == iso(FIRST_DAY + 2 * HOUR)
    assert len(corrected.json["defect"]["fixes"]) == 1


def test_a_fix_released_now_has_another_time_than_its_commit(api: Api, world: World, git_repo: GitRepo) -> None:
    sha = git_repo.commit("mend", at=FIRST_DAY)
    call = {"defect_key": "K-1", "resource_path": world.repo(git=git_repo).path, "fix_released_sha": sha}
    api.post("critical_defects", call, detected_at=iso(FIRST_DAY - HOUR))
    moved = api.post("critical_defects", call, fix_released_now="true")
    assert moved.json["action_em"] == "action_defect_updated"
    assert moved.json["defect"]["resolved_at"] > iso(FIRST_DAY)
    for again in (call, {**call, "fix_released_now": "true"}):
        assert api.post("critical_defects", again).json["action_em"] == "action_defect_unchanged", again


def test_a_repo_without_a_remote_takes_a_whole_sha_of_a_fix_with_its_time(api: Api, world: World) -> None:
    call = {"defect_key": "K-1", "resource_path": world.repo().path, "detected_at": iso(FIRST_DAY)}
    short = api.post("critical_defects", call, fix_released_sha="a" * 12, fix_released_now="true")
    assert short.words == (400, "response_invalid_params")
    assert "all 40 digits" in short.json["response_detail"]
    assert api.post("critical_defects", call, fix_released_sha="a" * 40).status == 400
    reply = api.post("critical_defects", call, fix_released_sha="a" * 40, fix_released_now="true")
    assert reply.json["defect"]["fixes"][0]["commit_state"] == "unverified"


def test_a_detection_can_not_move_past_a_fix(api: Api, world: World) -> None:
    call = {"defect_key": "K-1", "resource_path": world.repo().path}
    made = api.post("critical_defects", call, detected_at=iso(FIRST_DAY), fix_released_at=iso(FIRST_DAY + HOUR))
    moved = api.post("critical_defects", call, detected_at=iso(FIRST_DAY + 2 * HOUR))
    assert moved.words == (400, "response_invalid_params")
    assert "detected_at" in moved.json["response_detail"]
    assert told(api) == made.json["defect"]


def test_a_refused_fix_does_not_create_its_defect(api: Api, world: World) -> None:
    call = {"defect_key": "K-1", "resource_path": world.path, "detected_at": iso(FIRST_DAY)}
    assert api.post("critical_defects", call, fix_released_now="true").status == 400
    assert api.get("critical_defects/K-1").status == 404


def test_lists_tell_open_from_resolved(api: Api, world: World) -> None:
    repo = world.repo()
    for n in range(5):
        call = {"defect_key": f"K-{n}", "resource_path": repo.path, "detected_at": iso(FIRST_DAY + n)}
        api.post("critical_defects", call, **({"fix_released_now": "true"} if n % 2 else {}))

    def keys(**given: object) -> list[str]:
        listed = api.get("critical_defects", resource_path=world.path, **given).json["critical_defects"]
        return [defect["defect_key"] for defect in listed]

    assert keys() == ["K-4", "K-3", "K-2", "K-1", "K-0"]
    assert keys(open="true") == keys(resolved="false") == ["K-4", "K-2", "K-0"]
    assert keys(resolved="true") == keys(open="false") == ["K-3", "K-1"]
    assert keys(start_date=iso(FIRST_DAY + 1), end_date=iso(FIRST_DAY + 3)) == ["K-2", "K-1"]


def test_a_deleted_defect_comes_back_by_the_same_calls(api: Api, world: World) -> None:
    repo = world.repo()
    create = {"defect_key": "K-1", "resource_path": repo.path, "detected_at": iso(FIRST_DAY), "severity": 1}
    mend = {"defect_key": "K-1", "resource_path": repo.path, "fix_released_at": iso(FIRST_DAY + HOUR)}
    api.post("critical_defects", create)
    whole = api.post("critical_defects", mend).json["defect"]
    assert api.delete("critical_defects/K-1").json["action_em"] == "action_defect_deleted"
    assert api.get("critical_defects/K-1").status == 404
    assert api.get("critical_defects", resource_path=world.path).json["total"] == 0
    assert api.post("critical_defects", mend).status == 400
    assert api.post("critical_defects", create).json["action_em"] == "action_defect_created"
    assert api.post("critical_defects", mend).json["defect"] == whole


def test_one_key_is_one_defect_in_each_entity(api: Api, world: World, stranger: World) -> None:
    call = {"defect_key": "K-1", "detected_at": iso(FIRST_DAY)}
    mine = api.post("critical_defects", call, resource_path=world.path)
    other = stranger.api()
    assert other.get("critical_defects/K-1").status == 404
    theirs = other.post("critical_defects", call, resource_path=stranger.path, description="ours")
    assert theirs.json["action_em"] == "action_defect_created"
    assert told(api) == mine.json["defect"]


def test_a_token_of_one_repo_may_add_a_fix_to_an_entity_s_defect_and_no_more(api: Api, world: World) -> None:
    repo, other = world.repo("one").path, world.repo("two").path
    api.post("critical_defects", defect_key="K-1", resource_path=world.path, detected_at=iso(FIRST_DAY))
    bound = world.api(at=repo)
    assert bound.get("critical_defects/K-1").status == 404
    refused = bound.post("critical_defects", defect_key="K-1", resource_path=repo, description="mine now")
    assert refused.words == (403, "response_forbidden")
    mended = bound.post("critical_defects", defect_key="K-1", resource_path=repo, fix_released_now="true")
    assert mended.json["action_em"] == "action_defect_updated"
    assert bound.get("critical_defects/K-1").status == 200
    assert bound.delete("critical_defects/K-1").status == 403
    assert bound.post("critical_defects", defect_key="K-1", resource_path=other, fix_released_now="true").status == 404


@dataclass(frozen=True)
class Guest:
    """A token of one repo, and a defect of the entity that it does not reach, with a fix in another repo."""

    world: World
    api: Api
    repo: str

    SECRETS: ClassVar = (
        "the vault stood open",
        "4711",
        iso(FIRST_DAY),
        "Sep 13, 2020 12:26pm",
        "two",
        iso(FIRST_DAY + 7 * HOUR),
    )
    """What of the defect is not this token's to know: detection and fix, in all ways of writing them."""

    @classmethod
    def at(cls, world: World, git: GitRepo | None = None) -> Guest:
        two = world.repo("two").path
        defect = {"defect_key": "K-1", "description": cls.SECRETS[0], "severity": 4711, "detected_at": iso(FIRST_DAY)}
        host = world.api()
        assert host.post("critical_defects", defect, resource_path=world.path).status == 200
        fix = {"resource_path": two, "fix_released_at": iso(FIRST_DAY + 7 * HOUR)}
        assert host.post("critical_defects", fix, defect_key="K-1").status == 200
        repo = world.repo("one", git).path
        return cls(world, world.api(at=repo), str(repo))

    def says(self, **given: object) -> Reply:
        """What the token is answered, having heard no secret."""
        call = {"defect_key": "K-1", "resource_path": self.repo, **given}
        reply = self.api.post_json("critical_defects", call)
        heard = json.dumps(reply.json, ensure_ascii=False)
        assert not [secret for secret in self.SECRETS if secret in heard], reply.json
        assert self.world.tenant.slug not in heard.replace(self.repo, "")
        return reply


@pytest.mark.parametrize("dry_run", [True, False])
def test_who_may_only_add_a_fix_learns_nothing_else_of_the_defect(world: World, dry_run: bool) -> None:
    guest = Guest.at(world)
    at = iso(FIRST_DAY + 2 * HOUR)
    reply = guest.says(fix_released_at=at, dry_run=dry_run)
    assert (reply.status, reply.json["action_em"]) == (200, "action_defect_updated")
    fix = {"resource_path": guest.repo, "released_at": at, "release_sha": None, "commit_state": None}
    assert reply.json["defect"] == {"defect_key": "K-1", "fixes": [fix]}
    assert reply.json["response_detail"] == "Successfully ensured creation of defect release at Sep 13, 2020 2:26pm"
    assert guest.api.get("critical_defects/K-1").status == (404 if dry_run else 200)
    again = guest.says(fix_released_at=at)
    assert again.json["action_em"] == ("action_defect_updated" if dry_run else "action_defect_unchanged")
    assert len(world.api().get("critical_defects/K-1").json["defect"]["fixes"]) == 2


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({}, ["give fix_released_at, "]),
        ({"severity": 4710}, ["give fix_released_at, ", "leave out severity"]),
        ({"severity": 4711, "fix_released_now": True}, ["leave out severity."]),
        ({"description": "the vault stood", "fix_released_now": True}, ["leave out description."]),
        ({"description": "", "fix_released_now": True}, ["leave out description."]),
        ({"detected_at": FIRST_DAY + HOUR, "fix_released_at": FIRST_DAY - HOUR}, ["leave out detected_at."]),
        ({"detected_at": FIRST_DAY, "fix_released_at": FIRST_DAY + HOUR}, ["leave out detected_at."]),
        ({"detected_now": True}, ["give fix_released_at, "]),
    ],
)
def test_who_may_only_add_a_fix_is_told_which_parameters_say_more(
    world: World, given: dict[str, object], named: list[str]
) -> None:
    """The same whether what is said stands there or not: else one could guess until it does."""
    guest = Guest.at(world)
    before = told(world.api())
    for more in ({}, {"dry_run": True}):
        reply = guest.says(**given, **more)
        assert reply.words == (403, "response_forbidden")
        detail = reply.json["response_detail"]
        assert detail.startswith('The defect "K-1" lies outside the reach of this token')
        assert all(words in detail for words in named), detail
    assert told(world.api()) == before


def test_who_may_only_add_a_fix_is_not_told_when_the_defect_was_detected(world: World, git_repo: GitRepo) -> None:
    early = git_repo.commit("mend", at=FIRST_DAY - 3 * HOUR)
    guest = Guest.at(world, git_repo)
    refused = guest.says(fix_released_at=iso(FIRST_DAY - HOUR))
    assert refused.words == (400, "response_invalid_params")
    assert "fix_released_at" in refused.json["response_detail"]
    assert "lies before the detection: give a later time" in refused.json["response_detail"]
    taken = guest.says(fix_released_sha=early)
    assert taken.status == 200
    assert "before the detection: the fix is kept" in taken.json["warnings"][0]


@pytest.mark.parametrize("missing", [Scope.DEFECTS_WRITE, Scope.READ])
def test_a_token_without_the_scope_is_forbidden(missing: Scope, world: World) -> None:
    api = world.api(scopes=DEFAULT_SCOPES - {missing})
    call = {"defect_key": "K-1", "resource_path": world.path, "detected_at": iso(FIRST_DAY)}
    may_write = missing is not Scope.DEFECTS_WRITE
    assert (api.post("critical_defects", call).status == 200) is may_write
    assert (api.get("critical_defects", resource_path=world.path).status == 200) is not may_write


def test_the_same_call_a_hundred_times_at_once_is_one_defect(api: Api, world: World) -> None:
    repo = world.repo()
    call = {"defect_key": "K-1", "resource_path": repo.path, "detected_at": iso(FIRST_DAY)}
    call["fix_released_at"] = iso(FIRST_DAY + HOUR)

    def post(_: int) -> str:
        return str(Api(api.token).post("critical_defects", call).json["action_em"])

    actions = at_once(post, range(100))
    assert sorted(set(actions)) == ["action_defect_created", "action_defect_unchanged"]
    assert actions.count("action_defect_created") == 1
    defect = api.get("critical_defects/K-1").json["defect"]
    assert len(defect["fixes"]) == 1


@dataclass(frozen=True)
class Scene:
    """Repos with known commits for the property below: (path, sha, authored) of each."""

    world: World
    api: Api
    commits: tuple[tuple[str, str, int], ...]


@pytest.fixture(scope="module")
def scene(instance: object, tmp_path_factory: pytest.TempPathFactory) -> Scene:
    world = World.make()
    commits = []
    for name in ("one", "two"):
        git = GitRepo(tmp_path_factory.mktemp(name) / "upstream.git")
        for n in range(3):
            at = FIRST_DAY + (n - 1) * HOUR
            commits.append((str(world.repo_path(name)), git.commit(f"{name} {n}", at=at), at))
        world.repo(name, git=git)
    return Scene(world, world.api(), tuple(commits))


keys = (f"P-{n}" for n in itertools.count())


@given(data=st.data())
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_order_and_repetition_of_create_and_fix_calls_ends_the_same(scene: Scene, data: st.DataObject) -> None:
    """Every call is sent until it is accepted; the final state is worked out by hand from the set of calls."""
    create = {"resource_path": str(scene.world.path), "detected_at": iso(FIRST_DAY)}
    fixes = data.draw(st.lists(_fix_calls(scene), max_size=5))
    outcomes = []
    for calls in ([create, *fixes], data.draw(st.permutations([create, *fixes, create, *fixes]))):
        key = next(keys)
        _send_until_accepted(scene.api, key, calls)
        outcomes.append(scene.api.get(f"critical_defects/{key}").json["defect"] | {"defect_key": ""})
    assert outcomes[0] == outcomes[1]
    assert outcomes[0]["resolved_at"] == max((fix["released_at"] for fix in outcomes[0]["fixes"]), default=None)
    found = [(fix["resource_path"], fix["released_at"], fix["release_sha"]) for fix in outcomes[0]["fixes"]]
    assert sorted(found, key=str) == sorted(_expected(scene, fixes), key=str)


GIVEN = iso(FIRST_DAY + 3 * HOUR)
"""The time that calls about a commit give, when they give one."""


def _fix_calls(scene: Scene) -> st.SearchStrategy[dict[str, str]]:
    by_time = st.builds(
        lambda commit, hours: {"resource_path": commit[0], "fix_released_at": iso(FIRST_DAY + hours * HOUR)},
        st.sampled_from(scene.commits),
        st.integers(1, 4),
    )
    by_sha = st.builds(
        lambda commit: {"resource_path": commit[0], "fix_released_sha": commit[1]}, st.sampled_from(scene.commits)
    )
    by_both = st.builds(lambda call: {**call, "fix_released_at": GIVEN}, by_sha)
    return by_time | by_sha | by_both


def _send_until_accepted(api: Api, key: str, calls: list[dict[str, str]]) -> None:
    waiting = list(calls)
    while waiting:
        refused = [call for call in waiting if api.post("critical_defects", call, defect_key=key).status != 200]
        assert len(refused) < len(waiting), "no call was accepted in a whole round"
        waiting = refused


def _expected(scene: Scene, fixes: Sequence[Mapping[str, str]]) -> set[tuple[str, str, str | None]]:
    """A fix for each commit, and for each time given alone unless a commit of that repo is said to be of that time."""
    authored = {sha: iso(at) for _, sha, at in scene.commits}
    given = {fix["fix_released_sha"] for fix in fixes if len(fix) == 3}
    named = {
        (fix["resource_path"], GIVEN if sha in given else authored[sha], sha)
        for fix in fixes
        if (sha := fix.get("fix_released_sha"))
    }
    taken = {path for path, _, sha in named if sha in given}
    timed = {(fix["resource_path"], fix["fix_released_at"]) for fix in fixes if "fix_released_sha" not in fix}
    return {*named, *((path, at, None) for path, at in timed if not (at == GIVEN and path in taken))}

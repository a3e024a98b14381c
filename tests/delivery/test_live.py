"""Is it live? Against a replay of every release that stands."""

from __future__ import annotations

import random
import re
from collections import defaultdict
from pathlib import Path

import pytest

from shipmend.catalog.queries import Place, find_place
from shipmend.core.errors import Invalid
from shipmend.core.live import State
from shipmend.core.values import ResourcePath, Sha
from shipmend.delivery.live import (
    Kind,
    LiveAnswer,
    find_live,
    is_like_sha,
    live_of_release,
    live_of_sha,
    live_of_ticket,
)
from tests.delivery.replays import Answer, Replay, Standing
from tests.delivery.test_ownership import DAY, Ship
from tests.gitworld import GitRepo
from tests.history.histories import grow
from tests.questions import asked
from tests.world import FIRST_DAY, World

pytestmark = pytest.mark.database


def at(day: float) -> int:
    return FIRST_DAY + int(day * DAY)


def place_of(world: World, path: ResourcePath | None = None) -> Place:
    return find_place(world.tenant, path or world.path)


def told(answer: LiveAnswer) -> list[Answer]:
    return [
        (
            row.environment or "",
            row.state,
            row.since,
            str(row.release.id) if row.release else None,
            row.first_live_at,
            row.commits,
            row.live,
        )
        for row in answer.rows
    ]


def states(answer: LiveAnswer) -> list[tuple[str | None, str]]:
    return [(row.environment, str(row.state)) for row in answer.rows]


class Life:
    """A repo to which anything may happen, and what stands of it by the definition."""

    def __init__(self, world: World, git: GitRepo, seed: int) -> None:
        self.chance = random.Random(seed)
        self.world, self.git = world, git
        grow(git, self.chance, steps=30)
        self.ship = Ship(world, git)
        self.releases: defaultdict[str, dict[str, Standing]] = defaultdict(dict)
        self.known: set[str] = set()

    def go_on(self) -> None:
        """A release, late or not, to either environment; a rollback; a deletion; a failure; new commits."""
        environment = self.chance.choice(["production", "production", "staging"])
        standing = self.releases[environment]
        what = self.chance.random()
        if what < 0.15 and standing:
            gone = self.chance.choice(list(standing))
            assert self.ship.api.delete(f"releases/{gone}").status == 200
            del standing[gone]
        elif what < 0.25:
            grow(self.git, self.chance, steps=4)
            self.world.index(self.ship.row)
        else:
            self._release(environment, standing)

    def _release(self, environment: str, standing: dict[str, Standing]) -> None:
        earlier = [each.sha for each in standing.values()]
        tips = [self.git.sha("main"), *earlier, self.chance.choice(self._reachable())]
        sha, day = self.chance.choice(tips), 30 + self.chance.randrange(300) / 10
        status = "failed" if self.chance.random() < 0.1 else "succeeded"
        made = self.ship.release(sha, day, environment=environment, status=status)
        standing.pop(made, None)
        if status == "succeeded":
            standing[made] = Standing(at(day), self.ship.number(sha), made, sha)

    def check(self) -> None:
        """Every commit and every ticket."""
        replay, place = Replay(self.git), place_of(self.world)
        releases = {name: list(each.values()) for name, each in self.releases.items()}
        for sha in self._reachable():
            assert told(live_of_sha(place, Sha(sha))) == replay.of([sha], releases), sha
        for key, commits in self._tickets().items():
            assert told(live_of_ticket(place, key)) == replay.of(commits, releases), key

    def _reachable(self) -> list[str]:
        return self.git.git("rev-list", "--all").split()

    def _tickets(self) -> dict[str, set[str]]:
        found: defaultdict[str, set[str]] = defaultdict(set)
        for sha in self._reachable():
            for key in re.findall(r"(?:SHOP|TILL)-\d+", self.git.git("log", "-1", "--format=%B", sha)):
                found[key].add(sha)
        return found


@pytest.mark.parametrize("seed", range(4))
def test_every_commit_and_ticket_stands_where_a_replay_says(world: World, git_repo: GitRepo, seed: int) -> None:
    """Rollbacks, hotfixes, two environments, back-filled and deleted and failed releases, an index in between."""
    life = Life(world, git_repo, seed)
    life.check()
    for _ in range(5):
        for _ in range(6):
            life.go_on()
        life.check()


@pytest.fixture
def ship(world: World, git_repo: GitRepo) -> Ship:
    """main: a-b-merge-d, the merge bringing a feature of two commits; and a hotfix on b that was never merged."""
    a = git_repo.commit("Start", at=at(0))
    b = git_repo.commit("SHOP-1: one half", at=at(1))
    git_repo.commit("SHOP-2: begin", at=at(2), branch="feature", parents=[a])
    git_repo.commit("SHOP-2: end", at=at(3), branch="feature")
    git_repo.merge("feature", at=at(5))
    git_repo.commit("SHOP-1: other half", at=at(6))
    git_repo.commit("SHOP-3: mend it now", at=at(7), branch="hotfix", parents=[b])
    return Ship(world, git_repo)


def test_a_commits_way_to_production_and_back(ship: Ship) -> None:
    a, b, begin, _, merge, d, hotfix = ship.git.commits
    place = place_of(ship.world)

    def now(sha: str) -> tuple[str, int | None, str | None, int | None]:
        (row,) = live_of_sha(place, Sha(sha)).rows
        return str(row.state), row.since, row.release.name if row.release else None, row.first_live_at

    assert now(begin) == ("merged_not_released", at(5), None, None)
    assert now(d) == ("merged_not_released", at(6), None, None)
    assert now(hotfix) == ("not_merged", None, None, None)
    ship.release(b, 10, name="v1")
    assert now(a) == now(b) == ("live", at(10), "v1", at(10))
    ship.release(d, 11, name="v2")
    assert now(begin) == ("live", at(11), "v2", at(11))
    ship.release(hotfix, 12, name="v1.1")
    assert now(begin) == ("withdrawn", at(12), "v1.1", at(11))
    assert now(a) == ("live", at(10), "v1", at(10))
    assert now(hotfix) == ("live", at(12), "v1.1", at(12))
    ship.release(d, 13, name="v2 again")
    assert now(begin) == ("live", at(13), "v2 again", at(11))
    assert now(hotfix) == ("withdrawn", at(13), "v2 again", at(12))
    late = ship.release(merge, 9, name="found later")
    assert now(begin) == ("live", at(13), "v2 again", at(9))
    ship.api.delete(f"releases/{late}")
    assert now(begin) == ("live", at(13), "v2 again", at(11))


def test_a_ticket_is_live_when_all_its_commits_are(ship: Ship) -> None:
    _, b, _, _, _, d, _ = ship.git.commits
    place = place_of(ship.world)
    assert told(live_of_ticket(place, "shop-1")) == [("production", State.MERGED_NOT_RELEASED, at(6), None, None, 2, 0)]
    first = ship.release(b, 10)
    assert told(live_of_ticket(place, "SHOP-1")) == [("production", State.PARTLY_LIVE, at(10), first, None, 2, 1)]
    both = ship.release(d, 11)
    assert told(live_of_ticket(place, "SHOP-1")) == [("production", State.LIVE, at(11), both, at(11), 2, 2)]
    ship.release(d, 12, environment="staging")
    assert states(live_of_ticket(place, "SHOP-1")) == [("production", "live"), ("staging", "live")]
    back = ship.release(b, 13)
    assert told(live_of_ticket(place, "SHOP-1", "production")) == [
        ("production", State.PARTLY_LIVE, at(10), first, at(11), 2, 1)
    ]
    assert told(live_of_ticket(place, "SHOP-2", "production")) == [
        ("production", State.WITHDRAWN, at(13), back, at(11), 2, 0)
    ]


def test_commits_left_behind_by_a_squash_hold_no_ticket_back(world: World, git_repo: GitRepo) -> None:
    git_repo.commit("Start")
    git_repo.commit("SHOP-1: try", branch="topic")
    git_repo.commit("SHOP-1: try again", branch="topic")
    ship = Ship(world, git_repo)
    place = place_of(world)
    assert states(live_of_ticket(place, "SHOP-1")) == [("production", "not_merged")]
    squashed = git_repo.commit("SHOP-1: what came of it")
    world.index(ship.row)
    ship.release(squashed, 2000)
    assert told(live_of_ticket(place, "SHOP-1"))[0][1] is State.PARTLY_LIVE
    git_repo.delete_branch("topic")
    world.index(ship.row)
    (row,) = live_of_ticket(place, "SHOP-1").rows
    assert (row.state, row.commits, row.live) == (State.LIVE, 1, 1)


def test_a_release_that_was_said_to_resolve_a_ticket_counts_as_a_commit_of_it(ship: Ship) -> None:
    _, b, _, _, _, d, _ = ship.git.commits
    place = place_of(ship.world)
    ship.release(b, 10, environment="staging", issue_keys_resolved='BANANA-1, "odd%_\\ key', name="rc")
    for key in ("banana-1", '"ODD%_\\ KEY'):
        assert states(live_of_ticket(place, key)) == [("staging", "live")]
    assert states(live_of_ticket(place, "BANANA-1", "production")) == [("production", "merged_not_released")]
    ship.release(d, 11)
    assert states(live_of_ticket(place, "BANANA-1")) == [("production", "live"), ("staging", "live")]
    for unlike in ("BANANA", "ANANA-1", "BANANA-%", "ODD%_ KEY"):
        assert not live_of_ticket(place, unlike).is_known


def test_a_release_is_asked_for_by_name_or_id_and_stands_where_its_commit_does(ship: Ship) -> None:
    _, b, _, _, _, d, _ = ship.git.commits
    place = place_of(ship.world)
    made = ship.release(d, 10, environment="staging", name="v2 rc")
    for text in (made, "v2 rc"):
        assert states(live_of_release(place, text)) == [("staging", "live")]
    ship.release(b, 11, name="v1")
    assert states(live_of_release(place, "v2 rc")) == [("production", "merged_not_released"), ("staging", "live")]
    ship.release(b, 12, environment="staging", name="v2 rc")
    answer = live_of_release(place, "v2 rc")
    assert states(answer) == [("production", "live"), ("staging", "live")]
    assert "More than one commit" in answer.warnings[0]
    ship.api.delete(f"releases/{made}")
    assert not live_of_release(place, made).is_known


def test_what_is_asked_is_found_without_saying_what_it_is(ship: Ship) -> None:
    _, b, *_ = ship.git.commits
    place = place_of(ship.world)
    ship.release(b, 10, name="SHOP-3")
    ship.release(b, 10, environment="staging", name="beefbeef")
    found = {text: find_live(place, f" {text} ") for text in (b[:9].upper(), "shop-1", "SHOP-3", "beefbeef", "nothing")}
    kinds = [(answer.kind, answer.is_known) for answer in found.values()]
    assert kinds == [
        (Kind.SHA, True),
        (Kind.TICKET, True),
        (Kind.TICKET, True),
        (Kind.RELEASE, True),
        (Kind.TICKET, False),
    ]
    assert find_live(place, "abcdef0").kind is Kind.SHA
    assert is_like_sha("ABCDEF0")
    assert not is_like_sha("abcdef")


def test_what_nobody_knows_is_told_so_with_what_may_be_behind_it(world: World, ship: Ship, tmp_path: Path) -> None:
    (row,) = live_of_sha(place_of(world), Sha("f" * 40)).rows
    assert (row.path, row.environment, row.state) == (world.path, None, State.NOT_KNOWN)
    waits = world.repo("behind")
    waits.remote_url, waits.is_local = str(tmp_path / "gone.git"), True
    waits.save()
    answer = live_of_sha(place_of(world), Sha("f" * 40), "production")
    assert answer.rows[0].environment == "production"
    assert answer.warnings == (f"Not indexed yet, so perhaps it is there: {waits.path}.",)


def test_an_environment_that_nothing_was_released_to_is_told(ship: Ship) -> None:
    _, b, *_ = ship.git.commits
    ship.release(b, 10)
    answer = live_of_sha(place_of(ship.world), Sha(b), "prodction")
    assert states(answer) == [("prodction", "merged_not_released")]
    assert 'Nothing was ever released to "prodction"' in answer.warnings[0]
    assert live_of_sha(place_of(ship.world), Sha(b), "production").warnings == ()


def test_a_repo_without_a_history_says_that_it_can_not_tell(world: World) -> None:
    repo = world.repo("blind")
    call = {"resource_path": str(repo.path), "release_sha": "a" * 40, "released_at": "2024-01-01", "name": "v1"}
    assert world.api().post("releases", call).status == 200
    answer = live_of_release(place_of(world), "v1")
    assert not answer.is_known
    assert "can't be told" in answer.warnings[0]


def test_an_abbreviation_of_two_commits_is_refused_and_of_one_in_each_repo_is_not(
    world: World, git_repo: GitRepo, monkeypatch: pytest.MonkeyPatch
) -> None:
    sha = git_repo.commit("One")
    one, two = world.repo("one", git_repo), world.repo("two", git_repo)
    rows = live_of_sha(place_of(world), Sha(sha[:7])).rows
    assert [(row.path, row.sha) for row in rows] == [(one.path, sha), (two.path, sha)]
    assert [row.path for row in live_of_sha(place_of(world, two.path), Sha(sha[:7])).rows] == [two.path]
    several = [(one.number, sha, 1), (one.number, sha[:39] + "0", 2)]
    monkeypatch.setattr("shipmend.delivery.live.commits_by_sha", lambda *_: several)
    with pytest.raises(Invalid, match="abbreviation of more than one commit"):
        live_of_sha(place_of(world), Sha(sha[:7]))


def test_strangers_know_nothing_of_it(ship: Ship, stranger: World) -> None:
    _, b, *_ = ship.git.commits
    ship.release(b, 10, name="v1", issue_keys_resolved="BANANA-1")
    for text in (b, b[:8], "SHOP-1", "v1", "BANANA-1"):
        assert not find_live(place_of(stranger), text).is_known
        assert find_live(place_of(ship.world), text).is_known


def _questions(place: Place, *texts: str) -> list[int]:
    counts = []
    for text in texts:
        find_live(place, text)
        with asked() as questions:
            find_live(place, text)
        counts.append(questions.count)
    return counts


def test_an_answer_takes_as_many_questions_for_many_repos_as_for_one(world: World, git_repo: GitRepo) -> None:
    a = git_repo.commit("SHOP-1: one")
    b = git_repo.commit("SHOP-1: two")
    git_repo.commit("SHOP-1: three", branch="topic")
    api = world.api()

    def ship_repo(slug: str) -> None:
        repo = world.repo(slug, git_repo)
        for environment in ("production", "staging"):
            call = {"resource_path": str(repo.path), "release_sha": a, "released_at": str(at(30)), "name": "v1"}
            assert api.post("releases", call, environment=environment).status == 200

    ship_repo("shop-0")
    few = _questions(place_of(world), a, b, "SHOP-1", "v1")
    for n in range(1, 6):
        ship_repo(f"shop-{n}")
    assert _questions(place_of(world), a, b, "SHOP-1", "v1") == few
    assert 0 < max(few) <= 14

"""What waits for a release: by repo, longest first, against git's own lists."""

from __future__ import annotations

import random

import pytest

from shipmend.audit.trail import COMMAND_LINE
from shipmend.catalog.actions import ensure_part, ensure_repo
from shipmend.catalog.models import IndexState, Repo
from shipmend.catalog.queries import find_place
from shipmend.delivery import ledgers
from shipmend.delivery.waiting import WaitingCount, WaitingList, count_waiting, list_waiting
from shipmend.git.remotes import parse_remote
from shipmend.history.unseen import Reason
from tests.delivery.replays import Replay
from tests.delivery.test_live import Life, at, place_of
from tests.delivery.test_ownership import Ship
from tests.gitworld import GitRepo
from tests.questions import asked
from tests.world import World

pytestmark = pytest.mark.database


def rows(found: WaitingList) -> list[tuple[str, str, int | None]]:
    return [(each.path.repo, each.commit.sha, each.since) for each in found.page.items]


@pytest.mark.parametrize("seed", range(3))
def test_what_waits_is_what_the_branch_has_and_no_release(world: World, git_repo: GitRepo, seed: int) -> None:
    life = Life(world, git_repo, seed)
    for _ in range(6):
        for environment in ("production", "staging"):
            wanted = Replay(git_repo).waiting(life.releases[environment].values())
            found = list_waiting(place_of(world), environment=environment)
            assert {sha: since for _, sha, since in rows(found)} == wanted
            assert count_waiting(place_of(world), environment=environment).commits == len(wanted)
            merges = git_repo.git("rev-list", "--count", "--merges", "main", *_not(life, environment))
            assert sum(repo.merges for repo in found.repos) == int(merges)
        for _ in range(4):
            life.go_on()


def _not(life: Life, environment: str) -> list[str]:
    return [f"^{each.sha}" for each in life.releases[environment].values()]


@pytest.fixture
def shop(world: World, git_repo: GitRepo) -> Ship:
    """main: a-b-merge-d; the merge brings two commits that are older than b."""
    a = git_repo.commit("Start", at=at(0))
    git_repo.commit("On a branch", at=at(1), branch="feature", parents=[a])
    git_repo.commit("SHOP-1: on a branch", at=at(2), branch="feature")
    git_repo.commit("Straight to main", at=at(3))
    git_repo.merge("feature", at=at(5))
    git_repo.commit("The last one", at=at(6))
    return Ship(world, git_repo)


def test_what_was_merged_later_waits_less_long_however_old_it_is(shop: Ship) -> None:
    a, x, y, b, merge, d = shop.git.commits
    shop.release(a, 10)
    found = list_waiting(place_of(shop.world))
    assert rows(found) == [("shop", b, at(3)), ("shop", x, at(5)), ("shop", y, at(5)), ("shop", d, at(6))]
    assert [each.brought_by.sha for each in found.page.items] == [b, merge, merge, d]
    assert found.page.items[2].commit.tickets == ("SHOP-1",)
    (repo,) = found.repos
    assert (repo.path, repo.commits, repo.merges, repo.since, repo.was_released) == (shop.row.path, 4, 1, at(3), True)
    shop.release(d, 11)
    assert list_waiting(place_of(shop.world)).repos == ()


def test_each_environment_has_its_own_queue_and_a_failed_release_takes_nothing(shop: Ship) -> None:
    *_, merge, d = shop.git.commits
    shop.release(d, 10, environment="staging")
    shop.release(d, 10, status="failed")
    assert list_waiting(place_of(shop.world), environment="staging").page.total == 0
    production = list_waiting(place_of(shop.world))
    assert (production.page.total, production.repos[0].was_released) == (5, False)
    shop.release(merge, 11)
    assert [sha for _, sha, _ in rows(list_waiting(place_of(shop.world)))] == [d]


def test_what_was_withdrawn_does_not_wait(shop: Ship) -> None:
    a, *_, d = shop.git.commits
    shop.release(d, 10)
    shop.release(a, 11)
    assert list_waiting(place_of(shop.world)).page.total == 0


def test_pages_go_through_the_repos_by_path(world: World, git_repo: GitRepo) -> None:
    for n in range(3):
        git_repo.commit(f"Change {n}", at=at(n))
    for slug in ("b", "a", "c"):
        world.repo(slug, git_repo)
    world.repo("empty")
    whole = list_waiting(place_of(world))
    assert [path for path, _, _ in rows(whole)] == ["a"] * 3 + ["b"] * 3 + ["c"] * 3
    paged = [row for page in range(1, 4) for row in rows(list_waiting(place_of(world), page=page, size=4))]
    assert paged == rows(whole)
    beyond = list_waiting(place_of(world), page=9, size=4)
    assert (rows(beyond), beyond.page.total, len(beyond.repos)) == ([], 9, 3)
    assert [path for path, _, _ in rows(list_waiting(place_of(world, world.repo_path("b"))))] == ["b"] * 3


def test_what_could_not_be_looked_at_is_told_with_the_reason(world: World, git_repo: GitRepo) -> None:
    git_repo.commit("Start")
    headless = GitRepo(git_repo.path.with_name("headless.git"))
    headless.commit("One", branch="dev", parents=[])
    headless.commit("Two", branch="next", parents=[])
    headless.set_head("nowhere")
    damaged = GitRepo(git_repo.path.with_name("damaged.git"))
    damaged.tag("v1", damaged.commit("One"))
    damaged.loose(damaged.commit("Two")).unlink()
    world.repo("blind")
    world.repo("damaged", damaged)
    world.repo("empty", GitRepo(git_repo.path.with_name("empty.git")))
    world.repo("headless", headless)
    astray = world.astray(git_repo)
    ensure_part(path=world.repo_path("part"), source=astray.path, globs=["**"], actor=COMMAND_LINE)
    remote = parse_remote(str(git_repo.path), allow_local=True)
    for slug, state in (("new", IndexState.WAITING), ("unheard", IndexState.FAILED)):
        ensure_repo(path=world.repo_path(slug), remote=remote, actor=COMMAND_LINE)
        Repo.objects.filter(entity_id=world.tenant.id, slug=slug).update(index_state=state)
    found = list_waiting(place_of(world))
    assert (found.repos, found.seen) == ((), 1)
    assert [(each.path.repo, each.why.reason) for each in found.unseen] == [
        ("astray", Reason.NO_BRANCH),
        ("blind", Reason.NO_REMOTE),
        ("damaged", Reason.DAMAGED),
        ("headless", Reason.NO_DEFAULT),
        ("new", Reason.NOT_INDEXED),
        ("part", Reason.NO_BRANCH),
        ("unheard", Reason.FAILED),
    ]
    assert 'because its release branch "gone" is not on the remote: choose' in found.unseen[0].sentence
    assert count_waiting(place_of(world)) == WaitingCount(commits=0, seen=1, unseen=7)


def test_a_part_whose_commits_were_not_found_yet_is_not_told_to_be_released(world: World, git_repo: GitRepo) -> None:
    git_repo.commit("Start", files={"a/b": "1"})
    source = world.repo("whole", git_repo)
    part = ensure_part(path=world.repo_path("part"), source=source.path, globs=["a/**"], actor=COMMAND_LINE)
    (unseen,) = list_waiting(place_of(world)).unseen
    assert (unseen.path, unseen.why.reason) == (part.path, Reason.NOT_INDEXED)
    world.index(part)
    assert list_waiting(place_of(world)).unseen == ()
    assert count_waiting(place_of(world)) == WaitingCount(commits=2, seen=2, unseen=0)


def test_a_count_is_remembered_when_the_ledger_is_not(shop: Ship, monkeypatch: pytest.MonkeyPatch) -> None:
    a, *_, d = shop.git.commits
    shop.release(a, 10)
    assert count_waiting(place_of(shop.world)).commits == 4
    with monkeypatch.context() as patch:
        patch.setattr(ledgers.RepoStream, "waiting", None)
        assert count_waiting(place_of(shop.world)).commits == 4
    shop.git.commit("One more")
    shop.world.index(shop.row)
    assert count_waiting(place_of(shop.world)).commits == 5
    shop.release(d, 11)
    assert count_waiting(place_of(shop.world)).commits == 1


def test_a_list_takes_as_many_questions_for_many_repos_as_for_one(world: World, git_repo: GitRepo) -> None:
    chance = random.Random(1)
    for n in range(9):
        git_repo.commit(f"Change {n}", at=at(n + chance.random()))
    first = next(iter(git_repo.commits))

    def questions(*slugs: str) -> int:
        for slug in slugs:
            path = world.repo(slug, git_repo).path
            call = {"resource_path": str(path), "release_sha": first, "released_at": str(at(30))}
            assert world.api().post("releases", call).status == 200
        place = find_place(world.tenant, world.path)
        list_waiting(place)
        with asked() as seen:
            list_waiting(place)
        return seen.count

    few = questions("a")
    for slug in ("blind", "deaf", "dumb"):
        world.repo(slug)
    assert questions("b", "c", "d") == few
    assert 0 < few <= 6

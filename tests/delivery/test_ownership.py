"""Ownership in the database, against git itself and against sets, whatever was recorded, changed or deleted when."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from uuid import UUID

import pytest

from shipmend.catalog.queries import RepoRef, repo_by_id
from shipmend.core.errors import Unavailable
from shipmend.core.ledger import Fate
from shipmend.core.moments import iso
from shipmend.delivery import ownership
from shipmend.delivery.models import Release, ShippedRun
from shipmend.delivery.ownership import (
    StreamKey,
    base_of_release,
    bring_up_to_date,
    ledger_of,
    owner_of,
    runs_of_release,
)
from shipmend.history import queries as history
from tests.gitworld import GitRepo
from tests.world import FIRST_DAY, World

pytestmark = pytest.mark.database

DAY = 24 * 3600


class Ship:
    """A repo whose releases are recorded by API and read back as sets of shas."""

    def __init__(self, world: World, git: GitRepo) -> None:
        self.world, self.git, self.api = world, git, world.api()
        self.row = world.repo(git=git)
        self.path = str(self.row.path)

    @property
    def repo(self) -> RepoRef:
        repo = repo_by_id(self.world.tenant, self.row.id)
        assert repo is not None
        return repo

    def release(self, sha: str, day: float, **more: str) -> str:
        when = iso(FIRST_DAY + int(day * DAY))
        call = {"resource_path": self.path, "release_sha": sha, "released_at": when}
        reply = self.api.post("releases", {**call, **more})
        assert reply.status == 200, reply.json
        return str(reply.json["release"]["id"])

    def number(self, sha: str) -> int:
        found = history.commit_by_sha(self.world.tenant.id, self.repo.number, sha)
        assert found is not None
        assert not isinstance(found, history.Ambiguous)
        assert found.number is not None
        return found.number

    def owned(self, release_id: str) -> set[str]:

        numbers = self._numbers()
        runs = runs_of_release(self.world.tenant, self.repo, UUID(release_id))
        return {numbers[n] for first, last in runs for n in range(first, last + 1)}

    def key(self, environment: str = "production") -> StreamKey:
        return StreamKey.of(self.world.tenant, self.repo, environment)

    def _numbers(self) -> dict[int, str]:
        return {self.number(sha): sha for sha in reachable(self.git)}


@pytest.fixture
def ship(world: World, git_repo: GitRepo) -> Ship:
    """main: a-b-c-d-e, and a hotfix on b merged back into f."""
    for n in range(5):
        git_repo.commit(f"c{n}", at=FIRST_DAY + n * DAY)
    main = list(git_repo.commits)
    git_repo.commit("hotfix", at=FIRST_DAY + 5 * DAY, branch="hotfix", parents=[main[1]])
    git_repo.merge("hotfix", at=FIRST_DAY + 6 * DAY)
    return Ship(world, git_repo)


def test_every_commit_counts_once(ship: Ship) -> None:
    a, b, c, d, e, hotfix, merge = ship.git.commits
    first = ship.release(b, 10)
    fix = ship.release(hotfix, 11)
    trunk = ship.release(merge, 12)
    back = ship.release(b, 13)
    again = ship.release(merge, 14)
    assert ship.owned(first) == {a, b}
    assert ship.owned(fix) == {hotfix}
    assert ship.owned(trunk) == {c, d, e, merge}
    assert ship.owned(back) == ship.owned(again) == set()


def test_a_late_release_takes_only_what_is_its_own(ship: Ship) -> None:
    a, b, c, d, e, *_ = ship.git.commits
    whole = ship.release(e, 20)
    assert ship.owned(whole) == {a, b, c, d, e}
    late = ship.release(c, 15)
    assert (ship.owned(late), ship.owned(whole)) == ({a, b, c}, {d, e})
    ship.api.delete(f"releases/{late}")
    assert ship.owned(whole) == {a, b, c, d, e}
    ship.release(c, 15)
    ship.release(c, 15, status="failed")
    assert (ship.owned(late), ship.owned(whole)) == (set(), {a, b, c, d, e})


def test_environments_own_apart(ship: Ship) -> None:
    a, b, c, *_ = ship.git.commits
    staging = ship.release(c, 10, environment="staging")
    production = ship.release(b, 11)
    assert ship.owned(staging) == {a, b, c}
    assert ship.owned(production) == {a, b}
    assert owner_of(ship.key(), ship.number(c)) is None
    assert str(owner_of(ship.key("staging"), ship.number(c))) == staging


def test_the_ledger_tells_of_withdrawal_and_return(ship: Ship) -> None:
    _, b, c, d, e, *_ = ship.git.commits
    for day, sha in enumerate([b, e, b, d]):
        ship.release(sha, 10 + day)
    ledger = ledger_of(ship.key())
    events = [(event.release, event.fate) for event in ledger.ledger.history_of(ship.number(c))]
    assert events == [(1, Fate.SHIPPED), (2, Fate.WITHDRAWN), (3, Fate.RETURNED)]
    assert not ledger.ledger.is_live(ship.number(e))
    assert ledger.ledger.is_live(ship.number(d))


def test_the_base_is_the_nearest_ancestor_and_not_the_one_before_in_time(ship: Ship) -> None:

    _, b, _, _, e, hotfix, merge = ship.git.commits
    first, trunk, fix, both = (ship.release(sha, 10 + n) for n, sha in enumerate([b, e, hotfix, merge]))
    bases = [base_of_release(ship.world.tenant, ship.repo, UUID(each)) for each in (first, trunk, fix, both)]
    assert bases[:3] == [None, ship.number(b), ship.number(b)]
    assert bases[3] in (ship.number(e), ship.number(hotfix))


def naive(git: GitRepo, ordered: Iterable[tuple[str, str]]) -> dict[str, set[str]]:
    """Each release's commits by the definition: its ancestors less those of all earlier releases."""
    taken: set[str] = set()
    owned = {}
    for release_id, sha in ordered:
        mine = ancestors(git, sha)
        owned[release_id] = mine - taken
        taken |= mine
    return owned


def ancestors(git: GitRepo, sha: str) -> set[str]:
    parents, seen, stack = git.commits, set(), [sha]
    while stack:
        commit = stack.pop()
        if commit not in seen:
            seen.add(commit)
            stack += parents[commit]
    return seen


def random_history(git: GitRepo, rng: random.Random, size: int) -> list[str]:
    """Branches, merges, an octopus now and then, clocks that jump."""
    branches: set[str] = set()
    for n in range(size):
        branch = rng.choice(["main", "main", "one", "two"])
        at = FIRST_DAY + n * 3600 + rng.randrange(-5, 5) * DAY
        made = list(git.commits)
        if len(made) > 3 and branch in branches and rng.random() < 0.25:
            heads = rng.sample(made, rng.choice([1, 1, 1, 2, 3]))
            git.merge(*heads, into=branch, at=at)
        else:
            parents = [rng.choice(made)] if made and rng.random() < 0.2 else None
            git.commit(f"c{n}", at=at, branch=branch, parents=parents)
        branches.add(branch)
    return reachable(git)


def reachable(git: GitRepo) -> list[str]:
    """The commits that a branch or tag still holds: what a mirror gets."""
    return git.git("rev-list", "--all").split()


@pytest.mark.parametrize("seed", range(6))
def test_any_recording_changing_and_deleting_ends_as_the_definition_says(
    seed: int, world: World, tmp_path: Path
) -> None:
    rng = random.Random(seed)
    git = GitRepo(tmp_path / "random.git")
    commits = random_history(git, rng, 60)
    ship = Ship(world, git)
    alive: dict[str, tuple[float, str]] = {}
    for step in range(40):
        sha, day = rng.choice(commits), 40 + rng.randrange(400) / 10
        if alive and rng.random() < 0.3:
            gone = rng.choice(list(alive))
            ship.api.delete(f"releases/{gone}")
            del alive[gone]
        else:
            status = "failed" if rng.random() < 0.1 else "succeeded"
            release_id = ship.release(sha, day, status=status)
            alive.pop(release_id, None)
            if status == "succeeded":
                alive[release_id] = (day, sha)
        if step % 5 == 0:
            _compare(ship, alive)
    _compare(ship, alive)
    _compare_with_git(ship, alive)
    assert not Release.objects.filter(entity_id=world.tenant.id, needs_attribution=True).exists()


def _ordered(ship: Ship, alive: dict[str, tuple[float, str]]) -> list[tuple[str, str]]:
    order = sorted((int(day * DAY), ship.number(sha), sha, release_id) for release_id, (day, sha) in alive.items())
    return [(release_id, sha) for _, _, sha, release_id in order]


def _compare(ship: Ship, alive: dict[str, tuple[float, str]]) -> None:
    bring_up_to_date(ship.key())
    expected = naive(ship.git, _ordered(ship, alive))
    assert {release_id: ship.owned(release_id) for release_id in alive} == expected
    shipped = ShippedRun.objects.filter(entity_id=ship.world.tenant.id)
    assert sum(run.last - run.first + 1 for run in shipped) == sum(map(len, expected.values()))


def _compare_with_git(ship: Ship, alive: dict[str, tuple[float, str]]) -> None:
    """Git's own walk stops too early when clocks jump by days; by a commit-graph's generations it does not."""
    ship.git.git("commit-graph", "write", "--reachable")
    earlier: list[str] = []
    for release_id, sha in _ordered(ship, alive):
        words = [sha, *(f"^{other}" for other in earlier)]
        listed = ship.git.git("rev-list", "--topo-order", *words).split()
        assert ship.owned(release_id) == set(listed)
        earlier.append(sha)


def test_what_another_process_attributed_is_noticed(ship: Ship, instance: Path) -> None:
    """Two processes keep what they know in memory; the stream's version tells each that it is out of date."""

    a, b, c, d, *_ = ship.git.commits
    first = ship.release(b, 10)
    assert ship.owned(first) == {a, b}
    script = (
        "from shipmend.bootstrap import open_instance; open_instance(migrate=False)\n"
        "from shipmend.delivery.handlers import attribute_marked; attribute_marked()"
    )
    second = ship.release(a, 9)
    environ = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2] / "src")}
    subprocess.run([sys.executable, "-c", script], check=True, env=environ)
    third = ship.release(d, 12)
    assert (ship.owned(second), ship.owned(first), ship.owned(third)) == ({a}, {b}, {c, d})


def test_two_that_attribute_at_the_same_moment_both_come_through(ship: Ship, monkeypatch: pytest.MonkeyPatch) -> None:
    a, b, *_ = ship.git.commits
    first = ship.release(b, 10)
    load, other = ownership._load, ownership._Keeper()

    def late(key: StreamKey, stream_id: UUID, version: int) -> ownership._Known:
        monkeypatch.setattr(ownership, "_load", load)
        assert other.settle(key)
        return load(key, stream_id, version)

    monkeypatch.setattr(ownership, "_load", late)
    monkeypatch.setattr(ownership, "_keeper", ownership._Keeper())
    assert ship.owned(first) == {a, b}


def test_an_attribution_that_could_not_be_stored_is_made_again(ship: Ship, monkeypatch: pytest.MonkeyPatch) -> None:
    a, b, *_ = ship.git.commits
    first = ship.release(b, 10)
    bring_up_to_date(ship.key())
    second = ship.release(a, 9)

    def refuse(_: object) -> bool:
        raise Unavailable("The disk is full.")

    with monkeypatch.context() as patch:
        patch.setattr(ownership, "write", refuse)
        with pytest.raises(Unavailable):
            bring_up_to_date(ship.key())
    assert (ship.owned(second), ship.owned(first)) == ({a}, {b})


def test_a_stranger_s_release_owns_nothing_here(ship: Ship, stranger: World, git_repo: GitRepo) -> None:

    other = stranger.repo(git=git_repo)
    sha = next(iter(git_repo.commits))
    theirs = stranger.api().post("releases", resource_path=other.path, release_sha=sha).json["release"]["id"]
    assert runs_of_release(ship.world.tenant, ship.repo, UUID(theirs)) == []

"""What a running index says of itself."""

from __future__ import annotations

import pytest

from shipmend.catalog.models import IndexState, Repo
from shipmend.git.progress import Progress
from shipmend.history.index import index_repo
from shipmend.history.progress import ProgressReport, duration
from tests.gitworld import GitRepo
from tests.history.guards import FreeGuard
from tests.world import World


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_line_tells_the_phase_how_far_how_fast_and_how_long() -> None:
    said: list[str] = []
    clock = Clock()
    report = ProgressReport(said.append, clock=clock)
    report.at("Storing commits", 0, 1000)
    clock.now += 2
    report.at("Storing commits", 250, 1000)
    clock.now += 2
    report.at("Storing commits", 1000, 1000)
    assert said == [
        "Storing commits",
        "Storing commits: 250 of 1,000 (25 %), 125/s, 6 s left",
        "Storing commits: 1,000 of 1,000 (100 %), 250/s, 0 s left",
    ]


def test_without_a_total_there_is_a_rate_and_no_guess() -> None:
    said: list[str] = []
    clock = Clock()
    report = ProgressReport(said.append, clock=clock)
    report.at("Reading commits", 0)
    clock.now += 1
    report.at("Reading commits", 30_000)
    assert said[-1] == "Reading commits: 30,000, 30,000/s"


def test_nothing_is_said_more_than_twice_a_second_but_each_phase_once() -> None:
    said: list[str] = []
    clock = Clock()
    report = ProgressReport(said.append, clock=clock)
    for step in range(1000):
        clock.now += 0.01
        report.fetched(Progress("Receiving objects", step, 1000))
    assert len(said) == pytest.approx(20, abs=2)
    report.fetched(Progress("Resolving deltas", 1, 10))
    assert said[-1].startswith("Resolving deltas: 1 of 10")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.2, "0 s"), (59.4, "59 s"), (60, "1 min 0 s"), (3599, "59 min 59 s"), (7260, "2 h 1 min"), (-3, "0 s")],
)
def test_durations_are_in_their_two_largest_units(seconds: float, words: str) -> None:
    assert duration(seconds) == words


@pytest.mark.database
def test_a_running_index_shows_on_the_repo_what_it_is_doing(world: World, git_repo: GitRepo) -> None:
    git_repo.commit("One")
    repo = world.repo()
    repo.remote_url, repo.is_local = git_repo.url, True
    repo.save()
    shown: list[tuple[str, str]] = []
    told: list[str] = []

    def look(_: int) -> None:
        now = Repo.objects.get(id=repo.id)
        shown.append((now.index_state, now.index_progress.partition(":")[0]))

    index_repo(repo, guard=FreeGuard(look), on_progress=told.append)
    assert {line.partition(":")[0] for line in told} >= {"Connecting", "Reading commits", "Storing commits"}
    assert {(IndexState.RUNNING, "Reading commits"), (IndexState.RUNNING, "Storing commits")} <= set(shown)
    after = Repo.objects.get(id=repo.id)
    assert (after.index_state, after.index_progress) == (IndexState.READY, "")

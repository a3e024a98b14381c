"""Attribution, ledger and differences against git itself, on real repositories that were made up at random.

The oracle is `git rev-list`, and nothing of ours. Plain `git rev-list A --not B` goes by dates: where clocks are wrong
it leaves over what B contains. With `--topo-order` and a commit-graph it goes by generation numbers, and is exact.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from shipmend.core.ancestry import Parents
from shipmend.core.attribution import Attribution, StreamRelease
from shipmend.core.ledger import Ledger
from shipmend.core.lineage import Lineage
from shipmend.core.walks import Difference, difference
from shipmend.git.mirror import Mirror
from tests.core.histories import Shape, Story, grow
from tests.gitworld import START, STEP, GitRepo

Clock = Callable[[int, random.Random], int]


def steady(commit: int, _: random.Random) -> int:
    return START + commit * STEP


def stopped(_: int, __: random.Random) -> int:
    return START


def backwards(commit: int, _: random.Random) -> int:
    return START - commit * STEP


def broken(commit: int, chance: random.Random) -> int:
    """Mostly right, at times a year off."""
    return START + commit * STEP + chance.choice((0, 0, 0, -1, 1)) * chance.randint(0, 365 * 86_400)


CLOCKS: tuple[Clock, ...] = (steady, stopped, backwards, broken)


class Played:
    """A story as a git repository, its commits numbered as the index numbers them."""

    def __init__(self, path: Path, story: Story, clock: Clock) -> None:
        self.repo = GitRepo(path)
        chance = random.Random(story.seed)
        shas: list[str] = []
        for commit, parents in enumerate(story.shape, start=1):
            heads = [shas[parent - 1] for parent in parents]
            shas.append(self.repo.commit(f"{commit}", at=clock(commit, chance), branch=f"b{commit}", parents=heads))
        self.repo.git("commit-graph", "write", "--reachable")
        self.streams = [[shas[commit - 1] for commit in stream] for stream in story.streams if stream]
        self.numbers: dict[str, int] = {}
        self.parents = Parents()
        grow(self.parents, self._shape())

    def _shape(self) -> Shape:
        shape: Shape = []
        mirror = Mirror(self.repo.path)
        for batch in mirror.log(mirror.refs().tips.values()):
            for sha, parents in zip(batch.shas, batch.parents, strict=True):
                self.numbers[sha.hex()] = len(self.numbers) + 1
                shape.append(tuple(self.numbers[parent.hex()] for parent in parents))
        return shape

    def rev_list(self, *revisions: str) -> list[int]:
        """The commits that git finds, ascending."""
        return sorted(self.numbers[sha] for sha in self.repo.git("rev-list", "--topo-order", *revisions).split())


@pytest.fixture(scope="module", params=[(clock, seed) for clock in CLOCKS for seed in range(3)])
def played(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Played:
    clock, seed = request.param
    return Played(tmp_path_factory.mktemp("played") / "repo.git", Story(seed, commits=40), clock)


def test_every_release_has_what_git_lists_without_all_earlier_releases(played: Played) -> None:
    for stream in played.streams:
        releases = [StreamRelease(at, played.numbers[sha]) for at, sha in enumerate(stream)]
        attribution = Attribution.derive(Lineage(played.parents), releases)
        for at, sha in enumerate(stream):
            owned = [c for run in attribution.runs_of(releases[at]) for c in range(run.first, run.last + 1)]
            assert owned == played.rev_list(sha, "--not", *stream[:at])


def test_live_is_what_git_lists_for_the_last_release_and_the_rest_is_not(played: Played) -> None:
    for stream in played.streams:
        ledger = Ledger(played.parents, [played.numbers[sha] for sha in stream])
        live = played.rev_list(stream[-1])
        assert [commit for commit, is_live in enumerate(ledger.live_now()) if is_live] == live
        for tip, number in list(played.numbers.items())[-3:]:
            assert ledger.not_live(number) == played.rev_list(tip, "--not", stream[-1])
            assert ledger.not_released(number) == played.rev_list(tip, "--not", *stream)


def test_what_changed_from_release_to_release_is_what_git_lists_for_the_one_without_the_other(played: Played) -> None:
    for stream in played.streams:
        numbers = [played.numbers[sha] for sha in stream]
        ledger = Ledger(played.parents, numbers)
        for at in range(1, len(stream)):
            old, new = stream[at - 1 : at + 1]
            by_git = Difference(played.rev_list(new, "--not", old), played.rev_list(old, "--not", new))
            assert ledger.between(at - 1, at) == difference(played.parents, *numbers[at - 1 : at + 1]) == by_git


def test_release_notes_are_what_git_lists_without_the_releases_merged_into_this_one(played: Played) -> None:
    for stream in played.streams:
        ledger = Ledger(played.parents, [played.numbers[sha] for sha in stream])
        for at, sha in enumerate(stream):
            contained = set(played.rev_list(sha))
            merged = [earlier for earlier in stream[:at] if played.numbers[earlier] in contained]
            assert ledger.since_ancestors(at) == played.rev_list(sha, "--not", *merged)
            nearest = [stream[each] for each in ledger.ancestors(at)]
            assert set(nearest) == set(
                played.repo.git("merge-base", "--independent", *merged).split() if merged else []
            )

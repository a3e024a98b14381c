"""Histories that nobody chose, and what is true of them by sets alone.

`shapes()` draws any graph at all, and shrinks well; `Story` plays the life of a project with trunk, merges, hotfix
branches, octopuses, criss-crosses, new roots, rollbacks, redeploys, in two environments, and can play it into a real
git repository as well.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from hypothesis import strategies as st

from shipmend.core.ancestry import NONE, Parents
from shipmend.core.attribution import StreamRelease

Shape = list[tuple[int, ...]]
"""The parents of commit 1, of commit 2…"""

MOST_COMMITS = 40


def shapes(*, least: int = 1) -> st.SearchStrategy[Shape]:
    """Graphs of commits with up to four parents each, several roots and all."""
    distances = st.lists(st.integers(1, 3) | st.integers(1, MOST_COMMITS), max_size=4, unique=True)
    return st.lists(distances, min_size=least, max_size=MOST_COMMITS).map(
        lambda drawn: [
            tuple(commit - distance for distance in each if distance < commit)
            for commit, each in enumerate(drawn, start=1)
        ]
    )


def releases_of(shape: Shape, *, most: int = 12) -> st.SearchStrategy[list[StreamRelease]]:
    """Releases of the commits of a graph in no order, some in the same second."""
    return st.lists(st.builds(StreamRelease, st.integers(0, 9), st.integers(1, len(shape))), max_size=most, unique=True)


def parents_of(shape: Shape) -> Parents:
    """The graph as the product holds it."""
    parents = Parents()
    grow(parents, shape)
    return parents


def grow(parents: Parents, shape: Shape) -> None:
    """Give `parents` those commits of the graph that it has not got yet."""
    new = shape[len(parents) :]
    for commit, of_commit in enumerate(new, start=len(parents) + 1):
        if len(of_commit) > 2:
            parents.further[commit] = of_commit[2:]
    parents.extend(*(([each[i] if len(each) > i else NONE for each in new]) for i in range(2)))


def ancestors_in(shape: Shape) -> list[frozenset[int]]:
    """For each commit (and for 0, nothing) the commits it contains, itself included."""
    contained = [frozenset[int]()]
    for commit, parents in enumerate(shape, start=1):
        contained.append(frozenset({commit}).union(*(contained[parent] for parent in parents)))
    return contained


@dataclass
class Story:
    """A project's life, decided by a seed."""

    seed: int
    commits: int = 60
    shape: Shape = field(default_factory=list)
    production: list[int] = field(default_factory=list)
    """The commits released there, in order."""
    staging: list[int] = field(default_factory=list)
    _tips: list[int] = field(default_factory=list)
    """Of the branches; the first one is the trunk."""

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)
        self._tips = [self._commit()]
        while len(self.shape) < self.commits:
            self._random.choice(_CHAPTERS)(self)

    @property
    def streams(self) -> Iterable[Sequence[int]]:
        return self.production, self.staging

    def _commit(self, *parents: int) -> int:
        self.shape.append(tuple(dict.fromkeys(parents)))
        return len(self.shape)

    def _any_branch(self) -> int:
        return self._random.randrange(len(self._tips))

    def work(self) -> None:
        """A few commits on a branch, mostly the trunk."""
        branch = self._random.choice((0, 0, self._any_branch()))
        for _ in range(self._random.randint(1, 4)):
            self._tips[branch] = self._commit(self._tips[branch])

    def fork(self) -> None:
        """A branch from any commit, or from a release."""
        start = self._random.choice((self._random.randint(1, len(self.shape)), *self.production[-3:]))
        self._tips.append(self._commit(start))

    def merge(self) -> None:
        """Of one branch into another, whichever; the branch goes on or not. Of three or four: an octopus."""
        into = self._any_branch()
        heads = self._random.sample(self._tips, min(len(self._tips), self._random.choice((1, 1, 1, 2, 3))))
        if set(heads) != {self._tips[into]}:
            self._tips[into] = self._commit(self._tips[into], *heads)

    def criss_cross(self) -> None:
        """Two branches merge each other."""
        one, other = self._any_branch(), self._any_branch()
        if one != other and self._tips[one] != self._tips[other]:
            heads = self._tips[one], self._tips[other]
            self._tips[one], self._tips[other] = self._commit(*heads), self._commit(*reversed(heads))

    def new_root(self) -> None:
        """Another history, to be merged or not."""
        self._tips.append(self._commit())

    def release(self) -> None:
        """A branch's tip, mostly the trunk's, to one environment or to both."""
        tip = self._tips[self._random.choice((0, 0, self._any_branch()))]
        for stream in self._random.choice(((self.staging,), (self.staging, self.production), (self.production,))):
            stream.append(tip)

    def rollback(self) -> None:
        """To one of the last releases; or the last one again."""
        if self.production:
            self.production.append(self._random.choice(self.production[-4:]))

    def anything(self) -> None:
        """A release of any commit at all."""
        self.production.append(self._random.randint(1, len(self.shape)))


_CHAPTERS = (
    *(Story.work,) * 6,
    *(Story.release,) * 4,
    *(Story.fork,) * 2,
    *(Story.merge,) * 3,
    Story.criss_cross,
    Story.rollback,
    Story.rollback,
    Story.anything,
    Story.new_root,
)

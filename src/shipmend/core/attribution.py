"""Which release a commit belongs to: the first one, in the order of its stream, that contains it.

Contains it by ancestry, and by nothing else. So every commit counts once: a rollback gets none, a hotfix only its own,
and the next trunk release does not get the hotfix again when that is merged back.

All releases together cost one walk over the history, for a walk from a release may end wherever an earlier one has
been: what lies below, the earlier one has whole. For the same reason a change of one release (late, moved, deleted)
costs what the commits cost that change hands, and not the whole again.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from shipmend.core.ancestry import NONE, Parents
from shipmend.core.lineage import Lineage
from shipmend.core.runs import Redrawn, Run, Runs, spans_of
from shipmend.core.walks import reach


class StreamRelease(NamedTuple):
    """A succeeded release with a known commit, ordered as its stream orders it: by time, then by history.

    No two releases of a stream are equal: the same commit in the same second is the same release.
    """

    released_at: int
    """Epoch seconds."""
    commit: int
    """The release commit's number."""


def first_containing(parents: Parents, commits: Sequence[int]) -> array[int]:
    """For each commit the first of `commits` that it is, or is an ancestor of: its place from 1, or 0 for none.

    Takes a tenth of a second for a million commits.
    """
    first, second, further = parents.first, parents.second, parents.further
    owners = array("i", bytes(4 * (len(parents) + 1)))
    owners[NONE] = -1
    for owner, start in enumerate(commits, start=1):
        branches = [start]
        for branch in branches:  # which grow meanwhile
            commit = branch
            while not owners[commit]:
                owners[commit] = owner
                if second[commit]:
                    branches += (second[commit], *further.get(commit, ()))
                commit = first[commit]
    owners[NONE] = 0
    return owners


class Attribution:
    """The commits of one stream's releases, as runs of commit numbers. Not for two threads at once."""

    def __init__(self, lineage: Lineage, releases: Iterable[StreamRelease], runs: Iterable[Run[StreamRelease]]) -> None:
        """As it was stored: `runs` are those that `releases` have. To find them, see `derive`."""
        self._lineage = lineage
        self._releases = set(releases)
        self._owners = Runs(runs)

    @classmethod
    def derive(cls, lineage: Lineage, releases: Iterable[StreamRelease]) -> Attribution:
        """From the history alone."""
        new = cls(lineage, releases, ())
        ordered = sorted(new._releases)
        new._owners = Runs.of(first_containing(lineage.parents, [release.commit for release in ordered]), ordered)
        return new

    def __iter__(self) -> Iterator[Run[StreamRelease]]:
        """All runs, by commit number."""
        return iter(self._owners)

    def owner_of(self, commit: int) -> StreamRelease | None:
        """The release that a commit belongs to; None when none contains it."""
        return self._owners.at(commit)

    def runs_of(self, release: StreamRelease) -> list[Run[StreamRelease]]:
        """The commits of one release; none for a rollback. Costs what they cost."""
        return list(spans_of(dict.fromkeys(self._owned(release), release)))

    def insert(self, release: StreamRelease) -> Redrawn[StreamRelease]:
        """Add a release: it takes those of its commits that only later releases contain, or none.

        Raises ValueError when it is there already.
        """
        if release in self._releases:
            raise ValueError(f"{release} is there already")
        self._releases.add(release)
        return self._owners.redraw(dict.fromkeys(self._taken(release), release))

    def remove(self, release: StreamRelease) -> Redrawn[StreamRelease]:
        """Take a release away: each of its commits falls to the next release that contains it, if any.

        Raises KeyError when it is not there.
        """
        self._releases.remove(release)
        return self._owners.redraw(self._heirs(self._owned(release)))

    def move(self, before: StreamRelease, after: StreamRelease) -> Redrawn[StreamRelease]:
        """Give a release another time, another commit or both. Raises as `insert` and `remove` do, changing nothing."""
        if before != after and after in self._releases:
            raise ValueError(f"{after} is there already")
        return self.remove(before).then(self.insert(after))

    def _taken(self, release: StreamRelease) -> list[int]:
        """What an earlier release has, it has with all that is below."""

        def is_late(commit: int) -> bool:
            owner = self._owners.at(commit)
            return owner is None or owner > release

        return reach(self._lineage.parents, release.commit, is_late)

    def _owned(self, release: StreamRelease) -> list[int]:
        """Whatever lies on a path from a release to a commit of its own is its own as well."""
        return reach(self._lineage.parents, release.commit, lambda commit: self._owners.at(commit) == release)

    def _heirs(self, orphans: list[int]) -> _Heirs:
        """Who gets the commits of a release that is no more.

        A release contains a commit when it is at it or contains one of its children. So what children outside and
        releases inside offer is handed down from child to parent, which is from high numbers to low ones.
        """
        heirs = _Heirs(orphans)
        for run in list(spans_of(heirs)):
            for parent, child in self._lineage.above(run.first, run.last):
                owner = self._owners.at(child)
                if owner is not None and child not in heirs:
                    heirs.offer(parent, owner)
        for release in self._releases:
            heirs.offer(release.commit, release)
        for commit in reversed(orphans):
            heir = heirs[commit]
            if heir is not None:
                for parent in self._lineage.parents.of(commit):
                    heirs.offer(parent, heir)
        return heirs


class _Heirs(dict[int, StreamRelease | None]):
    """The earliest release offered for each of some commits."""

    def __init__(self, commits: Iterable[int]) -> None:
        super().__init__(dict.fromkeys(commits))

    def offer(self, commit: int, release: StreamRelease) -> None:
        """Does nothing for other commits."""
        if commit in self:
            standing = self[commit]
            if standing is None or release < standing:
                self[commit] = release

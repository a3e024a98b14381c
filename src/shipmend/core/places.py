"""Where in a repo the changes are, told in a handful of lines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from shipmend.core.changes import Amount, ChangedPlace

MOST_PLACES = 8
ELSEWHERE = "elsewhere"
"""All that the other places leave."""

TOO_MUCH = 0.3
"""A directory with so large a share of everything is told by its parts,"""
FEW_PARTS = 4
"""if so many of them"""
ENOUGH = 0.5
"""hold so much of it."""

_TOP = ""


def top_places(directories: Mapping[str, Amount], most: int = MOST_PLACES) -> tuple[ChangedPlace, ...]:
    """Where the changes are, in at most `most` lines that add up to all of them, the weightiest first.

    `directories`: what changed in the files directly in each one, "" being the top. Weight is lines, or files where
    there are no lines.
    """
    tree = _Tree(directories)
    places = sorted(tree.places(), key=lambda place: (-tree.weight(place.amount), place.place))
    if len(places) <= most:
        return tuple(places)
    rest = sum((place.amount for place in places[most - 1 :]), Amount())
    return (*places[: most - 1], ChangedPlace(ELSEWHERE, rest))


class _Tree:
    """The directories with all that is below them."""

    def __init__(self, own: Mapping[str, Amount]) -> None:
        self._own = own
        self._whole: dict[str, Amount] = {_TOP: Amount(), **own}
        self._inside: dict[str, list[str]] = {}
        put = set()
        waiting = list(own)
        while waiting:
            directory = waiting.pop()
            if directory and directory not in put:
                put.add(directory)
                above = _above(directory)
                self._inside.setdefault(above, []).append(directory)
                self._whole.setdefault(above, Amount())
                waiting.append(above)
        for directory in sorted(put, reverse=True):  # what is inside comes before
            self._whole[_above(directory)] += self._whole[directory]

    def places(self) -> Iterator[ChangedPlace]:
        """Parts that leave nothing out and hold nothing twice."""
        waiting = [_TOP]
        while waiting:
            directory = self._first_fork(waiting.pop())
            own = self._own.get(directory, Amount())
            if directory and not self._is_told_by_parts(directory):
                yield ChangedPlace(f"{directory}/", self._whole[directory])
                continue
            if own.files:
                yield ChangedPlace(f"{directory}/*" if directory else "*", own)
            waiting += self._inside.get(directory, [])

    def weight(self, amount: Amount) -> int:
        """What places are compared by."""
        return amount.lines if self._whole[_TOP].lines else amount.files

    def _first_fork(self, directory: str) -> str:
        """A directory that holds nothing but another one says less than that one."""
        while not self._own.get(directory, Amount()).files and len(self._inside.get(directory, [])) == 1:
            directory = self._inside[directory][0]
        return directory

    def _is_told_by_parts(self, directory: str) -> bool:
        whole = self.weight(self._whole[directory])
        parts = sorted((self.weight(self._whole[part]) for part in self._inside.get(directory, [])), reverse=True)
        is_much = whole >= TOO_MUCH * self.weight(self._whole[_TOP])
        return is_much and sum(parts[:FEW_PARTS]) >= ENOUGH * whole


def _above(directory: str) -> str:
    return directory.rpartition("/")[0]

"""A window cut out of facts, once for all its figures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain

from shipmend.core.facts import Facts, Reason, ReleaseRow
from shipmend.core.windows import Interval, Window


@dataclass(frozen=True)
class Cut:
    """What happened in a window; what several figures rest on is found once."""

    window: Window
    facts: Facts
    """Within the window."""
    parts: Sequence[Cut] = ()
    """Those that make up the window, if it has been cut into parts."""

    @classmethod
    def of(cls, facts: Facts, window: Window) -> Cut:
        """A window of facts that may be of more."""
        return cls(window, facts.within(window))

    @classmethod
    def in_parts(cls, facts: Facts, window: Window, interval: Interval) -> Cut:
        """The same, with its parts."""
        inside = facts.within(window)
        return cls(window, inside, tuple(cls.of(inside, part) for part in window.parts(interval)))

    @cached_property
    def counted(self) -> Sequence[ReleaseRow]:
        """The releases that count."""
        return [row for row in self.facts.releases if row.reason is None]

    @cached_property
    def left_out(self) -> Counter[Reason]:
        """How many releases don't, and why."""
        return Counter(row.reason for row in self.facts.releases if row.reason is not None)

    @cached_property
    def lead_times(self) -> Sequence[int]:
        """Of the commits shipped, in seconds, ascending.

        Those of parts are merged from theirs: sorting costs the less the longer the runs are that are sorted already.
        """
        if self.parts:
            runs = (part.lead_times for part in self.parts)
        else:
            runs = (row.lead.times for row in self.facts.releases if row.lead is not None)
        return sorted(chain.from_iterable(runs))

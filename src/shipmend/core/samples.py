"""What a handful of numbers says, and how sure that is.

Percentiles are by nearest rank, so each is one of the values and opens onto its row; the median of an even number of
values is the mean of the middle two, as everybody expects. Intervals hold the true value in 95 of 100 cases: for a
median those between two of the values by the binomial distribution, for a share Wilson's (E. B. Wilson, 1927).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import comb, sqrt

ENOUGH = 10
"""With fewer values than this, a figure is told to be one of too few data points."""
_Z = 1.959963984540054
_EXACT = 60
"""Up to so many values the binomial distribution is summed up; beyond, the normal one is as good."""

Interval = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Sample:
    """Whole numbers, summed up. In the unit of the numbers."""

    n: int
    total: int
    median: float
    p75: int
    p90: int
    interval: Interval | None
    """Of the median; None for fewer than six values, which can't tell."""

    @property
    def mean(self) -> float:
        """The arithmetic mean."""
        return self.total / self.n


def sample(values: Iterable[int]) -> Sample | None:
    """Sum up values in any order; None for none. Values that come in sorted runs cost less."""
    ordered = sorted(values)
    n = len(ordered)
    if not n:
        return None
    middle = (ordered[(n - 1) // 2] + ordered[n // 2]) / 2
    rank = _low_rank(n)
    interval = (float(ordered[rank - 1]), float(ordered[n - rank])) if rank else None
    return Sample(n, sum(ordered), middle, _nearest(ordered, 75), _nearest(ordered, 90), interval)


def share_interval(part: int, whole: int) -> Interval | None:
    """Wilson's interval of a share; None where there is no whole."""
    if not whole:
        return None
    share, square = part / whole, _Z * _Z
    middle = share + square / (2 * whole)
    reach = _Z * sqrt(share * (1 - share) / whole + square / (4 * whole * whole))
    scale = 1 + square / whole
    # It always holds the share itself; rounding would leave out a share of none or of all.
    return max(0.0, min(share, (middle - reach) / scale)), min(1.0, max(share, (middle + reach) / scale))


def _nearest(ordered: list[int], percent: int) -> int:
    return ordered[-(-percent * len(ordered) // 100) - 1]


def _low_rank(n: int) -> int:
    """The highest rank, from 1, below which the median of all lies in at most 2.5 of 100 cases; 0 for none."""
    if n > _EXACT:
        return int((n - _Z * sqrt(n)) / 2)
    rank, below = 0, 0
    while (below + comb(n, rank)) * 40 <= 2**n:
        below += comb(n, rank)
        rank += 1
    return rank

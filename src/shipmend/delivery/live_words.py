"""Where something stands, in words for answers and terminals."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from shipmend.core.live import State
from shipmend.core.moments import iso
from shipmend.delivery.live import LiveView

SHORT = {
    State.NOT_KNOWN: "not known",
    State.NOT_MERGED: "not merged",
    State.MERGED_NOT_RELEASED: "merged, not released",
    State.PARTLY_LIVE: "partly live",
    State.LIVE: "live",
    State.WITHDRAWN: "withdrawn",
}


def in_words(row: LiveView) -> str:
    """As `live since 2024-01-03T10:00:00Z in release v1.2`."""
    words = SHORT[row.state]
    if row.state is State.PARTLY_LIVE:
        words += f" ({row.live} of {row.commits} commits), the last"
    if row.since is not None:
        words += f" {'on' if row.state is State.WITHDRAWN else 'since'} {iso(row.since)}"
    if row.release is not None:
        words += f" {'by' if row.state is State.WITHDRAWN else 'in'} release {row.release.title}"
    return words


def summary(rows: Sequence[LiveView]) -> str:
    """One row whole; of several, how many are in which state."""
    if len(rows) == 1:
        where = ", ".join(filter(None, (str(rows[0].path), rows[0].environment)))
        return f"{where}: {in_words(rows[0])}."
    counts = Counter(row.state for row in rows)
    return ", ".join(f"{SHORT[state]} in {counts[state]}" for state in State if counts[state]) + "."

"""Finding tickets by another pattern than before: the messages of all commits are read from the mirror again.

It goes up the numbers of the commits, some thousands at a time, and writes only what differs. What was done by a
worker that was killed is therefore quickly done again; that all is done, the index says when it completes.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from shipmend.core.tickets import TicketPattern
from shipmend.db.sql import Statement
from shipmend.git.mirror import Mirror
from shipmend.history import store
from shipmend.history.indexing import Guard
from shipmend.history.progress import ProgressReport
from shipmend.history.store import Key

COMMITS_AT_ONCE = 8_000
"""Asked of one git, and stored in one write."""

_COMMITS = Statement(
    "SELECT sha, id, tickets FROM history_commit WHERE entity_id = ? AND repo_number = ? AND id BETWEEN ? AND ?"
)


def read_tickets_again(
    key: Key, commits: int, mirror: Mirror, pattern: TicketPattern, guard: Guard, report: ProgressReport
) -> None:
    """Make the tickets of the commits numbered up to `commits` those that `pattern` finds.

    A commit whose message the mirror has not got any more (it was left behind, and the mirror was lost) has none.
    Raises a GitError, and what the guard raises.
    """
    for first in range(1, commits + 1, COMMITS_AT_ONCE):
        guard.check()
        report.at("Reading messages again", first - 1, commits)
        last = min(first + COMMITS_AT_ONCE - 1, commits)
        rows = _COMMITS.rows(key.entity_id, key.repo_number, first, last)
        old = {number: tickets for _, number, tickets in rows if tickets}
        new = _found(mirror, {bytes(sha): number for sha, number, _ in rows}, pattern)
        if new != old:
            guard.write(partial(store.change_tickets, key, old, new))


def _found(mirror: Mirror, number_of: Mapping[bytes, int], pattern: TicketPattern) -> dict[int, str]:
    found: dict[int, str] = {}
    for batch in mirror.each(sha.hex() for sha in number_of):
        texts = pattern.scan(batch.message)
        found.update((number_of[sha], text) for sha, text in zip(batch.shas, texts, strict=True) if text)
    return found

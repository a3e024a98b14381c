"""Which requests are short, and so take a lane instead of a thread of the server's pool.

A lane is one thread: what keeps it waiting keeps all waiting that take it. So these are single reads, and the two
writes that come in crowds. Whoever asks whether the process is alive has one that nobody else takes.
"""

from __future__ import annotations

import re
from wsgiref.types import WSGIEnvironment

from shipmend.db.writes import short_calls
from shipmend.server import ALIVE, Hand, LaneOf, Threads

SHORT_WRITES = frozenset({"/api/v1/releases", "/api/v1/critical_defects"})
"""Where POST records one thing."""

SHORT_READS = re.compile(r"/api/v1/(?:api_tokens|releases/[^/]+)")
"""Where GET looks up one thing."""


def lanes(reads: Hand) -> LaneOf:
    """Short writes go where SQLite is written, short reads to `reads`.

    On PostgreSQL these go to the pool: there a call waits for another process most of its time.
    """
    writes = short_calls()
    alive = Threads(1, "alive").hand

    def lane_of(environ: WSGIEnvironment) -> Hand | None:
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        if path == ALIVE:
            return alive
        if writes is None:
            return None
        if method == "POST":
            return writes if path in SHORT_WRITES else None
        return reads if method == "GET" and SHORT_READS.fullmatch(path) else None

    return lane_of

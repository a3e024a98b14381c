"""What can be set on the front, and the limits that can't."""

from __future__ import annotations

from dataclasses import dataclass

MAX_TARGET = 8 << 10
"""Bytes in the address of a request, query string included."""

MAX_HEAD = 64 << 10
"""Bytes in the head of a request, or of what frames a chunked body."""

MAX_HEADERS = 100
"""Header lines in a request."""

BODY_MEMORY = 32 << 20
"""Bytes of bodies held for all clients together, while they arrive or are worked on."""

LINGER_SECONDS = 2.0
"""How long what a refused client still sends is thrown away, so that it can read why."""

LINGER_BYTES = 16 << 20
"""How much of it, at most."""

STOP_READING_SECONDS = 2.0
"""How long a request that is still arriving when the stop begins may take to be complete."""

SENT_AT_LEAST = 32 << 10
"""Bytes that a client must take within `send_seconds` while an answer waits for it."""


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """Where to listen and what to allow. Times are in seconds, sizes in bytes."""

    host: str
    port: int
    """0: any free port; `on_ready` is told which."""
    threads: int = 32
    """How many requests the application works on at once. Each thread keeps a database connection."""
    max_body: int = 1 << 20
    larger_bodies: tuple[tuple[str, int], ...] = ()
    """Paths to which larger ones may be sent, and how large."""
    wait_seconds: float = 1
    """How long the first in line may have waited for a thread before who comes behind is refused: an answer that comes
    late is of less use than one that says when to come again."""
    body_seconds: float = 20
    """From the first byte of a request to the last one of its body."""
    trusted_proxies: tuple[str, ...] = ()
    """Addresses or networks of reverse proxies whose X-Forwarded-* headers are believed."""
    head_seconds: float = 10
    """From the first byte of a request, or the opening of the connection, to the end of the head."""
    idle_seconds: float = 75
    """How long a connection is kept for the next request; longer than proxies do: they close first."""
    send_seconds: float = 30
    """How long an answer may wait for a client that does not read."""
    stop_seconds: float = 30
    """How long requests under way may take once a stop was asked for."""
    max_connections: int = 4000

    @property
    def body_memory(self) -> int:
        """Bytes of bodies held at once; at least four of the largest."""
        return max(BODY_MEMORY, 4 * max([self.max_body, *(most for _, most in self.larger_bodies)]))

    def most_to(self, path: str) -> int:
        """How large a body may be that is sent to a path."""
        return next((most for larger, most in self.larger_bodies if larger == path), self.max_body)

"""A brake on guessing passwords."""

from __future__ import annotations

import time
from collections import OrderedDict
from threading import Lock

from shipmend.core.errors import Throttled


class FailureLimit:
    """Counts failures by key, in this process alone; past `allowed` of them, waits `seconds` from the first."""

    def __init__(self, allowed: int, seconds: int, keys_kept: int = 10_000) -> None:
        self.allowed = allowed
        self.seconds = seconds
        self._keys_kept = keys_kept
        self._failures: OrderedDict[str, tuple[float, int]] = OrderedDict()
        self._lock = Lock()

    def check(self, key: str) -> None:
        """Raises Throttled while there have been too many."""
        since, count = self._failures.get(key, (0.0, 0))
        wait = since + self.seconds - time.monotonic()
        if count >= self.allowed and wait > 0:
            minutes = int(wait // 60) + 1
            detail = f"There were {count} failed tries: wait {minutes} min, or ask for a login link."
            raise Throttled(detail, retry_after=int(wait) + 1)

    def note(self, key: str) -> None:
        """Count one failure."""
        now = time.monotonic()
        with self._lock:
            since, count = self._failures.pop(key, (now, 0))
            self._failures[key] = (since, count + 1) if since + self.seconds > now else (now, 1)
            while len(self._failures) > self._keys_kept:
                self._failures.popitem(last=False)

    def forget(self, key: str) -> None:
        """Count from nought again."""
        with self._lock:
            self._failures.pop(key, None)

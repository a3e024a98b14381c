"""Writing releases without HTTP, in the instance of the environment: `python -m bench.loops alone|grouped SECONDS`.

`alone` commits each by itself, one after the other; `grouped` has as many threads as the server has clients, which
share commits. Prints releases a second, on the clock and of the processor.
"""

from __future__ import annotations

import itertools
import json
import sys
import threading
import time
from functools import partial
from typing import TYPE_CHECKING

from bench.service import ENTITY, REPOS
from shipmend.bootstrap import open_instance

if TYPE_CHECKING:
    from collections.abc import Iterator

THREADS = 32


def main() -> None:
    """Run one of them."""
    open_instance()
    kind, seconds = sys.argv[1], float(sys.argv[2])
    numbers = itertools.count(int(time.time()) << 20)
    done: list[int] = []
    stop_at = time.monotonic() + seconds
    began, used = time.monotonic(), time.process_time()
    threads = [
        threading.Thread(target=_write_until, args=(stop_at, numbers, done))
        for _ in range(THREADS if kind == "grouped" else 1)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    count = sum(done)
    print(json.dumps([count / (time.monotonic() - began), count / (time.process_time() - used)]))


def _write_until(stop_at: float, numbers: Iterator[int], done: list[int]) -> None:
    from shipmend.audit.trail import COMMAND_LINE
    from shipmend.catalog.queries import find_place, find_tenant
    from shipmend.core.moments import read_moment
    from shipmend.core.releases import ReleaseReport
    from shipmend.core.values import ResourcePath, Sha
    from shipmend.db.writes import write
    from shipmend.delivery.actions import prepare_release, record_release
    from shipmend.delivery.commits import CommitFinder

    tenant, now = find_tenant(ENTITY), int(time.time())
    count = 0
    while time.monotonic() < stop_at:
        n = next(numbers)
        place = find_place(tenant, ResourcePath(ENTITY, "acme", f"repo-{n % REPOS}"))
        at = read_moment(str(1_500_000_000 + n % 10**8), zone=tenant.zone, date_order=tenant.date_order, now=now)
        report = ReleaseReport(place.path, Sha(f"{n:040x}"), at, release_now=False, environment="alone")
        prepared = prepare_release(place=place, report=report, finder=CommitFinder(), actor=COMMAND_LINE, now=now)
        write(partial(record_release, prepared, now=now))
        count += 1
    done.append(count)


if __name__ == "__main__":
    main()

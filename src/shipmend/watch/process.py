"""What the system tells of this process, by the names that Prometheus' own clients use."""

from __future__ import annotations

import resource
import threading
import time
from pathlib import Path

from shipmend.metrics import Gauge, Total

_BEGAN = time.time()


def of_the_process() -> list[Gauge]:
    """Processor time, memory, open files, threads, age."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    seconds = Total(
        "process_cpu_seconds_total", "Processor time, user and system.", [((), used.ru_utime + used.ru_stime)]
    )
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    figures = (
        ("process_resident_memory_bytes", "Resident memory.", pages * resource.getpagesize()),
        ("process_open_fds", "Open files.", len(list(Path("/proc/self/fd").iterdir()))),
        ("process_max_fds", "Files that may be open.", resource.getrlimit(resource.RLIMIT_NOFILE)[0]),
        ("process_threads", "Threads.", threading.active_count()),
        ("process_start_time_seconds", "When it began, seconds since 1970.", _BEGAN),
    )
    return [seconds, *(Gauge(name, about, [((), float(value))]) for name, about, value in figures)]

"""What this process counts of itself, and how Prometheus reads it (text format 0.0.4).

No label names a tenant, a path or a person: what is counted may be read by whoever watches the machine.
"""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
SIZES = (1, 2, 4, 8, 16, 32, 64, 128)

Labels = tuple[str, ...]
Sample = tuple[Labels, float]


class Counter:
    """Counts what has happened since the process began. Safe to be used by many threads."""

    kind = "counter"

    def __init__(self, name: str, about: str, labels: Labels = (), *, known: Iterable[Labels] = ()) -> None:
        """`known`: labels told from the beginning, as 0: the rise of one that turns up later would not be seen."""
        self.name = name
        self.about = about
        self.labels = labels
        self._values: dict[Labels, float] = dict.fromkeys(known if labels else [()], 0)
        self._lock = threading.Lock()

    def add(self, *labels: str, by: float = 1) -> None:
        """Count one more, or so many."""
        with self._lock:
            self._values[labels] = self._values.get(labels, 0) + by

    def lines(self) -> Iterator[str]:
        """As Prometheus reads it."""
        with self._lock:
            values = dict(self._values)
        return _lines(self.name, self.labels, values.items())


class Histogram:
    """Counts values by how large they are. Safe to be used by many threads."""

    kind = "histogram"

    def __init__(self, name: str, about: str, bounds: Sequence[float], labels: Labels = ()) -> None:
        self.name = name
        self.about = about
        self.labels = labels
        self._bounds = bounds
        self._counts: dict[Labels, list[int]] = {}
        self._sums: dict[Labels, float] = {}
        self._lock = threading.Lock()

    def observe(self, value: float, *labels: str) -> None:
        """Count one value."""
        place = bisect_left(self._bounds, value)
        with self._lock:
            counts = self._counts.get(labels)
            if counts is None:
                counts = self._counts[labels] = [0] * (len(self._bounds) + 1)
                self._sums[labels] = 0.0
            counts[place] += 1
            self._sums[labels] += value

    def lines(self) -> Iterator[str]:
        """As Prometheus reads it: the counts up to each bound, their sum and their number."""
        with self._lock:
            counted = {labels: list(counts) for labels, counts in self._counts.items()}
            sums = dict(self._sums)
        bounds = [*(f"{bound:g}" for bound in self._bounds), "+Inf"]
        for labels, counts in counted.items():
            upto = [sum(counts[: n + 1]) for n in range(len(counts))]
            buckets = [((*labels, bound), count) for bound, count in zip(bounds, upto, strict=True)]
            yield from _lines(f"{self.name}_bucket", (*self.labels, "le"), buckets)
            yield from _lines(f"{self.name}_sum", self.labels, [(labels, sums[labels])])
            yield from _lines(f"{self.name}_count", self.labels, [(labels, upto[-1])])


class Gauge:
    """What was just looked up, to be told once."""

    kind = "gauge"

    def __init__(self, name: str, about: str, samples: Iterable[Sample], labels: Labels = ()) -> None:
        self.name = name
        self.about = about
        self.labels = labels
        self._samples = list(samples)

    def lines(self) -> Iterator[str]:
        """As Prometheus reads it."""
        return _lines(self.name, self.labels, self._samples)


class Total(Gauge):
    """The same of what only grows while the process lives."""

    kind = "counter"


Metric = Counter | Histogram | Gauge

REQUESTS = Counter("shipmend_requests_total", "Requests answered.", ("method", "route", "status"))
REQUEST_SECONDS = Histogram("shipmend_request_seconds", "Time to an answer.", SECONDS, ("method", "route"))
WRITES = Counter(
    "shipmend_writes_total",
    "Pieces of work written or refused.",
    ("outcome",),
    known=[("stored",), ("refused",), ("unavailable",)],
)
COMMIT_SIZES = Histogram("shipmend_commit_writes", "Pieces of work that shared one commit.", SIZES)
COMMIT_SECONDS = Histogram("shipmend_commit_seconds", "Time of a transaction, its commit included.", SECONDS)
WRITE_RETRIES = Counter("shipmend_write_retries_total", "Transactions that the database had tried again.")
JOBS_ENDED = Counter("shipmend_jobs_ended_total", "Jobs that this process did.", ("kind", "outcome"))

OF_THIS_PROCESS: tuple[Metric, ...] = (
    REQUESTS,
    REQUEST_SECONDS,
    WRITES,
    COMMIT_SIZES,
    COMMIT_SECONDS,
    WRITE_RETRIES,
    JOBS_ENDED,
)


def page(metrics: Iterable[Metric]) -> str:
    """All of them as one text."""
    told: list[str] = []
    for metric in metrics:
        told += [f"# HELP {metric.name} {metric.about}", f"# TYPE {metric.name} {metric.kind}", *metric.lines()]
    return "\n".join(told) + "\n"


def _lines(name: str, labels: Labels, samples: Iterable[Sample]) -> Iterator[str]:
    for values, value in samples:
        pairs = ",".join(f'{label}="{_escaped(text)}"' for label, text in zip(labels, values, strict=True))
        yield f"{name}{{{pairs}}} {value:.10g}" if pairs else f"{name} {value:.10g}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")

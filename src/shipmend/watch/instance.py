"""What the database tells of the instance, all tenants together."""

from __future__ import annotations

from pathlib import Path

from django.db import connection

from shipmend import __version__
from shipmend.catalog.queries import repo_counts
from shipmend.db.sql import is_sqlite
from shipmend.jobs.queries import open_job_counts
from shipmend.metrics import Gauge


def of_the_database() -> list[Gauge]:
    """Jobs and repos by their state, and the size of the database where it is a file of ours."""
    jobs = open_job_counts()
    gauges = [
        Gauge("shipmend_info", "What runs.", [((__version__, connection.vendor), 1)], ("version", "database")),
        Gauge(
            "shipmend_jobs",
            "Jobs that are not done.",
            [((job.kind, job.state), job.count) for job in jobs],
            ("kind", "state"),
        ),
        Gauge(
            "shipmend_job_oldest_seconds",
            "Time since the oldest of them was due, or was given up.",
            [((job.kind, job.state), job.oldest) for job in jobs],
            ("kind", "state"),
        ),
        Gauge(
            "shipmend_repos",
            "Repos by the state of their index.",
            [((state,), count) for state, count in repo_counts()],
            ("state",),
        ),
    ]
    return [*gauges, _size()] if is_sqlite() else gauges


def _size() -> Gauge:
    file = Path(connection.settings_dict["NAME"])
    parts = [("main", file), ("wal", file.with_name(f"{file.name}-wal"))]
    sizes = [((name,), float(part.stat().st_size)) for name, part in parts if part.exists()]
    return Gauge("shipmend_database_bytes", "Size of the SQLite database on disk.", sizes, ("file",))

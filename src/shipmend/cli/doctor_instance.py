"""The doctor's look inside an instance: its database, its jobs, its repos, its people."""

from __future__ import annotations

import time
from collections.abc import Iterator
from uuid import UUID

from django.db import DatabaseError, InterfaceError, connection
from django.db.migrations.loader import MigrationLoader
from django.urls import reverse

from shipmend.accounts.people import has_owner, nobody_yet
from shipmend.audit import trail
from shipmend.catalog.queries import Tenant, every_tenant, failing_repos, repo_paths, stale_repos
from shipmend.cli import doctor_database
from shipmend.cli.findings import Finding, command, fault, fine
from shipmend.cli.links import origin
from shipmend.cli.opening import first_line
from shipmend.config import Config
from shipmend.core.amounts import several
from shipmend.core.values import ResourcePath
from shipmend.db.clock import database_now
from shipmend.db.state import missing_migrations
from shipmend.history.faults import PARTIAL, is_damaged, wants_branch
from shipmend.history.queries import faulty_repos
from shipmend.jobs.queries import dead_jobs, overdue_jobs

CLOCKS_APART = 5
"""Seconds that the clocks of this machine and of the database may differ."""
LATE = 300
"""Seconds for which a due job waits before a worker is missed."""

STALE_ROUNDS = 10
LEAST_STALE = 3600
"""Rounds of scheduled fetches, or seconds if that is more, after which a repo has been forgotten."""


def findings(config: Config) -> Iterator[Finding]:
    """One finding for each thing looked at; of an unreachable database only that."""
    try:
        connection.ensure_connection()
    except (DatabaseError, InterfaceError) as error:
        yield fault(f"the database can't be reached: {first_line(error)}", _database_mend(config))
        return
    yield fine(f"the database answers ({connection.vendor})")
    yield from doctor_database.findings(config)
    tables = _tables(config)
    yield tables
    if tables.mend:
        return
    yield _clock()
    yield _workers(config)
    yield _people(config)
    for tenant in every_tenant():
        yield from _entity(tenant, config)
    yield from _repos(config)


def _database_mend(config: Config) -> str:
    if config.database_url:
        return "start PostgreSQL, or correct DATABASE_URL"
    return f"give {config.data} to the user who runs shipmend, or restore its backup"


def _tables(config: Config) -> Finding:
    loader, missing = MigrationLoader(connection), missing_migrations()
    unknown = set(loader.applied_migrations) - set(loader.disk_migrations)
    ours = {app for app, _ in loader.disk_migrations}
    if missing:
        return fault(f"{several(missing, 'migration is', 'migrations are')} missing", command("migrate", config))
    if any(app in ours for app, _ in unknown):
        return fault("the tables are those of a newer Shipmend", "install that version again")
    return fine("the tables are up to date")


def _clock() -> Finding:
    apart = database_now() - time.time()
    if abs(apart) > CLOCKS_APART:
        return fault(f"this machine's clock is {abs(apart):.0f} s off the database's", "timedatectl set-ntp true")
    return fine("the clocks agree")


def _workers(config: Config) -> Finding:
    late = overdue_jobs(seconds=LATE)
    if late:
        jobs = several(late, "job has", "jobs have")
        what = f"{jobs} been due for over {LATE // 60} minutes, and no worker takes {'it' if late == 1 else 'them'}"
        return fault(what, command("worker", config))
    return fine("no job is overdue")


def _people(config: Config) -> Finding:
    if nobody_yet():
        return fault("nobody can sign in yet", command("user create EMAIL --owner-of ENTITY", config))
    return fine("there are users")


def _entity(tenant: Tenant, config: Config) -> Iterator[Finding]:
    if not has_owner(tenant):
        mend = command(f"user role EMAIL {tenant.slug} owner", config)
        yield fault(f"{tenant.slug} has no owner, so nobody can change its settings", mend)
    if any(event.at > time.time() + LATE for event in trail.latest(tenant.id, limit=1)):
        yield fault(f"{tenant.slug} holds records from the future: this clock is slow", "timedatectl set-ntp true")
    yield from _dead_jobs(tenant, config)


def _dead_jobs(tenant: Tenant, config: Config) -> Iterator[Finding]:
    jobs = dead_jobs(tenant.id)
    # The key of each kind of job that there is: the repo it works on, which may have been removed since.
    paths = repo_paths(tenant, (UUID(job.key) for job in jobs))
    for job in jobs:
        path = paths.get(UUID(job.key))
        what = f"{path or tenant.slug}: {job.kind} was given up after {job.attempt} tries: {job.error.rstrip('.')}"
        yield fault(what, command(f"repo index {path}", config) if path else "read the worker's log for the cause")


def _repos(config: Config) -> Iterator[Finding]:
    for repo in failing_repos():
        mend = command(f"repo index {repo.path}", config)
        yield fault(f"{repo.path} can't be indexed: {repo.index_error.rstrip('.')}", mend)
    for path, faults in faulty_repos():
        yield fault(f"{path}: {faults.rstrip('.')}", _mend_of(path, faults, config))
    if config.fetch_interval:
        late = max(config.fetch_interval * STALE_ROUNDS, LEAST_STALE)
        for repo in stale_repos(int(time.time() - late)):
            yield fault(f"{repo.path} was due for a fetch {late // 60:,} minutes ago", command("worker", config))


def _mend_of(path: ResourcePath, faults: str, config: Config) -> str:
    """What mends the faults of a remote."""
    page = origin() + reverse("settings-repo", args=[path.entity, path.organization, path.repo])
    mends = []
    if wants_branch(faults):
        mends.append(f"choose the release branch at {page}")
    if is_damaged(faults):
        mends.append(f"mend the remote, then: {command(f'repo index {path}', config)}")
    if PARTIAL in faults:
        mends.append(f"mend the remote, then press Index again at {page}")
    return "; ".join(mends) or f"see {page}"

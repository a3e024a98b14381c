"""`shipmend import`: a file of releases and defects, many to a commit; or what it would change."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from django.db import DEFAULT_DB_ALIAS, connections

from shipmend.api.batch import NO_SETTING, Batch, Line, handfuls, outcome
from shipmend.api.body import Parameters
from shipmend.api.envelope import PENDING, Answer
from shipmend.api.fields import Reader, Setting
from shipmend.api.parameters import RESOURCE_PATH
from shipmend.audit.trail import COMMAND_LINE, Actor
from shipmend.catalog.queries import Place, Tenant, find_place, find_tenant
from shipmend.cli.import_lines import ImportFile, open_file
from shipmend.cli.passing import passing_folder
from shipmend.cli.program import DONE, REFUSED
from shipmend.cli.progress import ProgressLine
from shipmend.core.errors import BadRequest, Invalid, Unavailable
from shipmend.core.values import ResourcePath, Scope
from shipmend.db.clock import epoch_now
from shipmend.db.copies import copy_sqlite
from shipmend.db.sql import is_sqlite
from shipmend.db.writes import DryRun, write
from shipmend.delivery.commits import CommitFinder
from shipmend.history.progress import ProgressReport
from shipmend.settings import CONFIG

LINES_AT_ONCE = 500
"""In one transaction."""
PAUSE = 0.002
"""Seconds between two of them, in which a server on the same database comes to write."""
REFUSALS_SHOWN = 100

_KINDS = (("release", "releases"), ("defect", "defects"), ("batch", "lines"))
_TO_DO = {"created": "to create", "updated": "to update"}


@dataclass(slots=True)
class Tally:
    """What became of the lines."""

    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By kind and outcome."""
    pending: int = 0
    refusals: list[tuple[int, str]] = field(default_factory=list)
    last: int = 0
    """The number of the last one counted."""

    def note(self, line: Line, answer: Answer) -> None:
        """Count one."""
        kind = next(kind for kind, _ in _KINDS if kind in answer.action_em)
        self.counts[kind, outcome(answer)] += 1
        self.pending += answer.response_em == PENDING
        if answer.status >= 300:
            self.refusals.append((line.number, answer.detail))
        self.last = line.number


class Operator:
    """The person at the command line: may write to every entity."""

    actor: Actor = COMMAND_LINE

    def __init__(self, now: int) -> None:
        self._now = now
        self._tenants: dict[str, Tenant] = {}

    def require(self, scope: Scope) -> None:
        """Every scope is the operator's."""

    def setting(self, given: Parameters) -> Setting:
        """That of the entity which the line belongs to. Raises Invalid and NotFound."""
        path = Reader(frozenset([RESOURCE_PATH.name]), given, NO_SETTING).need(RESOURCE_PATH)
        tenant = self._tenant(path.entity)
        return Setting(tenant.zone, tenant.date_order, self._now)

    def place(self, path: ResourcePath) -> Place:
        """What `path` names. Raises NotFound."""
        return find_place(self._tenant(path.entity), path)

    def reach(self, tenant: Tenant) -> ResourcePath:
        """All of it."""
        return ResourcePath(tenant.slug)

    def _tenant(self, slug: str) -> Tenant:
        tenant = self._tenants.get(slug)
        if tenant is None:
            tenant = self._tenants[slug] = find_tenant(slug)
        return tenant


def run(*, file: Path, path: ResourcePath | None, preview: bool) -> int:
    """Record every line that can be, and tell of the others. 1 when some were refused."""
    with open_file(file, room=CONFIG.data) as source:
        total = _read_through(source)
        ignored = source.ignored_columns()
        if ignored:
            print(f"shipmend: these columns are no parameters and are left out: {', '.join(ignored)}", file=sys.stderr)
        tally = _previewed(source, path, total) if preview else _imported(source, path, total)
    _tell(tally, preview=preview)
    return REFUSED if tally.refusals else DONE


def _read_through(source: ImportFile) -> int:
    """Before anything is written: the number of the last line. Raises BadRequest for a file that can't be read."""
    try:
        return source.check()
    except Invalid as refused:
        raise BadRequest(f"{refused.detail} Nothing was stored.") from refused


def _imported(source: ImportFile, path: ResourcePath | None, total: int) -> Tally:
    """Record the lines of the file. Raises BadRequest when the database can't be written, or the file has changed."""
    tally = Tally()
    try:
        _record(source, path, CommitFinder(), tally, total)
    except (Unavailable, Invalid) as refused:
        if not tally.last:
            raise BadRequest(f"{refused.detail} Nothing was stored.") from refused
        _tell(tally, preview=False)
        detail = f"{refused.detail} Lines up to {tally.last} are stored: the same command again goes on after them."
        raise BadRequest(detail) from refused
    return tally


def _record(source: ImportFile, path: ResourcePath | None, finder: CommitFinder, tally: Tally, total: int) -> None:
    """Record the lines of the file and count them. Raises Unavailable and Invalid."""
    progress = ProgressLine(Path(source.name).name)
    report = ProgressReport(progress.say)
    now = epoch_now()
    batch = Batch(Operator(now), now, path, finder)
    try:
        for lines in handfuls(source.lines(), LINES_AT_ONCE):
            for line, answer in zip(lines, write(batch.prepare(lines)), strict=True):
                tally.note(line, answer)
            report.at("Importing", tally.last, total)
            time.sleep(PAUSE)
    finally:
        progress.close()


def _previewed(source: ImportFile, path: ResourcePath | None, total: int) -> Tally:
    """What recording would come to. No repo is fetched for it: what has not been seen yet counts as pending.

    On SQLite it is recorded into a copy, so that nobody waits. On PostgreSQL in a transaction that is undone:
    meanwhile other writes to the repos in the file wait.
    """
    finder = CommitFinder(may_fetch=False)

    def recorded() -> Tally:
        tally = Tally()
        _record(source, path, finder, tally, total)
        return tally

    def trial() -> Tally:
        raise DryRun(recorded())

    if is_sqlite():
        with _on_a_copy():
            return recorded()
    return write(trial)


@contextmanager
def _on_a_copy() -> Iterator[None]:
    with passing_folder(CONFIG, "preview") as folder:
        connections.close_all()
        database = connections.settings[DEFAULT_DB_ALIAS]
        copy = folder / "shipmend.sqlite3"
        copy_sqlite(Path(database["NAME"]), copy)
        database["NAME"] = copy
        yield


def _tell(tally: Tally, *, preview: bool) -> None:
    for number, sentence in tally.refusals[:REFUSALS_SHOWN]:
        print(f"line {number}: {sentence}", file=sys.stderr)
    if len(tally.refusals) > REFUSALS_SHOWN:
        print(f"… and {len(tally.refusals) - REFUSALS_SHOWN:,} more lines were refused.", file=sys.stderr)
    for kind, name in _KINDS:
        counts = {what: count for (of, what), count in sorted(tally.counts.items()) if of == kind}
        if counts:
            words = _TO_DO if preview else {}
            print(f"{name}: {', '.join(f'{count:,} {words.get(what, what)}' for what, count in counts.items())}")
    if tally.pending:
        print(f"{tally.pending:,} of them wait for a commit that has not been seen yet.")
    if not tally.counts:
        print("The file lists nothing.")
    if preview:
        print("Nothing was stored.")

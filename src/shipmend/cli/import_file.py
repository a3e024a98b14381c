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
from shipmend.cli.import_lines import count_lines, ignored_columns, read_lines
from shipmend.cli.passing import passing_folder
from shipmend.cli.program import DONE, REFUSED
from shipmend.cli.progress import ProgressLine
from shipmend.core.errors import Unavailable
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

    def note(self, line: Line, answer: Answer) -> None:
        """Count one."""
        kind = next(kind for kind, _ in _KINDS if kind in answer.action_em)
        self.counts[kind, outcome(answer)] += 1
        self.pending += answer.response_em == PENDING
        if answer.status >= 300:
            self.refusals.append((line.number, answer.detail))


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
    ignored = ignored_columns(file)
    if ignored:
        print(f"shipmend: these columns are no parameters and are left out: {', '.join(ignored)}", file=sys.stderr)
    tally = _previewed(file, path) if preview else _recorded(file, path, CommitFinder())
    _tell(tally, preview=preview)
    return REFUSED if tally.refusals else DONE


def _recorded(file: Path, path: ResourcePath | None, finder: CommitFinder) -> Tally:
    """Record the lines of the file. Raises Unavailable when the database can't be written."""
    progress = ProgressLine(file.name)
    report, total = ProgressReport(progress.say), count_lines(file)
    now = epoch_now()
    batch, tally = Batch(Operator(now), now, path, finder), Tally()
    stored = 0
    try:
        for lines in handfuls(read_lines(file), LINES_AT_ONCE):
            for line, answer in zip(lines, write(batch.prepare(lines)), strict=True):
                tally.note(line, answer)
            stored = lines[-1].number
            report.at("Importing", stored, total)
            time.sleep(PAUSE)
    except Unavailable as refused:
        detail = f"{refused.detail} Lines up to {stored} are stored: the same command again goes on after them."
        raise Unavailable(detail) from refused
    finally:
        progress.close()
    return tally


def _previewed(file: Path, path: ResourcePath | None) -> Tally:
    """What recording would come to. No repo is fetched for it: what has not been seen yet counts as pending.

    On SQLite it is recorded into a copy, so that nobody waits. On PostgreSQL in a transaction that is undone:
    meanwhile other writes to the repos in the file wait.
    """
    finder = CommitFinder(may_fetch=False)
    if is_sqlite():
        with _on_a_copy():
            return _recorded(file, path, finder)

    def trial() -> Tally:
        raise DryRun(_recorded(file, path, finder))

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

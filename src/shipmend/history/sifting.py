"""Finding the commits that touch the paths of a part, and storing them as runs.

It goes up the numbers of the source's commits, some thousands at a time, and says last how far it is; so a worker may
be killed at any moment. New commits of the source are looked at once. When the paths change, all commits are looked
at beside what counted so far, which goes on counting until then.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar
from uuid import UUID

from shipmend.catalog.models import IndexState, Repo
from shipmend.core.runs import spans_of
from shipmend.db.clock import epoch_now
from shipmend.db.sql import Statement
from shipmend.git.paths import touching
from shipmend.history import store
from shipmend.history.indexing import Guard
from shipmend.history.mirrors import access, mirror_of, remote_of
from shipmend.history.progress import ProgressReport
from shipmend.history.store import Key

T = TypeVar("T")

COMMITS_AT_ONCE = 20_000
"""Asked of one git, and stored in one write."""
WIPED = 20_000
"""Runs deleted in one write."""

_PART = "entity_id = ? AND repo_id = ?"
_PATHS = Statement("SELECT path_globs FROM catalog_repo WHERE entity_id = ? AND id = ? AND source_id = ? {lock}")
_SIEVES = Statement(
    f"SELECT version, globs, upto, commits, is_current FROM history_sieve WHERE {_PART} ORDER BY version"
)
_NEW_SIEVE = Statement(
    "INSERT INTO history_sieve (entity_id, repo_id, version, globs, upto, commits, is_current)"
    " VALUES (?, ?, ?, ?, ?, ?, ?)"
)
_ADVANCE = Statement(f"UPDATE history_sieve SET upto = ?, commits = ? WHERE {_PART} AND version = ?")
_MAKE_CURRENT = Statement(f"UPDATE history_sieve SET is_current = (version = ?) WHERE {_PART}")
_DROP_BEGUN = Statement(f"DELETE FROM history_sieve WHERE {_PART} AND NOT is_current AND globs <> ?")
_DROP_OTHERS = Statement(f"DELETE FROM history_sieve WHERE {_PART} AND version <> ?")
_DROP_SIEVES = Statement(f"DELETE FROM history_sieve WHERE {_PART}")
_LAST_RUN = Statement(
    f"SELECT first, last FROM history_touched WHERE {_PART} AND version = ? ORDER BY first DESC LIMIT 1"
)
_LENGTHEN = Statement(f"UPDATE history_touched SET last = ? WHERE {_PART} AND version = ? AND first = ?")
_NEW_RUN = Statement("INSERT INTO history_touched (entity_id, repo_id, version, first, last) VALUES (?, ?, ?, ?, ?)")
_LEAST_VERSION = Statement(f"SELECT version FROM history_touched WHERE {_PART} ORDER BY version LIMIT 1")
_MOST_VERSION = Statement(f"SELECT version FROM history_touched WHERE {_PART} ORDER BY version DESC LIMIT 1")
_WIPE = Statement(
    f"DELETE FROM history_touched WHERE {_PART} AND version = ? AND first <= (SELECT max(lowest.first) FROM"
    f" (SELECT first FROM history_touched WHERE {_PART} AND version = ? ORDER BY first LIMIT ?) AS lowest)"
)
_COMMITS = Statement(
    "SELECT id, sha, second_parent FROM history_commit"
    " WHERE entity_id = ? AND repo_number = ? AND id BETWEEN ? AND ? ORDER BY id"
)


class PartChanged(Exception):
    """The part was removed or given other paths meanwhile: those who did that have asked for what is to be done."""


@dataclass(frozen=True, slots=True)
class _Sieve:
    """See models.Sieve."""

    version: int
    globs: str
    upto: int = 0
    commits: int = 0
    is_current: bool = False


@dataclass(frozen=True, slots=True)
class _Sifting:
    """The guard of the job, and one more: rows are written only while the part is as it was."""

    part: Repo
    guard: Guard
    on_progress: Callable[[str], None]

    @property
    def where(self) -> tuple[UUID, UUID]:
        return self.part.entity_id, self.part.id

    def write(self, globs: str, work: Callable[[], T]) -> T:
        def unchanged() -> T:
            if self._paths() != globs:
                raise PartChanged
            return work()

        return self.guard.write(unchanged)

    def begin(self) -> _Sieve:
        """The sieve to go on with."""
        return self.guard.write(lambda: _sieve_for(self.where, self._paths()))

    def say(self, line: str) -> None:
        self.on_progress(line)
        self.guard.write(partial(_set, self.part, index_state=IndexState.RUNNING, index_progress=line))

    def _paths(self) -> str:
        """As they are, and stay until the surrounding write ends."""
        row = _PATHS.row(*self.where, self.part.source_id)
        if row is None:
            raise PartChanged
        return str(row[0])


def sift(part: Repo, *, guard: Guard, on_progress: Callable[[str], None] = lambda _: None) -> None:
    """Look at the commits of a part's source that have not been looked at, as far as the source is indexed.

    `on_progress` is called with a line for people now and then. Raises a GitError, PartChanged, and what the guard
    raises.
    """
    sifting = _Sifting(part, guard, on_progress)
    key = Key(part.entity_id, part.home.number)
    sieve = sifting.begin()
    _wipe(sifting)
    state = store.state_of(key)
    commits = state.commits if state else 0
    if sieve.upto < commits:
        _have_mirror(sifting, key)
    report = ProgressReport(sifting.say)
    while sieve.upto < commits:
        guard.check()
        if commits - sieve.upto > COMMITS_AT_ONCE:
            report.at("Looking at commits", sieve.upto, commits)
        upto = min(sieve.upto + COMMITS_AT_ONCE, commits)
        found = _touched(part.home, key, sieve, upto)
        sieve = sifting.write(sieve.globs, partial(_add, sifting.where, sieve, upto, found))
    sifting.write(sieve.globs, partial(_finish, part, sieve))
    _wipe(sifting)


def abandon(entity_id: UUID, repo_id: UUID) -> None:
    """A repo is being removed, in the surrounding write(): if it is a part, none of its runs count any more."""
    _DROP_SIEVES.run(entity_id, repo_id)


def wipe_some(entity_id: UUID, repo_id: UUID) -> bool:
    """Delete some of the runs that no sieve of the part claims, inside write(); False when there were none."""
    where = entity_id, repo_id
    claimed = {sieve.version for sieve in _sieves(where)}
    # What nobody claims is older than what is current, or the newest: it is deleted before a newer one gets runs.
    stored = {row[0] for statement in (_LEAST_VERSION, _MOST_VERSION) if (row := statement.row(*where))}
    for version in stored - claimed:
        _WIPE.run(*where, version, *where, version, WIPED)
        return True
    return False


def _have_mirror(sifting: _Sifting, key: Key) -> None:
    """Where another machine has indexed the source, this one may have an old mirror, or none."""
    home = sifting.part.home
    mirror = mirror_of(home.id)
    tips = [tip.sha.hex() for tip in store.tips_of(key).values() if tip.commit is not None]
    if not (mirror.exists and mirror.holds(tips)):
        mirror.create()
        mirror.fetch(remote_of(home), access(), on_progress=lambda _: sifting.guard.check())


def _touched(home: Repo, key: Key, sieve: _Sieve, upto: int) -> list[int]:
    """The numbers of the commits above the sieve's, up to this one, that touch its paths."""
    rows = _COMMITS.rows(key.entity_id, key.repo_number, sieve.upto + 1, upto)
    number_of = {bytes(sha).hex(): number for number, sha, _ in rows}
    plain = [bytes(sha).hex() for _, sha, second_parent in rows if second_parent is None]
    merges = [bytes(sha).hex() for _, sha, second_parent in rows if second_parent is not None]
    found = touching(mirror_of(home.id).git_dir, plain, merges, sieve.globs.splitlines())
    return [number_of[sha] for sha in found]


def _sieves(where: tuple[UUID, UUID]) -> list[_Sieve]:
    rows = _SIEVES.rows(*where)
    return [_Sieve(version, globs, upto, commits, bool(current)) for version, globs, upto, commits, current in rows]


def _sieve_for(where: tuple[UUID, UUID], globs: str) -> _Sieve:
    """The sieve for these paths, made if it is missing; any other but the current one is given up."""
    _DROP_BEGUN.run(*where, globs)
    sieves = _sieves(where)
    found = next((sieve for sieve in sieves if sieve.globs == globs), None)
    if found is None:
        newest = _MOST_VERSION.row(*where) or (0,)
        found = _Sieve(max(newest[0], *(sieve.version for sieve in sieves), 0) + 1, globs)
        _NEW_SIEVE.run(*where, found.version, found.globs, found.upto, found.commits, found.is_current)
    return found


def _add(where: tuple[UUID, UUID], sieve: _Sieve, upto: int, found: list[int]) -> _Sieve:
    runs = [(run.first, run.last) for run in spans_of(dict.fromkeys(found))]
    last = _LAST_RUN.row(*where, sieve.version)
    if runs and last and runs[0][0] == last[1] + 1:
        _LENGTHEN.run(runs.pop(0)[1], *where, sieve.version, last[0])
    _NEW_RUN.run_many([(*where, sieve.version, *run) for run in runs])
    further = replace(sieve, upto=upto, commits=sieve.commits + len(found))
    _ADVANCE.run(further.upto, further.commits, *where, sieve.version)
    return further


def _finish(part: Repo, sieve: _Sieve) -> None:
    where = part.entity_id, part.id
    if not sieve.is_current:
        _MAKE_CURRENT.run(sieve.version, *where)
        _DROP_OTHERS.run(*where, sieve.version)
    _set(
        part,
        index_state=IndexState.READY,
        index_error="",
        index_progress="",
        indexed_at=epoch_now(),
        commit_count=sieve.commits,
    )


def _wipe(sifting: _Sifting) -> None:
    while sifting.guard.write(lambda: wipe_some(*sifting.where)):
        sifting.guard.check()


def _set(part: Repo, **values: object) -> None:
    Repo.objects.filter(entity_id=part.entity_id, id=part.id).update(**values)

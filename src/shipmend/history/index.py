"""An index: the mirror made that of the remote, and the tables those of the mirror.

Killed at any moment it leaves what the next one deletes or goes on from, so that the tables end as if it
had not been killed. What gives the rest its meaning (state, tips, trunk) is written last, in one
transaction.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from shipmend.catalog.models import IndexState, Repo
from shipmend.core.tickets import TicketPattern
from shipmend.db.clock import epoch_now
from shipmend.git.errors import MirrorBusy
from shipmend.git.mirror import Mirror
from shipmend.git.refs import BRANCH, TAG, RefState
from shipmend.history import store
from shipmend.history.actions import SETTLE, TEND, TEND_DELAY, request_sift
from shipmend.history.faults import PARTIAL, faults_of, with_undated
from shipmend.history.indexing import Guard, Stored, index_commits
from shipmend.history.mirrors import access, mirror_of, remote_of
from shipmend.history.progress import ProgressReport
from shipmend.history.rereading import read_tickets_again
from shipmend.history.store import Key, State, Tip
from shipmend.history.tickets import pattern_of
from shipmend.history.trunk import apply_trunk, plan_trunk
from shipmend.jobs.queue import enqueue

T = TypeVar("T")

BUSY_PATIENCE = 20.0
BUSY_PAUSE = 0.1
"""Seconds."""


class RepoGone(Exception):
    """The repo was removed while it was being indexed."""


@dataclass(frozen=True, slots=True)
class Indexed:
    """What an index found."""

    commits: int
    """In the repo by now, with those that no branch holds any more."""
    new_commits: int


@dataclass(frozen=True, slots=True)
class _Owned:
    """The guard of the job, and one more: rows are written only while they are this repo's.

    A repo removed and made anew may have the same number, and so the same place in the tables.
    """

    guard: Guard
    repo: Repo
    key: Key

    def write(self, work: Callable[[], T]) -> T:
        def owned() -> T:
            state = store.state_of(self.key)
            if state is None or state.repo_id != self.repo.id:
                raise RepoGone
            return work()

        return self.guard.write(owned)

    def check(self) -> None:
        self.guard.check()

    def own(self) -> State:
        """The state to go on from."""

        def work() -> State:
            state = store.state_of(self.key)
            if state is not None and state.repo_id == self.repo.id:
                return state
            if not Repo.objects.filter(entity_id=self.repo.entity_id, id=self.repo.id).exists():
                raise RepoGone
            store.take_over(self.key, self.repo.id)
            return State(self.repo.id)

        return self.guard.write(work)


@dataclass(slots=True)
class _Run:
    owned: _Owned
    repo: Repo
    key: Key
    mirror: Mirror
    state: State
    tips: Mapping[str, Tip]
    """Of the last completed index."""
    pattern: TicketPattern
    refill: bool
    began: int = field(default_factory=epoch_now)


def index_repo(
    repo: Repo, *, guard: Guard, refill: bool = False, on_progress: Callable[[str], None] = lambda _: None
) -> Indexed:
    """Fetch the repo's remote and index what is new. `on_progress` is called with a line for people now and then.

    With `refill`, files that the remote could not read are asked for once more, and all others with them.
    Raises a GitError or RemoteRefused, whose `for_people` says what is wrong; RepoGone; and what the guard
    raises.
    """
    key = Key(repo.entity_id, repo.number)
    owned = _Owned(guard, repo, key)
    mirror, pattern = mirror_of(repo.id), pattern_of(repo.entity_id)
    run = _Run(owned, repo, key, mirror, owned.own(), store.tips_of(key), pattern, refill)
    if _is_up_to_date(run):
        owned.write(lambda: _close(run, run.state))
        return Indexed(run.state.commits, 0)
    report = ProgressReport(lambda line: _say(run, line, on_progress))
    report.at("Connecting")
    refs = _fetch(run, report)
    while owned.write(lambda: store.wipe_some(key, above=run.state)):
        owned.check()
    if run.state.tickets_by != run.pattern.fingerprint:
        read_tickets_again(key, run.state.commits, run.mirror, run.pattern, owned, report)
    report.at("Reading commits")
    new, known = _ends(run, refs)
    stored = index_commits(key, run.state, run.mirror.log(new, known, sort=False), run.pattern, owned, report)
    _complete(run, refs, stored)
    return Indexed(stored.commits.last, len(stored.commits))


def _is_up_to_date(run: _Run) -> bool:
    """Whether the remote's branches and tags are where the last completed index saw them: nearly always so.

    Never when something was amiss then, which may be mended, nor when tickets are looked for by another pattern.
    """
    if run.refill and run.state.faults:
        return False
    if run.state.faults not in {"", PARTIAL} or run.state.tickets_by != run.pattern.fingerprint:
        return False
    if not run.mirror.exists or run.state.trunk_branch != (run.repo.release_branch or run.state.default_branch):
        return False
    offered = run.mirror.remote_refs(remote_of(run.repo), access(), with_head=False)
    return offered.objects == {name: tip.sha.hex() for name, tip in run.tips.items()}


def _fetch(run: _Run, report: ProgressReport) -> RefState:
    """Also waits for a git that a killed worker has left behind, which is about to end."""
    until = time.monotonic() + BUSY_PATIENCE
    while True:
        try:
            run.mirror.create()
            return run.mirror.fetch(remote_of(run.repo), access(), refill=run.refill, on_progress=report.fetched)
        except MirrorBusy:
            if time.monotonic() > until:
                raise
            run.owned.check()
            time.sleep(BUSY_PAUSE)


def _ends(run: _Run, refs: RefState) -> tuple[set[str], set[str]]:
    """What git's log is to begin from, and where it may end."""
    known = {tip.sha.hex() for tip in run.tips.values() if tip.commit is not None}
    return {sha for name, sha in refs.tips.items() if refs.objects[name] not in known}, known


def _complete(run: _Run, refs: RefState, stored: Stored) -> None:
    commits = stored.commits
    tips = _numbered(run, refs)
    branch = run.repo.release_branch or refs.head or ""
    release_tip = tips.get(BRANCH + branch)
    plan = plan_trunk(run.key, release_tip.commit if release_tip else None, commits)
    head = refs.head or ""
    state = State(
        run.repo.id,
        commits.last,
        stored.authors,
        default_branch=head,
        trunk_branch=branch,
        tickets_by=run.pattern.fingerprint,
        undated=run.state.undated + commits.undated,
        faults=faults_of(refs, release_branch=run.repo.release_branch, is_partial=run.mirror.is_partial),
    )

    def work() -> None:
        apply_trunk(run.key, plan)
        store.replace_tips(run.key, run.tips, tips)
        store.complete(run.key, state)
        _close(run, state)
        if len(commits):
            enqueue(entity_id=run.repo.entity_id, kind=TEND, key=str(run.repo.id), delay=TEND_DELAY)

    run.owned.write(work)


def _numbered(run: _Run, refs: RefState) -> dict[str, Tip]:
    shas = {name: bytes.fromhex(sha) for name, sha in refs.tips.items()}
    numbers = store.numbers_of(run.key, set(shas.values()))
    times = {TAG + tag.name: tag.at for tag in refs.tags}
    return {
        name: Tip(bytes.fromhex(held), numbers[shas[name]] if name in shas else None, times.get(name))
        for name, held in refs.objects.items()
    }


def _say(run: _Run, line: str, on_progress: Callable[[str], None]) -> None:
    run.owned.check()
    on_progress(line)
    run.owned.write(lambda: _set(run.repo, index_state=IndexState.RUNNING, index_progress=line))


def _close(run: _Run, state: State) -> None:
    _set(
        run.repo,
        index_state=IndexState.READY,
        index_error=with_undated(state.faults, state.undated),
        index_progress="",
        fetched_at=run.began,
        indexed_at=epoch_now(),
        commit_count=state.commits,
    )
    enqueue(entity_id=run.repo.entity_id, kind=SETTLE, key=str(run.repo.id))
    request_sift(run.repo)


def _set(repo: Repo, **values: object) -> None:
    Repo.objects.filter(entity_id=repo.entity_id, id=repo.id).update(**values)

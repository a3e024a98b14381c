"""A bare mirror of one remote: branches and tags, nothing else.

Reading needs no lock and goes on during a fetch. Everything that writes first takes a lock, which git inherits: when a
worker is killed, the lock lasts until the git it had started is gone, and whoever takes it next may safely remove what
a killed git left behind. The commit-graph has a lock of its own: no fetch should wait for the minutes that it takes.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import shutil
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from shipmend.git.connect import UPSTREAM, Access, connect
from shipmend.git.fetching import Fetching, filter_of
from shipmend.git.parse import LOG_OPTIONS, Commit, CommitBatch, LogParser
from shipmend.git.progress import Progress
from shipmend.git.refs import (
    BRANCH,
    LOCAL_FORMAT,
    OBJECTS_FORMAT,
    RefState,
    RemoteRefs,
    read_local,
    read_objects,
    read_remote,
    ref_name,
    state_of,
)
from shipmend.git.remotes import Remote
from shipmend.git.run import (
    GIB,
    AmbiguousSha,
    GitLimits,
    MirrorBusy,
    run_git,
    stream_git,
)

LOCK = "shipmend.lock"
GRAPH_LOCK = "shipmend-graph.lock"
SHORTEST_PREFIX = 7

LIST_LIMITS = GitLimits(wall=120)
READ_LIMITS = GitLimits(wall=120, address_space=8 * GIB)
LOG_LIMITS = GitLimits(wall=3600, cpu=3600, address_space=16 * GIB)
FETCH_LIMITS = GitLimits(wall=6 * 3600, cpu=4 * 3600, address_space=8 * GIB)
GRAPH_LIMITS = GitLimits(wall=1800, cpu=1800, address_space=16 * GIB)

_SHA = re.compile(r"[0-9a-f]{40}")
_PREFIX = re.compile(rf"[0-9a-f]{{{SHORTEST_PREFIX},40}}")
# What a killed git leaves, by the lock it held: nothing refers to any of it.
_LEFTOVERS = {
    LOCK: (
        "*.lock",
        "refs/**/*.lock",
        "objects/pack/tmp_*",
        "objects/pack/.tmp-*",
        "objects/pack/*.keep",
        "objects/pack/*.lock",
        "objects/??/tmp_obj_*",
    ),
    GRAPH_LOCK: ("objects/info/**/*.lock", "objects/info/**/tmp_*"),
}


class Mirror:
    """The mirror in the directory `git_dir`, which need not exist yet. Every method may raise a GitError."""

    def __init__(self, git_dir: Path) -> None:
        self.git_dir = git_dir.absolute()

    # Life

    @property
    def exists(self) -> bool:
        """Whether it was created."""
        return (self.git_dir / "HEAD").is_file()

    def create(self) -> None:
        """An empty bare repository: no template, so no hooks. Does nothing to one that exists."""
        if self.exists:
            return
        self.git_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self._owned() as lock:
            run_git(
                ["init", "--quiet", "--bare", "--template=", "--initial-branch=main", str(self.git_dir)],
                keep_fds=[lock],
            )

    def delete(self) -> None:
        """Removes all of it. One that was removed half-way doesn't exist, and can be deleted or created again."""
        if not self.git_dir.exists():
            return
        with self._owned(), self._owned(GRAPH_LOCK):
            (self.git_dir / "HEAD").unlink(missing_ok=True)
            shutil.rmtree(self.git_dir)

    # The remote

    def remote_refs(self, remote: Remote, access: Access, *, with_head: bool = True) -> RemoteRefs:
        """What the remote offers now. May also raise RemoteRefused.

        Asking for the default branch makes the server list all its refs, pull requests included, which can be
        megabytes; `with_head=False` lists branches and tags only: for the frequent question whether anything is new.
        """
        connection = connect(remote, access)
        kinds = [] if with_head else ["--heads", "--tags"]
        output = run_git(
            [*connection.options, "ls-remote", "--symref", *kinds, "--", UPSTREAM],
            git_dir=self.git_dir,
            env_extra=connection.environment,
            limits=LIST_LIMITS,
        )
        return read_remote(output)

    def fetch(
        self,
        remote: Remote,
        access: Access,
        *,
        seen: RemoteRefs | None = None,
        refill: bool = False,
        on_progress: Callable[[Progress], None] | None = None,
        limits: GitLimits = FETCH_LIMITS,
    ) -> RefState:
        """Makes branches, tags and the default branch those of the remote. Also raises RemoteRefused, MirrorBusy.

        Forced updates and deletions are followed; commits once fetched stay readable. Killed at any moment, it can be
        repeated. A remote with unreadable files is fetched without files (see `is_partial`), one with unreadable
        commits without the refs that hold them (see `RefState.unreadable`). `refill`: everything is brought anew where
        files are missing, as the remote may have been mended. `seen` spares asking for the remote's refs again; what
        `on_progress` raises ends the fetch.
        """
        if seen is None:
            seen = self.remote_refs(remote, access)
        if self.is_current(seen) and not (refill and self.is_partial):
            return self.refs()
        with self._owned() as lock:
            fetching = Fetching(self.git_dir, connect(remote, access), lock, limits, on_progress, refill)
            unreadable = fetching.fetch(seen, self._objects())
            if seen.head is not None:
                self._run(["symbolic-ref", "HEAD", BRANCH + seen.head], lock=lock)
            self._run(["pack-refs", "--all", "--prune"], lock=lock)
        return replace(self.refs(), unreadable=unreadable)

    @property
    def is_partial(self) -> bool:
        """Whether files (or directories too) are missing, the remote having been damaged. All commits are there."""
        return filter_of(self.git_dir) is not None

    # Reading

    def refs(self) -> RefState:
        """Branches and tags as they are now."""
        listed = read_local(run_git(["for-each-ref", LOCAL_FORMAT, *_KINDS], git_dir=self.git_dir))
        nested = [ref.sha for ref in listed if ref.nested and ref.sha]
        return state_of(listed, self._head(), dict(zip(nested, self._commits(nested), strict=True)))

    def is_current(self, seen: RemoteRefs) -> bool:
        """Whether a fetch would bring nothing. Cheaper than `refs`: no object is opened."""
        return seen.objects == self._objects() and seen.head in {None, self._head()}

    def _objects(self) -> dict[str, str]:
        """Full ref name → what the ref itself holds."""
        return read_objects(run_git(["for-each-ref", OBJECTS_FORMAT, *_KINDS], git_dir=self.git_dir))

    def _head(self) -> str:
        """Short name of the branch that HEAD names, there or not."""
        return ref_name((self.git_dir / "HEAD").read_bytes().strip()).removeprefix(f"ref: {BRANCH}")

    def log(
        self, new_tips: Iterable[str], known_tips: Iterable[str] = (), *, sort: bool = True
    ) -> Generator[CommitBatch, None, None]:
        """The commits reachable from `new_tips` and not from `known_tips`, parents before children, while git runs.

        Full shas only. A known tip that isn't there any more is passed over. Closing the generator ends git.
        Sorting takes git a walk of the whole history before its first word, and keeps all of it in git's memory;
        with `sort=False` the latest come first, and parents after children only where the clocks were right.
        """
        return self._log(_revisions(new_tips, known_tips), _PARENTS_FIRST if sort else ())

    def each(self, shas: Iterable[str]) -> Generator[CommitBatch, None, None]:
        """The commits of these full shas and no others; what isn't there is passed over."""
        return self._log(_revisions(shas, ()), ("--no-walk=unsorted",))

    def _log(self, revisions: bytes | None, options: Sequence[str]) -> Generator[CommitBatch, None, None]:
        if revisions is None:
            return
        parser = LogParser()
        with stream_git(
            ["log", *options, *LOG_OPTIONS, "--ignore-missing", "--stdin"],
            git_dir=self.git_dir,
            stdin=revisions,
            limits=LOG_LIMITS,
        ) as chunks:
            for chunk in chunks:
                batch = parser.feed(chunk)
                if batch is not None:
                    yield batch
        parser.finish()

    def count(self, new_tips: Iterable[str], known_tips: Iterable[str] = ()) -> int:
        """How many commits `log` would give. Cheap once there is a commit-graph."""
        revisions = _revisions(new_tips, known_tips)
        if revisions is None:
            return 0
        output = run_git(
            ["rev-list", "--count", "--ignore-missing", "--stdin"],
            git_dir=self.git_dir,
            stdin=revisions,
            limits=LOG_LIMITS,
        )
        return int(output)

    def holds(self, shas: Iterable[str]) -> bool:
        """Whether each of these is here, and a commit or a tag on one."""
        return None not in self._commits(list(shas))

    def resolve(self, text: str) -> str | None:
        """The full sha of the commit that 7 to 40 hex digits name, whole or abbreviated; of a tag object, its commit.

        Names (branches, tags, HEAD~1) are not looked at, also when they look like hex. None when there is no such
        commit, or `text` is no such thing. Raises AmbiguousSha.
        """
        prefix = text.strip().lower()
        if not _PREFIX.fullmatch(prefix):
            return None
        objects = [prefix] if len(prefix) == 40 else self._beginning_with(prefix)
        found = sorted({sha for sha in self._commits(objects) if sha is not None})
        if len(found) > 1:
            raise AmbiguousSha(prefix, found)
        return found[0] if found else None

    def commit(self, sha: str) -> Commit | None:
        """One commit by its full sha; None when it isn't there."""
        if self._commits([sha]) == [None]:
            return None
        output = run_git(
            ["log", "--no-walk", *LOG_OPTIONS, "--stdin"],
            git_dir=self.git_dir,
            stdin=_revisions([sha], []),
            limits=LOG_LIMITS,
        )
        batch = LogParser().feed(output)
        return None if batch is None else next(batch.rows())

    def _beginning_with(self, prefix: str) -> list[str]:
        output = run_git(["rev-parse", f"--disambiguate={prefix}"], git_dir=self.git_dir, limits=READ_LIMITS)
        return output.decode("ascii").split()

    def _commits(self, shas: Sequence[str]) -> list[str | None]:
        """For each full sha the commit there, through tags; None for files, trees and nothing."""
        if not shas:
            return []
        asked = "".join(f"{_full(sha)}^{{commit}}\n" for sha in shas)
        output = run_git(
            ["cat-file", "--batch-check=%(objectname)"],
            git_dir=self.git_dir,
            stdin=asked.encode("ascii"),
            limits=READ_LIMITS,
        )
        return [line if _SHA.fullmatch(line) else None for line in output.decode("ascii").splitlines()]

    # Upkeep

    def write_commit_graph(self, *, changed_paths: bool = True) -> None:
        """Speeds up walks, and with `changed_paths` the history of a path; only what is new is written.

        The paths cost some five times the rest: a first index needs only the rest, and a later call adds them to all
        commits. Nothing depends on either: after a GitError the mirror is as before.
        """
        paths = changed_paths and not self.is_partial
        split = "--split=replace" if paths and self._graph_lacks_paths() else "--split"
        command = ["commit-graph", "write", "--reachable", split, "--no-progress"]
        with self._owned(GRAPH_LOCK) as lock:
            self._run([*command, *(["--changed-paths"] if paths else [])], lock=lock, limits=GRAPH_LIMITS)

    def _graph_lacks_paths(self) -> bool:
        """Whether a layer of the commit-graph has no index of changed paths, by the table of chunks near its start."""
        for layer in (self.git_dir / "objects/info/commit-graphs").glob("*.graph"):
            with layer.open("rb") as file:
                if b"BIDX" not in file.read(256):
                    return True
        return False

    @property
    def packs(self) -> int:
        """How many packs there are: about one for each fetch since the last `repack`."""
        return sum(1 for _ in (self.git_dir / "objects/pack").glob("*.pack"))

    def repack(self) -> None:
        """Joins the packs of many fetches into few. Drops nothing, also not what no branch reaches any more."""
        if self.is_partial:  # git can't do it there without losing sight of what is missing
            return
        with self._owned() as lock:
            self._run(["repack", "--quiet", "-d", "--geometric=2"], lock=lock, limits=GRAPH_LIMITS)

    def _run(self, args: Sequence[str], *, lock: int, limits: GitLimits = READ_LIMITS) -> bytes:
        return run_git(args, git_dir=self.git_dir, limits=limits, keep_fds=[lock])

    @contextlib.contextmanager
    def _owned(self, name: str = LOCK) -> Iterator[int]:
        """The lock's file descriptor, for git to inherit. Raises MirrorBusy at once."""
        lock = os.open(self.git_dir / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise MirrorBusy from None
            self._clean(_LEFTOVERS[name])
            yield lock
        finally:
            os.close(lock)

    def _clean(self, leftovers: Iterable[str]) -> None:
        for pattern in leftovers:
            for leftover in self.git_dir.glob(pattern):
                if leftover.name not in _LEFTOVERS:
                    leftover.unlink(missing_ok=True)


_PARENTS_FIRST = ("--topo-order", "--reverse")
_KINDS = ("refs/heads", "refs/tags")


def _full(sha: str) -> str:
    if not _SHA.fullmatch(sha):
        raise ValueError(f"not a full sha: {sha!r}")
    return sha


def _revisions(new_tips: Iterable[str], known_tips: Iterable[str]) -> bytes | None:
    """For git's stdin. None without a new tip, for which git would take HEAD."""
    new = [_full(sha) for sha in new_tips]
    known = [f"^{_full(sha)}" for sha in known_tips]
    return "".join(f"{line}\n" for line in new + known).encode("ascii") if new else None

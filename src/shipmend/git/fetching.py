"""Bringing a remote's branches and tags into a mirror, as far as the remote can read them itself.

A remote that lacks some of its files is fetched without files. One that can't read what a branch or tag stands for (the
commit, or one before it) refuses the whole of a fetch for that: then the refs are fetched in halves, and halves of
halves, until what can't be read is found, and all else is here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from shipmend.git.connect import UPSTREAM, Connection
from shipmend.git.progress import FetchListener, Progress
from shipmend.git.refs import REFSPECS, RemoteRefs, ref_bytes
from shipmend.git.run import GitFailed, GitLimits, run_git

DAMAGED = "upstream_damaged"
FILTERS = ("blob:none", "tree:0")
"""What is fetched when the remote can't read some of its own files, and then some of its directories."""
MOST_FAILURES = 40
"""After so many refusals, whatever is refused together is taken for unreadable together."""
_NOT_IN_NAMES = frozenset(b" *:?[^~\\\x7f") | frozenset(range(32))
"""No ref's name may hold these; what a remote offers under such a name would be read as something else."""


def filter_of(git_dir: Path) -> str | None:
    """Which of FILTERS a mirror was fetched with; None when it is whole."""
    try:
        found = run_git(["config", f"remote.{UPSTREAM}.partialCloneFilter"], git_dir=git_dir)
    except GitFailed as failed:
        if failed.code == 1:  # not set
            return None
        raise
    return found.decode("ascii").strip()


@dataclass(frozen=True, slots=True)
class Fetching:
    """One fetch into a mirror whose lock (a file descriptor, for git to inherit) is held."""

    git_dir: Path
    connection: Connection
    lock: int
    limits: GitLimits
    on_progress: Callable[[Progress], None] | None
    refill: bool = False
    """Whether to try and bring the files of a mirror that was fetched without."""

    def fetch(self, seen: RemoteRefs, have: Mapping[str, str]) -> tuple[str, ...]:
        """Make the refs of the mirror (`have`) those of the remote (`seen`); both full name → object.

        Returns the names of those that can't be read there: they stay as they were, here or not. Raises a GitError,
        also when there is nothing that can be read.
        """
        if self.refill and self._filled_up():
            return ()
        try:
            self._fetch_what_files_there_are(["--prune"], REFSPECS)
        except GitFailed as failed:
            if failed.kind != DAMAGED:
                raise
            unreadable = self._fetch_apart(seen, have)
            if len(unreadable) == len(seen.objects):
                raise
            return tuple(sorted(unreadable))
        return ()

    def _filled_up(self) -> bool:
        """Whether the remote could read everything. Until it has, the mirror is known as one without files."""
        if filter_of(self.git_dir) is None:
            return False
        try:
            self._fetch(["--prune", "--refetch", "--no-filter"], REFSPECS, None)
        except GitFailed as failed:
            if failed.kind != DAMAGED:
                raise
            return False
        self._set_filter(None)
        return True

    def _fetch_apart(self, seen: RemoteRefs, have: Mapping[str, str]) -> list[str]:
        self._drop(name for name in have if name not in seen.objects)
        wanted = [name for name, held in seen.objects.items() if have.get(name) != held]
        groups = [[name for name in wanted if not _NOT_IN_NAMES.intersection(ref_bytes(name))]]
        unreadable = [name for name in wanted if name not in set(groups[0])]
        failures = 0
        while groups:
            group = groups.pop()
            try:
                self._fetch_what_files_there_are([], [f"+{name}:{name}" for name in group])
            except GitFailed as failed:
                if failed.kind != DAMAGED:
                    raise
                failures += 1
                if len(group) == 1 or failures > MOST_FAILURES:
                    unreadable += group
                else:
                    groups += [group[len(group) // 2 :], group[: len(group) // 2]]
        return unreadable

    def _drop(self, names: Iterable[str]) -> None:
        asked = b"".join(b"delete %s\0\0" % ref_bytes(name) for name in names)
        if asked:
            self._run(["update-ref", "-z", "--stdin"], stdin=asked)

    def _fetch_what_files_there_are(self, options: Sequence[str], refspecs: Sequence[str]) -> None:
        present = filter_of(self.git_dir)
        tried: Sequence[str | None] = (None, *FILTERS) if present is None else FILTERS[FILTERS.index(present) :]
        for kind in tried:
            if kind != present:
                self._set_filter(kind)
            try:
                self._fetch(options, refspecs, kind)
            except GitFailed as failed:
                if failed.kind != DAMAGED or kind == tried[-1]:
                    if kind is not None and present is None:
                        self._set_filter(None)
                    raise
            else:
                return

    def _fetch(self, options: Sequence[str], refspecs: Sequence[str], kind: str | None) -> None:
        listener = FetchListener(self.on_progress)
        run_git(
            [
                *self.connection.options,
                *("fetch", "--no-tags", "--force", "--no-write-fetch-head", "--no-auto-maintenance"),
                *("--no-recurse-submodules", "--no-show-forced-updates", "--progress", *options),
                *([] if kind is None else [f"--filter={kind}"]),
                *("--stdin", "--", UPSTREAM),
            ],
            git_dir=self.git_dir,
            stdin=b"".join(b"%s\n" % ref_bytes(refspec) for refspec in refspecs),
            env_extra=self.connection.environment,
            limits=self.limits,
            on_stderr=listener.feed,
            keep_fds=[self.lock],
        )
        if listener.is_shallow:
            raise GitFailed("git fetch", 0, "source repository is shallow")

    def _set_filter(self, kind: str | None) -> None:
        """With `promisor`, git takes it that objects may be missing; it asks nobody for them, having no URL."""
        if kind is None:
            self._run(["config", "--remove-section", f"remote.{UPSTREAM}"])
        else:
            self._run(["config", f"remote.{UPSTREAM}.promisor", "true"])
            self._run(["config", f"remote.{UPSTREAM}.partialCloneFilter", kind])

    def _run(self, args: Sequence[str], *, stdin: bytes | None = None) -> None:
        run_git(args, git_dir=self.git_dir, stdin=stdin, keep_fds=[self.lock])

"""The one way to start git: a clean environment, limits, its own process group, nothing read from the machine.

Limits are set by a few words of sh that then become git. `preexec_fn` is unsafe beside threads, and `prlimit` on
the running child comes too late for what it has started or mapped by then; `ulimit; exec` has no such gap, is
inherited by everything git starts, costs about a millisecond, and git does not start at all when a limit can't be set.

A URL, a branch name or a sha from outside never stands where git reads options: see `remotes` and `mirror`.
"""

from __future__ import annotations

import contextlib
import functools
import os
import re
import resource
import selectors
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fcntl import F_SETPIPE_SZ, fcntl
from pathlib import Path
from typing import IO

from shipmend.git.errors import (
    AmbiguousSha,
    GitError,
    GitFailed,
    GitMissing,
    GitTimeout,
    GitTooMuch,
    GitTooOld,
    HostNotFound,
    MirrorBusy,
    readable,
    redact,
)

__all__ = [
    "AmbiguousSha",
    "GitError",
    "GitFailed",
    "GitLimits",
    "GitMissing",
    "GitTimeout",
    "GitTooMuch",
    "GitTooOld",
    "HostNotFound",
    "MirrorBusy",
    "git_version",
    "redact",
    "run_git",
    "stream_git",
]

CHUNK = 1 << 20
GIB = 1 << 30
KEPT_STDERR = 32 << 10
OLDEST_GIT = (2, 37)  # the first to know http.curloptResolve, which pins a connection to the address checked
SECRET_VARIABLE = "SHIPMEND_GIT_SECRET"  # noqa: S105  the name of a variable; its value is redacted everywhere

# No file under it can ever exist, so whoever can write to / gains nothing (no .netrc, no .gitconfig).
NOWHERE = "/dev/null"
_CLEAN = {
    "HOME": NOWHERE,
    "XDG_CONFIG_HOME": NOWHERE,
    "LC_ALL": "C",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_SYSTEM": NOWHERE,
    "GIT_CONFIG_GLOBAL": NOWHERE,
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_GRAFT_FILE": f"{NOWHERE}/none",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_FLUSH": "0",  # what goes to a pipe is otherwise flushed commit by commit
    "GIT_ALLOW_PROTOCOL": "",  # a connection names the one it needs
}
_CONFIG = (
    "core.hooksPath=/dev/null",
    "core.packedGitLimit=1g",  # the address space stays bounded whatever the size of the packs
    "core.packedGitWindowSize=256m",
    "core.askPass=",
    "credential.helper=",
    "safe.bareRepository=explicit",
    "commitGraph.generationVersion=1",  # version 2 never ends on a commit with a time below zero
    "http.followRedirects=false",
    "http.lowSpeedLimit=1",
    "http.lowSpeedTime=60",
    "transfer.bundleURI=false",  # a list of further addresses, which nobody has checked
    "fetch.writeCommitGraph=false",
    "fetch.unpackLimit=1",
    # Real repositories hold what fsck refuses (flask: zeroPaddedFilemode), and `parse` takes any commit, so
    # it would only turn people away, for 22 % more time. Checksums and connectivity are verified regardless.
    "transfer.fsckObjects=false",
    "gc.auto=0",
    "maintenance.auto=false",
    "pack.threads=4",
)
# With XFSZ ignored, git says that a file is too large instead of vanishing without a word.
_BECOME_GIT = (
    'trap "" XFSZ && ulimit -c 0 && ulimit -v "$1" && ulimit -f "$2" && ulimit -t "$3" && shift 3 && exec "$@"'
)


@dataclass(frozen=True, slots=True, kw_only=True)
class GitLimits:
    """What one call may take. Beyond it git is killed, or its own call fails, and a GitError is raised."""

    wall: float = 60.0
    """Seconds spent waiting for git; the time the caller takes between two chunks doesn't count."""
    cpu: int = 600
    """Seconds of processor time, for each process."""
    address_space: int = 4 * GIB
    """Bytes, for each process. Packs are mapped in windows of at most 1 GiB together (see _CONFIG)."""
    file_size: int = 32 * GIB
    """Bytes of the largest file git may write: what ends an endless pack."""
    output: int = 256 << 20
    """Bytes `run_git` will hold. A stream has no such limit."""


DEFAULT_LIMITS = GitLimits()


def run_git(
    args: Sequence[str],
    *,
    git_dir: Path | None = None,
    stdin: bytes | None = None,
    limits: GitLimits = DEFAULT_LIMITS,
    env_extra: Mapping[str, str] | None = None,
    on_stderr: Callable[[bytes], None] | None = None,
    keep_fds: Sequence[int] = (),
) -> bytes:
    """All that git prints on stdout. Raises a GitError. Same parameters as `stream_git`."""
    parts: list[bytes] = []
    size = 0
    with stream_git(
        args,
        git_dir=git_dir,
        stdin=stdin,
        limits=limits,
        env_extra=env_extra,
        on_stderr=on_stderr,
        keep_fds=keep_fds,
    ) as chunks:
        for chunk in chunks:
            size += len(chunk)
            if size > limits.output:
                raise GitTooMuch(_subcommand(args), limits.output)
            parts.append(chunk)
    return b"".join(parts)


@contextlib.contextmanager
def stream_git(
    args: Sequence[str],
    *,
    git_dir: Path | None = None,
    stdin: bytes | None = None,
    limits: GitLimits = DEFAULT_LIMITS,
    env_extra: Mapping[str, str] | None = None,
    on_stderr: Callable[[bytes], None] | None = None,
    keep_fds: Sequence[int] = (),
) -> Iterator[Iterator[bytes]]:
    """Starts git and gives what it prints on stdout in chunks of about 1 MiB; raises a GitError, also while iterating.

    `args` may begin with more `-c key=value`. Without `git_dir`, git sees no repository at all. `on_stderr` gets raw
    pieces of stderr as they come; what it raises ends git. `keep_fds` stay open in git and in all that it
    starts (a lock held there outlives this process until they end). Leaving the block kills the process group.
    """
    running = _Running(args, limits, on_stderr, _secrets(env_extra))
    process = subprocess.Popen(
        [*_limited(limits), *_command(args, git_dir)],
        stdin=subprocess.DEVNULL if stdin is None else subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=_environment(git_dir, env_extra),
        cwd="/",
        bufsize=0,
        start_new_session=True,  # its own process group, and no terminal to ask a password on
        pass_fds=tuple(keep_fds),
    )
    try:
        yield running.chunks(process, stdin or b"")
    finally:
        _end(process)


@functools.lru_cache(maxsize=8)
def _version_of(program: str) -> tuple[int, ...]:
    said = run_git(["version"]).decode("ascii", "replace")
    found = re.search(r"(\d+)\.(\d+)(?:\.(\d+))?", said)
    if found is None:
        raise GitFailed(program, 0, f"unreadable version: {said[:80]}")
    return tuple(int(part) for part in found.groups(default="0"))


def git_version() -> tuple[int, ...]:
    """(major, minor, patch) of the git on PATH. Raises GitMissing, or GitTooOld below OLDEST_GIT."""
    version = _version_of(_program())
    if version < OLDEST_GIT:
        raise GitTooOld(version, OLDEST_GIT)
    return version


class _Running:
    """One call: moves bytes between git and us until git ends or the time is up."""

    def __init__(
        self,
        args: Sequence[str],
        limits: GitLimits,
        on_stderr: Callable[[bytes], None] | None,
        secrets: tuple[str, ...],
    ) -> None:
        self._args = args
        self._wall = limits.wall
        self._left = limits.wall
        self._on_stderr = on_stderr
        self._secrets = secrets
        self._stderr = bytearray()

    def chunks(self, process: subprocess.Popen[bytes], stdin: bytes) -> Iterator[bytes]:
        parts: list[bytes] = []
        size = 0
        for piece in self._pieces(process, memoryview(stdin)):
            parts.append(piece)
            size += len(piece)
            if size >= CHUNK:
                yield b"".join(parts)
                parts, size = [], 0
        if parts:
            yield b"".join(parts)
        self._judge(self._exit_code(process))

    def _pieces(self, process: subprocess.Popen[bytes], stdin: memoryview) -> Iterator[bytes]:
        with selectors.DefaultSelector() as selector:
            for pipe in (process.stdout, process.stderr):
                _register(selector, pipe, selectors.EVENT_READ)
            if process.stdin is not None:
                os.set_blocking(process.stdin.fileno(), False)
                _register(selector, process.stdin, selectors.EVENT_WRITE)
            while selector.get_map():
                for pipe in self._ready(selector):
                    if pipe is process.stdin:
                        stdin = _feed(process.stdin, stdin, selector)
                        continue
                    piece = os.read(pipe.fileno(), CHUNK)
                    if not piece:
                        selector.unregister(pipe)
                    elif pipe is process.stdout:
                        yield piece
                    else:
                        self._heard(piece)

    def _ready(self, selector: selectors.BaseSelector) -> list[IO[bytes]]:
        asked = time.monotonic()
        events = selector.select(self._left)
        self._spend(time.monotonic() - asked)
        return [key.data for key, _ in events]

    def _spend(self, seconds: float) -> None:
        self._left -= seconds
        if self._left <= 0:
            raise GitTimeout(self._shown_command(), self._wall, self._shown_stderr())

    def _heard(self, piece: bytes) -> None:
        self._stderr += piece
        if len(self._stderr) > 2 * KEPT_STDERR:
            del self._stderr[:-KEPT_STDERR]
        if self._on_stderr is not None:
            self._on_stderr(piece)

    def _exit_code(self, process: subprocess.Popen[bytes]) -> int:
        """Waits without reaping: until it is reaped its process group can't become somebody else's."""
        pause = 0.0005
        while os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is None:
            time.sleep(pause)
            self._spend(pause)
            pause = min(pause * 2, 0.05)
        return _end(process)

    def _judge(self, code: int) -> None:
        if code != 0:
            raise GitFailed(self._shown_command(), code, self._shown_stderr())

    def _shown_command(self) -> str:
        return redact("git " + " ".join(self._args), self._secrets)

    def _shown_stderr(self) -> str:
        return redact(readable(bytes(self._stderr)), self._secrets)


def _register(selector: selectors.BaseSelector, pipe: IO[bytes] | None, events: int) -> None:
    """The pipe is made as wide as a chunk, where the system lets us: git and the reader run side by side."""
    if pipe is not None:
        with contextlib.suppress(OSError):
            fcntl(pipe.fileno(), F_SETPIPE_SZ, CHUNK)
        selector.register(pipe, events, data=pipe)


def _feed(pipe: IO[bytes], rest: memoryview, selector: selectors.BaseSelector) -> memoryview:
    """Writes what fits of `rest` and returns what is left; closes the pipe at the end, or when git has closed it."""
    try:
        rest = rest[os.write(pipe.fileno(), rest[:CHUNK]) :]
    except BlockingIOError:
        return rest
    except BrokenPipeError:
        rest = rest[:0]  # git's exit code tells why it reads no further
    if not rest:
        selector.unregister(pipe)
        pipe.close()
    return rest


def _end(process: subprocess.Popen[bytes]) -> int:
    """Kills what is left of the group, reaps git and closes the pipes. Again and again does no harm."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe is not None:
            pipe.close()
    return process.returncode


def _program() -> str:
    program = shutil.which("git")
    if program is None:
        raise GitMissing
    return program


def _command(args: Sequence[str], git_dir: Path | None) -> list[str]:
    config = [word for setting in _CONFIG for word in ("-c", setting)]
    place = [] if git_dir is None else [f"--git-dir={git_dir}"]
    return [_program(), *place, *config, *args]


def _environment(git_dir: Path | None, extra: Mapping[str, str] | None) -> dict[str, str]:
    environment = {"PATH": os.environ.get("PATH", os.defpath), **_CLEAN, **(extra or {})}
    if git_dir is None:
        environment["GIT_DIR"] = NOWHERE  # or git would look for a repository around the current directory
    return environment


def _secrets(extra: Mapping[str, str] | None) -> tuple[str, ...]:
    secret = (extra or {}).get(SECRET_VARIABLE)
    return () if secret is None else (secret,)


def _subcommand(args: Sequence[str]) -> str:
    return redact("git " + " ".join(args))


def _limited(limits: GitLimits) -> list[str]:
    """The words that set the limits (ulimit counts KiB, blocks of 512 bytes, seconds) and then run the rest."""
    space = _within(resource.RLIMIT_AS, limits.address_space) // 1024
    size = _within(resource.RLIMIT_FSIZE, limits.file_size) // 512
    cpu = _within(resource.RLIMIT_CPU, limits.cpu)
    return ["/bin/sh", "-c", _BECOME_GIT, "git-limits", str(space), str(size), str(cpu)]


def _within(which: int, wanted: int) -> int:
    """No more than the limit this process itself is under, which only root could raise."""
    hard = resource.getrlimit(which)[1]
    return wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)

"""What goes wrong with git, in words.

Every message that leaves this package is redacted (no password, no token) and free of control characters:
what git prints on stderr is partly written by the remote.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import ClassVar, NamedTuple
from urllib.parse import quote

HIDDEN = "***"
SHOWN_STDERR = 2000

_USERINFO = re.compile(r"(?P<scheme>\b[a-z][a-z0-9+.-]*://)(?P<info>[^/\s'\"]*)@", re.IGNORECASE)
_AUTHORIZATION = re.compile(r"(authorization:\s*)\S.*", re.IGNORECASE)
_SSH_SCHEMES = frozenset({"ssh://", "git+ssh://", "ssh+git://"})


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """`text` without credentials: `secrets` themselves, what stands before the @ of a URL, authorization headers.

    The user of an ssh URL stays, since it is no secret; that of an https URL goes, since it may be a token.
    """
    for secret in sorted({s for s in secrets if s}, key=len, reverse=True):
        for form in (secret, quote(secret, safe="")):
            text = text.replace(form, HIDDEN)
    text = _USERINFO.sub(_hidden_userinfo, text)
    return _AUTHORIZATION.sub(rf"\1{HIDDEN}", text)


def _hidden_userinfo(match: re.Match[str]) -> str:
    scheme, info = match["scheme"], match["info"]
    if scheme.lower() in _SSH_SCHEMES and ":" not in info:
        return match[0]
    return f"{scheme}{HIDDEN}@"


def readable(stderr: bytes) -> str:
    """What a terminal would show at last: progress overwritten by \\r is gone, so is anything unprintable."""
    text = stderr.decode("utf-8", "replace")
    lines = (line.rstrip("\r ").rpartition("\r")[2] for line in text.split("\n"))
    kept = ("".join(c for c in line if unicodedata.category(c)[0] != "C" or c == "\t") for line in lines)
    return "\n".join(line.rstrip() for line in kept if line.strip())


class GitError(Exception):
    """Base of everything this package raises about git. `for_people` is one sentence or two, fit for a page."""

    kind: str = "unknown"
    TEMPORARY: ClassVar[frozenset[str]] = frozenset({"busy", "host", "network", "slow", "space", "timeout"})

    def __init__(self, detail: str, for_people: str) -> None:
        super().__init__(detail)
        self.for_people = for_people

    @property
    def temporary(self) -> bool:
        """Whether the same call may well succeed later without anybody changing anything here."""
        return self.kind in self.TEMPORARY


class GitMissing(GitError):
    """There is no git program on PATH."""

    kind = "git_missing"

    def __init__(self) -> None:
        super().__init__("git is not on PATH", "The program git isn't installed on this server, or not on its PATH.")


class GitTooOld(GitError):
    """This git lacks a defence we rely on."""

    kind = "git_too_old"

    def __init__(self, found: tuple[int, ...], needed: tuple[int, ...]) -> None:
        have, want = (".".join(map(str, version)) for version in (found, needed))
        super().__init__(f"git {have} < {want}", f"This server has git {have}; at least {want} is needed.")


class GitTooMuch(GitError):
    """git printed more than `limits.output` bytes."""

    kind = "too_much"

    def __init__(self, command: str, limit: int) -> None:
        super().__init__(
            f"{command}: more than {limit} bytes of output",
            f"The repository answered with more than {limit >> 20} MiB where far less is expected.",
        )


class MirrorBusy(GitError):
    """Another process (perhaps a git that outlived its worker) is writing to this mirror. Try again later."""

    kind = "busy"

    def __init__(self) -> None:
        super().__init__("the mirror is locked", "This repository is being fetched already.")


class HostNotFound(GitError):
    """The remote's host name doesn't resolve."""

    kind = "host"

    def __init__(self, host: str, reason: str) -> None:
        super().__init__(f"{host}: {reason}", f"The remote's host name {host} can't be found.")


class AmbiguousSha(GitError):
    """A short sha that begins more than one commit. `candidates` are the full shas, sorted."""

    kind = "ambiguous"

    def __init__(self, prefix: str, candidates: Sequence[str]) -> None:
        sentence = f"{prefix} begins {len(candidates)} commits of this repository: give more digits."
        super().__init__(sentence, sentence)
        self.candidates = tuple(candidates)


class GitTimeout(GitError):
    """git was killed after `seconds` of waiting for it."""

    kind = "timeout"

    def __init__(self, command: str, seconds: float, stderr: str) -> None:
        said = f"; it had said: {stderr[-SHOWN_STDERR:]}" if stderr else ""
        super().__init__(
            f"{command}: no end after {seconds:g} s{said}",
            f"git did not finish within {seconds:g} seconds and was stopped.",
        )
        self.seconds = seconds


class _Meaning(NamedTuple):
    kind: str
    sentence: str
    signs: str


# The first row whose signs occur in stderr is taken: the specific before the general.
_MEANINGS = (
    _Meaning(
        "space",
        "There is no space left on this server's disk.",
        r"No space left on device|[Qq]uota exceeded",
    ),
    _Meaning(
        "limit",
        "The repository exceeds a limit of this server (size of a file, CPU time or memory).",
        r"[Ff]ile (size limit|too large)|died of signal (9|24|25)|[Oo]ut of memory|Cannot allocate memory|"
        r"mmap failed|unable to create thread|CPU time limit|pack exceeds maximum",
    ),
    _Meaning(
        "upstream_damaged",
        "The remote repository is damaged: some of its objects can't be read there.",
        r"corruption on the remote side|remote: fatal: (unable to read|bad object|missing)|upload-pack: not our ref",
    ),
    _Meaning(
        "damaged",
        "The repository's data is damaged.",
        r"is corrupt|corrupted|bad object|invalid object|bad pack|unable to (read|find) [0-9a-f]{40}|inflate|"
        r"[Cc]ould not read [0-9a-f]{40}|missing (blob|tree|commit|necessary)|unresolved delta|SHA1 mismatch|"
        r"is empty|bad tree|could not fetch [0-9a-f]{40}",
    ),
    _Meaning(
        "redirect",
        "The server redirects to another address, which is not followed: give the repository's final address.",
        r"returned error: 30\d|unable to update url base from redirection|Maximum \(0\) redirects",
    ),
    _Meaning(
        "host_key",
        "The server's ssh host key isn't the one seen before. If it was changed on purpose, remove the old key.",
        r"Host key verification failed|REMOTE HOST IDENTIFICATION HAS CHANGED",
    ),
    _Meaning(
        "auth",
        "The remote refused the credentials: check the token or the deploy key and what it may read.",
        r"Authentication failed|could not read (Username|Password)|Permission denied|"
        r"returned error: 40[13]|Invalid username or|Access denied|terminal prompts disabled",
    ),
    _Meaning(
        "host",
        "The remote's host name can't be found.",
        r"Could not resolve host|Name or service not known|nodename nor servname|name resolution",
    ),
    _Meaning(
        "certificate",
        "The remote's TLS certificate can't be trusted.",
        r"certificate|SSL_ERROR|gnutls_handshake|TLS connection was non-properly",
    ),
    _Meaning(
        "ownership",
        "The repository belongs to another user of this server and its git refuses to read it.",
        r"dubious ownership",
    ),
    _Meaning(
        "object_format",
        "The repository names its objects by SHA-256, which is not supported.",
        r"mismatched algorithms|unknown object format|sha256",
    ),
    _Meaning(
        "shallow",
        "The remote is a shallow copy, its history is cut off: fetch it whole there (git fetch --unshallow).",
        r"shallow (roots|update|file)|source repository is shallow",
    ),
    _Meaning(
        "slow",
        "The remote sent nothing for too long.",
        r"Operation too slow|timed out|Timeout|timeout",
    ),
    _Meaning(
        "network",
        "The remote can't be reached, or the connection broke.",
        r"Connection (refused|reset|closed)|Failed to connect|unreachable|No route to host|Couldn't connect|"
        r"hung up|RPC failed|early EOF|unexpected disconnect|Could not connect|returned error: 5\d\d",
    ),
    _Meaning(
        "protocol",
        "This kind of address is not allowed here.",
        r"transport '.*' not allowed|strange (hostname|pathname)|remote helper|Unsupported protocol",
    ),
    _Meaning(
        "damaged",
        "The repository's data is damaged.",
        r"unpack failed|index-pack|protocol error|did not send all",
    ),
    _Meaning(
        "not_found",
        "There is no git repository at this address, or these credentials may not see it.",
        r"[Nn]ot found|does not appear to be a git repo|does not exist|not a git repository|"
        r"returned error: 404|No such file or directory|Could not read from remote",
    ),
)
_SIGNALS = {-9: "limit", -24: "limit", -25: "limit", -11: "damaged", -6: "damaged"}
_SENTENCES = {meaning.kind: meaning.sentence for meaning in _MEANINGS}


class GitFailed(GitError):
    """git ended with `code` (negative: a signal). `kind` names the cause, as far as stderr tells it.

    Kinds: upstream_damaged, redirect, host_key, auth, host, certificate, ownership, object_format, shallow, space,
    limit, slow, network, protocol, damaged, not_found, unknown.
    """

    def __init__(self, command: str, code: int, stderr: str) -> None:
        self.kind = _kind(code, stderr)
        super().__init__(f"{command}: code {code}: {stderr[-SHOWN_STDERR:]}", self._sentence(code, stderr))
        self.command = command
        self.code = code
        self.stderr = stderr

    def _sentence(self, code: int, stderr: str) -> str:
        known = _SENTENCES.get(self.kind)
        if known is not None:
            return known
        last = stderr.rpartition("\n")[2][:200]
        return f"git stopped with code {code}" + (f": {last}" if last else ".")


def _kind(code: int, stderr: str) -> str:
    for meaning in _MEANINGS:
        if re.search(meaning.signs, stderr):
            return meaning.kind
    return _SIGNALS.get(code, "unknown")

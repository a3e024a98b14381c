"""Where a repository comes from: addresses given by people, read strictly, and checked before each connection.

Three kinds only: https, ssh (also as `user@host:path`) and, for the operator, a path on this machine.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote, unquote

from shipmend.git.addresses import why_refused
from shipmend.git.errors import HIDDEN, HostNotFound

Kind = Literal["https", "ssh", "local"]
Resolver = Callable[..., list[tuple[Any, ...]]]

LONGEST = 2048
DEFAULT_PORTS: dict[Kind, int] = {"https": 443, "ssh": 22, "local": 0}
_EXAMPLE = "write https://host/path or git@host:path"

_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://([^/]*)(/.*)?")
_SCP = re.compile(r"([^@/:\s]+)@(\[[^\]\s]+\]|[^:/\[\]\s]+):(.+)")
_HELPER = re.compile(r"[A-Za-z0-9+.-]+::")
_SSH_USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._+~-]*")
_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_HOST = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")


class RemoteRefused(ValueError):
    """An address that can't be used: `because` ends a sentence, `mend` says what would be right.

    `shown` is the address as given, without what may be a secret in it.
    """

    def __init__(self, text: str, because: str, *, mend: str = _EXAMPLE) -> None:
        self.shown = _without_userinfo(text)
        self.because = because
        self.mend = mend
        super().__init__(f'the address "{self.shown}" {because}: {mend}')

    @property
    def for_people(self) -> str:
        """One sentence, fit for a page."""
        return f"The address {self.because}: {self.mend}."


@dataclass(frozen=True, slots=True)
class Remote:
    """An address, read. Made by `parse_remote` only; `url` and `secret` are what to store."""

    kind: Kind
    url: str
    """For git, and to be shown: no secret in it. The same place always has the same text. A local one is a path."""
    host: str = ""
    port: int = 0
    secret: str | None = field(default=None, repr=False)
    """https only: `user:password`, `user:` or a token alone, percent-encoded as in a URL."""

    @property
    def shown(self) -> str:
        """Safe to display and to log."""
        return self.url

    @property
    def credentials(self) -> tuple[str, str] | None:
        """User and password, decoded; either may be empty."""
        if self.secret is None:
            return None
        user, _, password = self.secret.partition(":")
        return unquote(user), unquote(password)

    def with_credentials(self, user: str, password: str) -> Remote:
        """The same place with other credentials. Raises RemoteRefused for ssh and local paths."""
        if self.kind != "https":
            raise RemoteRefused(self.url, "takes no password", mend="give a password or token to an https address")
        return replace(self, secret=_checked_secret(self.url, f"{quote(user, safe='')}:{quote(password, safe='')}"))

    def with_secret(self, secret: str | None) -> Remote:
        """The same place with a `secret` stored earlier."""
        return replace(self, secret=secret)


def parse_remote(text: str, *, allow_local: bool) -> Remote:
    """Reads an address. `allow_local` is for the operator's own command line alone. Raises RemoteRefused.

    Only reads: whether the host is one we may connect to is `check_address`, before each connection.
    """
    given = text
    text = text.strip()
    if not text or len(text) > LONGEST or not text.isprintable() or text.startswith("-"):
        raise RemoteRefused(given, "is empty, too long, begins with a dash or holds unprintable characters")
    if _HELPER.match(text):
        raise RemoteRefused(text, "would start a program")
    if url := _URL.fullmatch(text):
        scheme, authority, path = url[1].lower(), url[2], url[3] or ""
        return _from_url(text, scheme, authority, path, allow_local=allow_local)
    if scp := _SCP.fullmatch(text):
        return _from_scp(text, *scp.groups())
    return _local(text, text, allow_local=allow_local)


def check_address(remote: Remote, *, allow_private: bool, resolve: Resolver = socket.getaddrinfo) -> tuple[str, ...]:
    """Resolves the host once; the addresses that the connection is then pinned to, in the resolver's order.

    Every address must be allowed: not loopback, private, behind a provider's NAT (unless `allow_private`), never
    link-local, metadata, multicast, unspecified or reserved; also when wrapped in IPv6. None for a local path.
    Raises RemoteRefused, or HostNotFound.
    """
    if remote.kind == "local":
        return ()
    host = remote.host.strip("[]")
    try:
        answers = resolve(host, remote.port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise HostNotFound(host, str(error)) from error
    addresses = tuple(dict.fromkeys(str(answer[4][0]) for answer in answers))
    if not addresses:
        raise HostNotFound(host, "no address")
    for address in addresses:
        kind = why_refused(address, allow_private=allow_private)
        if kind is not None:
            raise RemoteRefused(
                remote.url,
                f"leads to {kind} ({address})",
                mend="give a public host, or ask the operator of this server to allow private addresses",
            )
    return addresses


def _from_url(text: str, scheme: str, authority: str, path: str, *, allow_local: bool) -> Remote:
    if scheme == "file":
        if authority not in {"", "localhost"}:
            raise RemoteRefused(text, "names a host, which a file address can't", mend="write file:///path")
        return _local(text, unquote(path), allow_local=allow_local)
    if scheme not in {"https", "ssh"}:
        raise RemoteRefused(text, f"uses {scheme}://, which isn't allowed")
    if "\\" in authority:  # browsers take it for a slash, and so for the end of the host
        raise RemoteRefused(text, "has a backslash before its path")
    info, at, place = authority.rpartition("@")
    host, port = _host_and_port(text, place, "https" if scheme == "https" else "ssh")
    _check_path(text, path)
    if scheme == "ssh":
        return _ssh_url(text, info if at else "", host, port, path)
    url = f"https://{_authority(host, port, 443)}{path.rstrip('/')}"
    return Remote("https", url, host, port, _checked_secret(text, info) if info else None)


def _ssh_url(text: str, user: str, host: str, port: int, path: str) -> Remote:
    if ":" in user:
        raise RemoteRefused(text, "has a password, which ssh can't use", mend="register a deploy key instead")
    prefix = f"{_ssh_user(text, user)}@" if user else ""
    return Remote("ssh", f"ssh://{prefix}{_authority(host, port, 22)}{path.rstrip('/')}", host, port)


def _from_scp(text: str, user: str, place: str, path: str) -> Remote:
    host, port = _host_and_port(text, place, "ssh")
    _check_path(text, path)
    if path.startswith("-"):
        raise RemoteRefused(text, "has a path that begins with a dash")
    return Remote("ssh", f"{_ssh_user(text, user)}@{host}:{path.rstrip('/')}", host, port)


def _local(text: str, path: str, *, allow_local: bool) -> Remote:
    if not allow_local:
        raise RemoteRefused(
            text,
            "is neither https:// nor ssh",
            mend=f"{_EXAMPLE}; a path on this server can be registered only by its operator, on the command line",
        )
    if not path:
        raise RemoteRefused(text, "names no path", mend="write /path/to/repository")
    return Remote("local", str(Path(path).expanduser().resolve()))


def _host_and_port(text: str, place: str, kind: Kind) -> tuple[str, int]:
    """Host in lower case (IPv6 in brackets), and port."""
    host, colon, digits = (place, "", "") if place.endswith("]") else place.rpartition(":")
    if not colon:
        host, digits = place, str(DEFAULT_PORTS[kind])
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 5 and 1 <= int(digits) <= 65535):
        raise RemoteRefused(text, "has no port number after the colon", mend="write 1 to 65535, or leave it out")
    return _host(text, host.lower()), int(digits)


def _host(text: str, host: str) -> str:
    if host.startswith("[") and host.endswith("]"):
        return f"[{_literal(text, host[1:-1], version=6)}]"
    if len(host) > 253 or not _HOST.fullmatch(host):
        raise RemoteRefused(
            text, "has no valid host name", mend=f"{_EXAMPLE}; a name in other letters in its xn-- form"
        )
    if _NUMBER.fullmatch(host.rpartition(".")[2]):
        # 2130706433, 0x7f.1, 0177.0.0.1 and 127.1 are 127.0.0.1 to some programs and names to others.
        return _literal(text, host, version=4)
    return host


def _literal(text: str, host: str, *, version: int) -> str:
    try:
        address = ip_address(host)
    except ValueError:
        address = None
    if address is None or address.version != version or "%" in host:
        raise RemoteRefused(text, "has a number for a host that isn't an IP address in its usual form")
    return address.compressed


def _ssh_user(text: str, user: str) -> str:
    if not _SSH_USER.fullmatch(user):
        raise RemoteRefused(text, "has an unusual user name", mend="use letters, digits, dots, dashes; often it is git")
    return user


def _check_path(text: str, path: str) -> None:
    if not path.strip("/") or any(c.isspace() or c in "?#\\" for c in path):
        raise RemoteRefused(text, "has no path, or one with blanks, ?, # or \\ in it")


def _checked_secret(text: str, secret: str) -> str:
    """git's credential protocol is lines, so a line break would let a password say more than itself."""
    if not unquote(secret).isprintable():
        raise RemoteRefused(text, "has unprintable characters in its user or password")
    return secret


def _authority(host: str, port: int, default: int) -> str:
    return host if port == default else f"{host}:{port}"


def _without_userinfo(text: str) -> str:
    """Up to the last @, since a password may hold a stray / or @. Cut and on one line, being somebody's input."""
    scheme, separator, rest = text.partition("://")
    if separator and "@" in rest:
        text = f"{scheme}://{HIDDEN}@{rest.rpartition('@')[2]}"
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text[:LONGEST])

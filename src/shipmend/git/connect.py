"""How git reaches one remote, this once: a pinned address, the secret, ssh's options.

The remote is always the one named `upstream`, described by `-c` settings: its URL is never an argument, so none can be
taken for an option, and no secret stands in an argument or in a file.
"""

from __future__ import annotations

import shlex
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from shipmend.git.remotes import Remote, Resolver, check_address
from shipmend.git.run import SECRET_VARIABLE, git_version

UPSTREAM = "upstream"
USER_VARIABLE = "SHIPMEND_GIT_USER"
KEY_NAMES = ("id_ed25519", "id_ecdsa", "id_rsa")

# git asks it "get", and later "store" or "erase", to which it says nothing.
_HELPER = (
    f'!f() {{ test "$1" = get && printf "username=%s\\npassword=%s\\n" "${USER_VARIABLE}" "${SECRET_VARIABLE}"; }}; f'
)
# The other half of a local fetch is a git of ours as well. The operator named the repository, so it may belong to
# another user; and filters are allowed, so that one with missing files can still be read. It runs no hooks.
_LOCAL_UPLOAD_PACK = "git -c safe.directory=* -c uploadpack.allowFilter=true upload-pack"


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """What the operator allows, and where the keys are."""

    allow_private: bool = False
    """Whether loopback and private addresses may be connected to."""
    ssh_dir: Path | None = None
    """Holds the private key (id_ed25519, id_ecdsa or id_rsa) and known_hosts; needed for ssh."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """More for git's environment: the operator's GIT_SSL_CAINFO, for one. A proxy set here does the resolving, so
    that `check_address` no longer tells where it connects."""
    resolve: Resolver = socket.getaddrinfo


@dataclass(frozen=True, slots=True)
class Connection:
    """Settings to put before the subcommand, and environment."""

    options: tuple[str, ...]
    environment: dict[str, str] = field(repr=False)


def connect(remote: Remote, access: Access) -> Connection:
    """Checks the address and describes the connection to it. Raises RemoteRefused, HostNotFound or GitTooOld."""
    git_version()  # an older one would not pin the connection, and not say so
    addresses = check_address(remote, allow_private=access.allow_private, resolve=access.resolve)
    settings = [f"remote.{UPSTREAM}.url={remote.url}"]
    environment = {**access.environment, "GIT_ALLOW_PROTOCOL": "file" if remote.kind == "local" else remote.kind}
    if remote.kind == "https":
        settings += _https_settings(remote, addresses)
        environment |= _credentials(remote)
    elif remote.kind == "ssh":
        environment |= {"GIT_SSH_COMMAND": ssh_command(remote, addresses[0], access), "GIT_SSH_VARIANT": "ssh"}
    else:
        settings.append(f"remote.{UPSTREAM}.uploadpack={_LOCAL_UPLOAD_PACK}")
    return Connection(tuple(word for setting in settings for word in ("-c", setting)), environment)


def ssh_command(remote: Remote, address: str, access: Access) -> str:
    """For GIT_SSH_COMMAND: only our key, our known hosts, that address; no agent, no user's settings, no questions."""
    if access.ssh_dir is None:
        raise ValueError("an ssh remote needs Access.ssh_dir")
    known = access.ssh_dir / "known_hosts"
    keys = [access.ssh_dir / name for name in KEY_NAMES if (access.ssh_dir / name).is_file()]
    host = remote.host.strip("[]")
    options = [
        f"HostName={address}",
        f"HostKeyAlias={host if remote.port == 22 else f'[{host}]:{remote.port}'}",
        f"UserKnownHostsFile={_ssh_path(known)}",
        "GlobalKnownHostsFile=/dev/null",
        "StrictHostKeyChecking=accept-new",
        "UpdateHostKeys=no",
        *(f"IdentityFile={_ssh_path(key)}" for key in keys or [access.ssh_dir / KEY_NAMES[0]]),
        "IdentitiesOnly=yes",
        "IdentityAgent=none",
        "PreferredAuthentications=publickey",
        "BatchMode=yes",
        "CanonicalizeHostname=no",
        "ProxyCommand=none",
        "ProxyJump=none",
        "ControlMaster=no",
        "ControlPath=none",
        "ClearAllForwardings=yes",
        "ForwardAgent=no",
        "ForwardX11=no",
        "PermitLocalCommand=no",
        "ConnectTimeout=20",
        "ServerAliveInterval=15",
        "ServerAliveCountMax=4",
    ]
    return shlex.join(["ssh", "-F", "/dev/null", *(word for option in options for word in ("-o", option))])


def _https_settings(remote: Remote, addresses: tuple[str, ...]) -> list[str]:
    """The address is pinned, and the secret is offered to this host alone."""
    settings = []
    if not _is_number(remote.host):
        pinned = ",".join(f"[{address}]" if ":" in address else address for address in addresses)
        settings.append(f"http.curloptResolve={remote.host}:{remote.port}:{pinned}")
    if remote.secret is not None:
        origin = "/".join(remote.url.split("/", 3)[:3])
        settings.append(f"credential.{origin}.helper={_HELPER}")
    return settings


def _is_number(host: str) -> bool:
    return host.startswith("[") or host.replace(".", "").isdigit()


def _credentials(remote: Remote) -> dict[str, str]:
    if remote.credentials is None:
        return {}
    user, password = remote.credentials
    return {USER_VARIABLE: user, SECRET_VARIABLE: password}


def _ssh_path(path: Path) -> str:
    """As ssh's own settings want a path: quoted for blanks, percent signs doubled."""
    return '"' + str(path).replace("%", "%%") + '"'

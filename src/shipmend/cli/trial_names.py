"""Where `shipmend try` puts a repository: a path made from its address."""

from __future__ import annotations

import re

from shipmend.core.values import SLUG_CHARACTERS, ResourcePath
from shipmend.git.remotes import Remote

NOBODYS = "try"
"""The entity and organization of a repository that no owner's name comes with."""

_NOT_IN_SLUGS = re.compile(r"[^A-Za-z0-9._-]+")


def trial_path(remote: Remote) -> ResourcePath:
    """owner/owner/repo for an address such as https://host/owner/repo.git, try/try/repo for a local path."""
    names = [slug for slug in map(_slug, _path(remote).split("/")) if slug]
    repo = names[-1] if names else NOBODYS
    owner = NOBODYS if remote.kind == "local" or len(names) < 2 else names[-2]
    return ResourcePath(owner, owner, repo)


def numbered(path: ResourcePath, number: int) -> ResourcePath:
    """The path for the second, third… repository whose address gives this one."""
    tail = f"-{number}"
    return ResourcePath(path.entity, path.organization, path.repo[: SLUG_CHARACTERS - len(tail)] + tail)


def _path(remote: Remote) -> str:
    if remote.kind == "local":
        return remote.url
    beyond_scheme = remote.url.partition("://")[2]
    return beyond_scheme.partition("/")[2] if beyond_scheme else remote.url.partition(":")[2]


def _slug(name: str) -> str:
    """The part of a name that a slug can hold; empty for `.git` alone, the inside of a checkout."""
    slug = _NOT_IN_SLUGS.sub("-", name)[:SLUG_CHARACTERS].strip(".-")
    return "" if name == ".git" else re.sub(r"(\.git)+$", "", slug).strip(".-")

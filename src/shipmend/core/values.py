"""Small values that check themselves: a path in the catalog, a sha, a period of days."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from shipmend.core.errors import Invalid

SLUG_CHARACTERS = 100
PATH_CHARACTERS = 3 * SLUG_CHARACTERS + 2
PATHS_REMEMBERED = 4096
"""Calls name the same few, and each call its own several times."""
SLUG = r"[A-Za-z0-9_](?:[A-Za-z0-9._-]*[A-Za-z0-9_-])?"
_SLUG = re.compile(SLUG)
DOT_SEGMENT = r"(^|/)\.{1,2}(/|$)"
"""What no address can hold: browsers and proxies fold /./ and /../ away, also where the dots are escaped."""
_DOT_SEGMENT = re.compile(DOT_SEGMENT)
_HEX = re.compile(r"[0-9a-f]+")

SHA_DIGITS = 40
SHORT_SHA_DIGITS = 7


def is_addressable(key: str) -> bool:
    """Whether a link whose path ends with this key leads where it says."""
    return not _DOT_SEGMENT.search(key)


def is_slug(text: str) -> bool:
    """Whether `text` can name an entity, an organization or a repo: letters, digits, `.`, `_` and `-`."""
    return len(text) <= SLUG_CHARACTERS and _SLUG.fullmatch(text) is not None and not text.endswith(".git")


@dataclass(frozen=True, slots=True)
class ResourcePath:
    """`entity[/organization[/repo]]`, as the contract's ResourcePath type says."""

    entity: str
    organization: str = ""
    repo: str = ""

    @classmethod
    def parse(cls, text: str, *, parameter: str = "resource_path") -> ResourcePath:
        """Read a path; slashes around it and the `/entities/` of a copied address are forgiven.

        Raises Invalid naming `parameter`.
        """
        trimmed = text.strip().strip("/").removeprefix("entities/")
        path = _path(trimmed) if len(trimmed) <= PATH_CHARACTERS else None
        if path is None:
            raise Invalid(
                parameter,
                "is not a resource path",
                value=text,
                mend="write entity[/organization[/repo]], as it stands after /entities/ in a page's address",
            )
        return path

    def __str__(self) -> str:
        return "/".join(part for part in (self.entity, self.organization, self.repo) if part)

    @property
    def level(self) -> str:
        """What the path names: `entity`, `organization` or `repo`."""
        return "repo" if self.repo else "organization" if self.organization else "entity"

    def holds(self, other: ResourcePath) -> bool:
        """Whether `other` is this resource or lies below it."""
        return (
            self.entity == other.entity
            and self.organization in ("", other.organization)
            and self.repo in ("", other.repo)
        )


@lru_cache(PATHS_REMEMBERED)
def _path(text: str) -> ResourcePath | None:
    parts = text.split("/")
    return ResourcePath(*parts) if 1 <= len(parts) <= 3 and all(is_slug(part) for part in parts) else None


@dataclass(frozen=True, slots=True)
class Sha:
    """A git commit id in lower-case hex: whole (40 digits), or an abbreviation of 7 or more."""

    digits: str

    @classmethod
    def parse(cls, text: str, *, parameter: str) -> Sha:
        """Read a sha in either case. Raises Invalid naming `parameter`."""
        digits = text.strip().lower()
        if not SHORT_SHA_DIGITS <= len(digits) <= SHA_DIGITS or not _HEX.fullmatch(digits):
            raise Invalid(
                parameter,
                "is not a commit id",
                value=text,
                mend=f"give {SHA_DIGITS} hexadecimal digits, or an abbreviation of at least {SHORT_SHA_DIGITS}",
            )
        return cls(digits)

    @property
    def is_whole(self) -> bool:
        """Whether all 40 digits are there."""
        return len(self.digits) == SHA_DIGITS

    def __str__(self) -> str:
        return self.digits


class Role(StrEnum):
    """What a member may do in an entity; each role includes the ones before it."""

    VIEWER = "viewer"
    MEMBER = "member"
    OWNER = "owner"

    def includes(self, other: Role) -> bool:
        """Whether this role may do all that `other` may."""
        order = list(Role)
        return order.index(self) >= order.index(other)


class Scope(StrEnum):
    """What a token may do."""

    READ = "read"
    RELEASES_WRITE = "releases:write"
    DEFECTS_WRITE = "defects:write"
    IMPORTS_WRITE = "imports:write"


DEFAULT_SCOPES = frozenset(Scope)

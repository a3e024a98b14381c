"""What a team goes by, and what it reports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from shipmend.core.releases import Status
from shipmend.demo.history import Made

PRODUCTION = "production"
STAGING = "staging"


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How a repository is worked on and released. Weeks in which that is otherwise are named by their number."""

    changes: int
    """Merged in a week, about."""
    days: tuple[int, ...]
    """Weekdays of the releases."""
    hour: float
    tag: str
    """What its versions begin with."""
    major: int
    is_rebased: bool = False
    """Whether changes are rebased onto the trunk rather than merged."""
    is_tracked: bool = False
    """Whether its releases are made by tracking rules: then nobody reports them."""
    other_changes: Mapping[int, int] = field(default_factory=dict)
    other_days: Mapping[int, tuple[int, ...]] = field(default_factory=dict)
    new_majors: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Deploy:
    """A release, or a try at one."""

    at: int
    commit: Made
    name: str
    environment: str = PRODUCTION
    status: Status = Status.SUCCEEDED
    keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Fixed:
    """A fix as it is reported: a commit, a time, or both."""

    key: str
    at: int
    """When it is reported."""
    commit: Made | None
    with_time: bool

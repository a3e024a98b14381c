"""Why nothing can be told of the release branch of a repo, in words for people."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from shipmend.core.errors import shown


class Reason(StrEnum):
    """What stands in the way."""

    NO_REMOTE = "no_remote"
    NOT_INDEXED = "not_indexed"
    FAILED = "failed"
    """Its first index."""
    NO_BRANCH = "no_branch"
    """The chosen one, or the default one of the last index, is gone."""
    NO_DEFAULT = "no_default"
    """The remote has branches and names none of them."""
    DAMAGED = "damaged"
    """The remote can't read what it offers."""


_CHOOSE = "choose its release branch under Settings → Repos"
_BECAUSE = {
    Reason.NO_REMOTE: "it has no remote",
    Reason.NOT_INDEXED: "it is not indexed yet",
    Reason.FAILED: "its first index failed",
    Reason.NO_BRANCH: "its release branch {} is not on the remote",
    Reason.NO_DEFAULT: "its remote does not say which branch is its default one",
    Reason.DAMAGED: "its remote is damaged and can't read its release branch",
}
_MENDS = {
    Reason.NO_REMOTE: "give it a git address under Settings → Repos",
    Reason.NOT_INDEXED: "wait for its first index",
    Reason.FAILED: "its page tells the cause",
    Reason.NO_BRANCH: _CHOOSE,
    Reason.NO_DEFAULT: _CHOOSE,
    Reason.DAMAGED: "mend the remote",
}


@dataclass(frozen=True, slots=True)
class Unseen:
    """Why nobody can tell what is on the release branch of a repo."""

    reason: Reason
    branch: str = ""
    """The one that is not there."""

    @property
    def because(self) -> str:
        """What goes on a sentence about the repo: `its release branch "x" is not on the remote`."""
        return _BECAUSE[self.reason].format(shown(self.branch))

    @property
    def mend(self) -> str:
        """What puts it right, as an order."""
        return _MENDS[self.reason]

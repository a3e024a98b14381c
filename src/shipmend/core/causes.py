"""Which release caused a defect: named by a person > a guess that a person accepted > a guess > unattributed.

A guess is the last release that counts, at or before the detection, in the repos concerned, within a window. It is
derived whenever it is looked at and never stored, so late, edited and deleted releases move it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterable
from enum import StrEnum
from operator import attrgetter
from typing import NamedTuple
from uuid import UUID

HOUR = 3600
CAUSE_WINDOW_HOURS = 7 * 24
"""The window, unless an entity sets another."""
LONGEST_WINDOW_HOURS = 366 * 24

NO_REPO = "No repo is concerned yet."
SAID_NONE = "Somebody said that no release caused it."
SAID_NAMED = "Somebody named this release."
SAID_ACCEPTED = "Somebody accepted this release, which had been guessed."


class CauseKind(StrEnum):
    """How a defect came by its cause, the surest first."""

    NAMED = "named"
    ACCEPTED = "accepted"
    GUESS = "guess"
    UNATTRIBUTED = "unattributed"


class Standing(StrEnum):
    """What somebody said of a defect's cause."""

    UNSAID = ""
    NAMED = "named"
    ACCEPTED = "accepted"
    NONE = "none"
    """No release caused it."""


class Verdict(NamedTuple):
    """What somebody said, and of which release."""

    standing: Standing = Standing.UNSAID
    release_id: UUID | None = None
    is_there: bool = True
    """Whether that release has not been deleted since."""


class Case(NamedTuple):
    """As much of a defect as its cause rests on."""

    detected_at: int
    """Epoch seconds."""
    repos: frozenset[UUID]
    """Those concerned; see `repos_concerned`."""
    verdict: Verdict = Verdict()


class Cause(NamedTuple):
    """The release that caused a defect as far as anybody knows, and why it is thought so, as a sentence."""

    kind: CauseKind
    release_id: UUID | None
    reason: str


class CauseCandidate(NamedTuple):
    """A release that counts. Those of a repo sort as releases do on a stream; see also `_ORDER`."""

    released_at: int
    """Epoch seconds."""
    commit_number: int
    """-1 where the history is not known."""
    sha: str
    id: UUID
    repo_id: UUID


_ORDER = attrgetter("released_at", "commit_number", "sha", "repo_id", "id")
"""Of all: ids, which are given in the order of arrival, part no two of different repos."""


class Candidates:
    """The releases that may have caused something, for any number of questions."""

    def __init__(self, releases: Iterable[CauseCandidate]) -> None:
        self._of_repo: defaultdict[UUID, list[CauseCandidate]] = defaultdict(list)
        for release in sorted(releases):
            self._of_repo[release.repo_id].append(release)

    def last(self, repos: Iterable[UUID], at: int) -> CauseCandidate | None:
        """The last release of these repos at or before an instant."""
        found = (self._last_of(repo_id, at) for repo_id in repos)
        return max((release for release in found if release), key=_ORDER, default=None)

    def _last_of(self, repo_id: UUID, at: int) -> CauseCandidate | None:
        releases = self._of_repo.get(repo_id)
        if releases is None:
            return None
        after = bisect_right(releases, at, key=attrgetter("released_at"))
        return releases[after - 1] if after else None


def guess(detected_at: int, repos: Collection[UUID], candidates: Candidates, window_seconds: int) -> Cause:
    """The release to suspect of what was detected at an instant (epoch seconds) and concerns some repos."""
    if not repos:
        return Cause(CauseKind.UNATTRIBUTED, None, NO_REPO)
    where = "in the repo concerned" if len(repos) == 1 else "in the repos concerned"
    last = candidates.last(repos, detected_at)
    if last is None or detected_at - last.released_at > window_seconds:
        reason = f"There is no release {where} in the {window_seconds // HOUR} hours before the detection."
        return Cause(CauseKind.UNATTRIBUTED, None, reason)
    reason = f"It is the last release {where} at or before the detection: {_before(detected_at - last.released_at)}."
    return Cause(CauseKind.GUESS, last.id, reason)


def decide_cause(case: Case, candidates: Candidates, window_seconds: int) -> Cause:
    """The cause of a defect: what somebody said, unless that release has been deleted since, else the guess."""
    verdict = case.verdict
    if verdict.standing is Standing.NONE:
        return Cause(CauseKind.UNATTRIBUTED, None, SAID_NONE)
    if verdict.is_there and verdict.standing is Standing.NAMED:
        return Cause(CauseKind.NAMED, verdict.release_id, SAID_NAMED)
    if verdict.is_there and verdict.standing is Standing.ACCEPTED:
        return Cause(CauseKind.ACCEPTED, verdict.release_id, SAID_ACCEPTED)
    guessed = guess(case.detected_at, case.repos, candidates, window_seconds)
    if verdict.standing is Standing.UNSAID:
        return guessed
    return guessed._replace(reason=f"The release that was {verdict.standing} has been deleted. {guessed.reason}")


def repos_concerned(own: UUID | None, fixed: Iterable[UUID]) -> frozenset[UUID]:
    """The repos to look for the cause in: the defect's own, else those of its fixes."""
    return frozenset(fixed) if own is None else frozenset({own})


def _before(seconds: int) -> str:
    days, hours, minutes = seconds // (24 * HOUR), seconds % (24 * HOUR) // HOUR, seconds % HOUR // 60
    if days:
        return f"{days} d {hours} h before it" if hours else f"{days} d before it"
    if hours:
        return f"{hours} h {minutes} min before it" if minutes else f"{hours} h before it"
    return f"{minutes} min before it" if minutes else f"{seconds} s before it" if seconds else "in the same second"

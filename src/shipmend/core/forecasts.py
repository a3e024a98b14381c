"""What a tracking rule would make of a repo's history, told before it is set."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from shipmend.core.tracking import (
    Candidate,
    Event,
    Rule,
    Standing,
    Step,
    Wanted,
    decide,
    release_of,
    unusable,
    wanted_releases,
)


class Match(NamedTuple):
    """A tag or commit that a rule matches, and why no release would be made of it; empty when one would be."""

    candidate: Candidate
    why_not: str = ""


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a rule would make of one repo's history beside what is stored, were it set now."""

    matches: int
    releases: int
    """Less than matches when several tags are one release, or have no time."""
    new: int
    """Of the releases, those that are not there yet."""
    latest: tuple[Match, ...]
    """The last matches in time, the latest first."""


def forecast(
    matches: Iterable[Candidate], rule: Rule, standing: Mapping[Event, Standing], *, sample: int, now: int
) -> Forecast:
    """The forecast from what the rule matches and what is stored, with up to `sample` of the matches."""
    found = list(matches)
    wanted = wanted_releases([(rule, found)], now=now)
    latest = sorted(found, key=lateness, reverse=True)[:sample]
    return Forecast(
        matches=len(found),
        releases=len(wanted),
        new=sum(_is_new(standing.get(event), wanted[event]) for event in wanted),
        latest=tuple(
            Match(candidate, unusable(candidate, now=now) or _why_not(rule, candidate, wanted, standing))
            for candidate in latest
        ),
    )


def lateness(candidate: Candidate) -> tuple[int, int, str]:
    """Orders matches by time."""
    return -1 if candidate.at is None else candidate.at, candidate.commit, candidate.text


def _why_not(
    rule: Rule, candidate: Candidate, wanted: Mapping[Event, Wanted], standing: Mapping[Event, Standing]
) -> str:
    own = release_of(rule, candidate, candidate.at or 0)
    made = wanted[own.event]
    if made.name != own.name:
        return f"one release with {made.name}"
    stored = standing.get(own.event)
    if stored is None or _is_new(stored, made):
        return ""
    return "is there already" if stored.is_there else "was deleted by hand"


def _is_new(standing: Standing | None, wanted: Wanted) -> bool:
    """Whether a release would be made; one of another rule stays that rule's, which came first."""
    return decide(standing, wanted) in (Step.MAKE, Step.BRING_BACK)

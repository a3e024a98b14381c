"""Release tracking rules: which tags and commits of a repo's history are releases.

A rule makes of the history, as it is now, always the same releases: whatever was seen on the way there, and however
often it is asked. So what it made before and would not make now is taken back. What a person or a call has said of
a release counts for more: no rule touches such a release, nor makes another of the same event.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from shipmend.core.errors import Invalid
from shipmend.core.patterns import read_pattern
from shipmend.core.releases import DAY

VALUE_CHARACTERS = 200
NAME_CHARACTERS = 250
SUBJECT_CHARACTERS = 80
"""Of a commit's subject, in the name of a release made from it."""
IN_THE_FUTURE = "lies in the future"
LEAST_MESSAGE_CHARACTERS = 3
"""GitClear's own bound for "message contains"."""


class RuleKind(StrEnum):
    """What a rule looks for. The first three look at tags, the others at the first-parent chain of a branch."""

    ANY_TAG = "any_tag"
    TAG_CONTAINS = "tag_contains"
    TAG_MATCHES = "tag_matches"
    COMMIT_ON_BRANCH = "commit_on_branch"
    MERGE_INTO_BRANCH = "merge_into_branch"
    MESSAGE_CONTAINS = "message_contains"
    MESSAGE_EQUALS = "message_equals"

    @property
    def takes_tags(self) -> bool:
        """Whether it looks at tags."""
        return self in (RuleKind.ANY_TAG, RuleKind.TAG_CONTAINS, RuleKind.TAG_MATCHES)

    @property
    def takes_branch(self) -> bool:
        """Whether its value names a branch; the release branch when it is empty."""
        return self in (RuleKind.COMMIT_ON_BRANCH, RuleKind.MERGE_INTO_BRANCH)


class Candidate(NamedTuple):
    """A tag, or a commit on a branch, that may be a release."""

    commit: int
    """The commit's number in the repo's history."""
    sha: str
    at: int | None
    """Epoch seconds: when an annotated tag was made, else when the commit was; None where that is absent or absurd."""
    text: str
    """The tag's name, or the commit's subject."""
    is_merge: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule as it was set. Make new ones with `read_rule`."""

    id: UUID
    kind: RuleKind
    value: str
    environment: str

    def matcher(self) -> Callable[[Candidate], bool]:
        """Tells whether a candidate of the rule's kind is a release."""
        return _MATCHERS[self.kind](self.value)

    def __str__(self) -> str:
        return sentence(self.kind, self.value)


def sentence(kind: RuleKind, value: str) -> str:
    """A rule in words, as "tag contains “v”"."""
    branch = f"the branch {value}" if value else "the release branch"
    return _SENTENCES[kind].format(value=value, branch=branch)


def read_rule(rule_id: UUID, kind: RuleKind, value: str, environment: str) -> Rule:
    """A rule from what a person typed. Raises Invalid naming `value` or `environment`."""
    environment = environment.strip().lower()
    if not environment or len(environment) > 100 or not environment.isprintable():
        mend = "give at most 100 printable characters, such as production"
        raise Invalid("environment", "can't name an environment", value=environment, mend=mend)
    return Rule(rule_id, kind, _read_value(kind, value), environment)


def _read_value(kind: RuleKind, value: str) -> str:
    if kind is RuleKind.ANY_TAG:
        return ""
    value = value.strip()
    if len(value) > VALUE_CHARACTERS:
        raise Invalid("value", f"has {len(value)} characters", value=value, mend=f"give at most {VALUE_CHARACTERS}")
    if not value.isprintable():
        raise Invalid("value", "holds unprintable characters", value=value, mend="leave them out")
    if kind is RuleKind.TAG_MATCHES:
        read_pattern(value, parameter="value")
    least = LEAST_MESSAGE_CHARACTERS if kind is RuleKind.MESSAGE_CONTAINS else 1
    if not kind.takes_branch and len(value) < least:
        raise Invalid("value", "is too short", value=value, mend=f"give at least {least} character{'s' * (least > 1)}")
    return value.removeprefix("refs/heads/") if kind.takes_branch else value


def _contains(value: str) -> Callable[[Candidate], bool]:
    return lambda candidate: value in candidate.text


def _matches(value: str) -> Callable[[Candidate], bool]:
    pattern = read_pattern(value, parameter="value")
    return lambda candidate: pattern.is_in(candidate.text)


def _says(value: str) -> Callable[[Candidate], bool]:
    folded = value.casefold()
    return lambda candidate: folded in candidate.text.casefold()


_MATCHERS: Mapping[RuleKind, Callable[[str], Callable[[Candidate], bool]]] = {
    RuleKind.ANY_TAG: lambda _: lambda _: True,
    RuleKind.TAG_CONTAINS: _contains,
    RuleKind.TAG_MATCHES: _matches,
    RuleKind.COMMIT_ON_BRANCH: lambda _: lambda _: True,
    RuleKind.MERGE_INTO_BRANCH: lambda _: lambda candidate: candidate.is_merge,
    RuleKind.MESSAGE_CONTAINS: _says,
    RuleKind.MESSAGE_EQUALS: lambda value: lambda candidate: candidate.text == value,
}
_SENTENCES = {
    RuleKind.ANY_TAG: "any tag",
    RuleKind.TAG_CONTAINS: "tag contains “{value}”",
    RuleKind.TAG_MATCHES: "tag matches {value}",
    RuleKind.COMMIT_ON_BRANCH: "commit on {branch}",
    RuleKind.MERGE_INTO_BRANCH: "merge into {branch}",
    RuleKind.MESSAGE_CONTAINS: "message contains “{value}”",
    RuleKind.MESSAGE_EQUALS: "message is “{value}”",
}


class Event(NamedTuple):
    """What makes a release of one repo the same as another; in the order in which releases are written."""

    at: int
    """Epoch seconds."""
    sha: str
    environment: str


class Wanted(NamedTuple):
    """A release that a rule makes."""

    event: Event
    commit: int
    name: str
    rule: UUID


def unusable(candidate: Candidate, *, now: int) -> str:
    """Why there can be no release of a candidate; empty when there can. `now` is in epoch seconds."""
    if candidate.at is None:
        return "has no usable time"
    return IN_THE_FUTURE if candidate.at > now + DAY else ""


def wanted_releases(matched: Iterable[tuple[Rule, Iterable[Candidate]]], *, now: int) -> dict[Event, Wanted]:
    """The releases that rules make of what they match in one repo, the rule that came first having the first say.

    Tags of one commit with one time are one release. Without a time there is none, and none in the future.
    """
    wanted: dict[Event, Wanted] = {}
    for rule, candidates in matched:
        own: dict[Event, Wanted] = {}
        for candidate in candidates:
            if candidate.at is None or unusable(candidate, now=now):
                continue
            new = release_of(rule, candidate, candidate.at)
            standing = own.get(new.event)
            if standing is None or _says_more(new.name) > _says_more(standing.name):
                own[new.event] = new
        wanted = own | wanted
    return wanted


def release_of(rule: Rule, candidate: Candidate, at: int) -> Wanted:
    """What a rule makes of one match with a time."""
    most = NAME_CHARACTERS if rule.kind.takes_tags else SUBJECT_CHARACTERS
    name = candidate.text if len(candidate.text) <= most else candidate.text[: most - 1] + "…"
    return Wanted(Event(at, candidate.sha, rule.environment), candidate.commit, name, rule.id)


def _says_more(name: str) -> tuple[bool, int, str]:
    """Orders the names of one commit: `v1.2.3` says more than `v1`, and both say more than `latest`."""
    return any(character.isdigit() for character in name), len(name), name


class Hold(StrEnum):
    """Who has the say over a release that is stored."""

    RULE = "rule"
    """Made by a rule that stands, or that took its releases with it when it was deleted."""
    TAKEN_BACK = "taken_back"
    """Made by a rule, and taken back since."""
    OTHERS = "others"
    """Reported by a call, deleted by a person, or kept when its rule was deleted: no rule touches it."""


class Standing(NamedTuple):
    """A release that is stored, as far as it matters here."""

    hold: Hold
    name: str
    rule: UUID | None
    is_there: bool = True
    """False for a deleted one."""


class Step(StrEnum):
    """What to do about one event."""

    MAKE = "make"
    BRING_BACK = "bring_back"
    CHANGE = "change"
    TAKE_BACK = "take_back"


def decide(standing: Standing | None, wanted: Wanted | None) -> Step | None:
    """What makes of what is stored what the rules want; None when it is so already, or not theirs to change."""
    if standing is None:
        return Step.MAKE if wanted else None
    if standing.hold is Hold.OTHERS:
        return None
    if standing.hold is Hold.TAKEN_BACK:
        return Step.BRING_BACK if wanted else None
    if wanted is None:
        return Step.TAKE_BACK
    return None if (standing.name, standing.rule) == (wanted.name, wanted.rule) else Step.CHANGE


def to_do(standing: Mapping[Event, Standing], wanted: Mapping[Event, Wanted]) -> list[Event]:
    """The events about which something is to be done, the earliest first."""
    return sorted(event for event in standing.keys() | wanted.keys() if decide(standing.get(event), wanted.get(event)))

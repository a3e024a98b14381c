"""Tracking rules: what each kind takes, which releases come of it, and what is done about what is stored."""

from __future__ import annotations

import random
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipmend.core.errors import Invalid
from shipmend.core.forecasts import forecast
from shipmend.core.releases import DAY
from shipmend.core.tracking import (
    NAME_CHARACTERS,
    SUBJECT_CHARACTERS,
    VALUE_CHARACTERS,
    Candidate,
    Event,
    Hold,
    Rule,
    RuleKind,
    Standing,
    Step,
    Wanted,
    decide,
    read_rule,
    to_do,
    wanted_releases,
)

K = RuleKind
A, B = UUID(int=1), UUID(int=2)
NOW = 1_700_000_000


def rule(kind: RuleKind = K.ANY_TAG, value: str = "", environment: str = "production", rule_id: UUID = A) -> Rule:
    return read_rule(rule_id, kind, value, environment)


def seen(text: str, commit: int = 1, at: int | None = NOW, *, is_merge: bool = False) -> Candidate:
    return Candidate(commit, f"{commit:040x}", at, text, is_merge)


def made(*rules_and_matches: tuple[Rule, list[Candidate]]) -> list[tuple[str, int]]:
    """Name and commit of each release."""
    return [(wanted.name, wanted.commit) for _, wanted in sorted(wanted_releases(rules_and_matches, now=NOW).items())]


# Matching


@pytest.mark.parametrize(
    ("kind", "value", "taken", "left"),
    [
        (K.ANY_TAG, "", ["v1", "alpha", "x/y"], []),
        (K.TAG_CONTAINS, "alpha", ["alpha-v0.01", "x/alpha"], ["Alpha", "alph"]),
        (K.TAG_CONTAINS, ".", ["v1.0"], ["v10"]),
        (K.TAG_MATCHES, r"^v\d+\.\d+$", ["v1.0", "v10.22"], ["v1.0-rc1", "xv1.0"]),
        (K.COMMIT_ON_BRANCH, "main", ["Fix", ""], []),
        (K.MESSAGE_CONTAINS, "Release", ["release 1", "Prerelease", "RELEASE"], ["deploy"]),
        (K.MESSAGE_CONTAINS, "straße", ["STRASSE neu"], ["strase"]),
        (K.MESSAGE_CONTAINS, "a.c", ["a.cd"], ["abc"]),
        (K.MESSAGE_EQUALS, "Deploy", ["Deploy"], ["deploy", "Deploy!", "Deploy it"]),
    ],
)
def test_a_rule_takes_what_its_kind_says(kind: RuleKind, value: str, taken: list[str], left: list[str]) -> None:
    is_match = rule(kind, value).matcher()
    assert [text for text in taken + left if is_match(seen(text))] == taken


def test_only_merges_are_merged_into_a_branch() -> None:
    is_match = rule(K.MERGE_INTO_BRANCH).matcher()
    assert is_match(seen("Merge it", is_merge=True))
    assert not is_match(seen("Merge it"))


@pytest.mark.parametrize(
    ("kind", "value", "read"),
    [
        (K.ANY_TAG, "left from another kind", ""),
        (K.TAG_CONTAINS, "  v  ", "v"),
        (K.COMMIT_ON_BRANCH, "", ""),
        (K.MERGE_INTO_BRANCH, "refs/heads/main", "main"),
        (K.MESSAGE_CONTAINS, " abc", "abc"),
    ],
)
def test_what_was_typed_is_trimmed(kind: RuleKind, value: str, read: str) -> None:
    assert rule(kind, value, " Staging ") == Rule(A, kind, read, "staging")


@pytest.mark.parametrize(
    ("kind", "value", "environment", "parameter", "because"),
    [
        (K.TAG_CONTAINS, " ", "production", "value", "at least 1 character."),
        (K.TAG_MATCHES, "", "production", "value", "at least 1 character."),
        (K.TAG_MATCHES, "(", "production", "value", "is not closed"),
        (K.MESSAGE_CONTAINS, "ab", "production", "value", "at least 3 characters"),
        (K.MESSAGE_EQUALS, "", "production", "value", "at least 1 character."),
        (K.TAG_CONTAINS, "x" * (VALUE_CHARACTERS + 1), "production", "value", "201 characters"),
        (K.COMMIT_ON_BRANCH, "ma\0in", "production", "value", "unprintable"),
        (K.ANY_TAG, "", " ", "environment", "can't name"),
        (K.ANY_TAG, "", "x" * 101, "environment", "can't name"),
        (K.ANY_TAG, "", "a\nb", "environment", "can't name"),
    ],
)
def test_what_makes_no_rule_is_refused(
    kind: RuleKind, value: str, environment: str, parameter: str, because: str
) -> None:
    with pytest.raises(Invalid) as refused:
        rule(kind, value, environment)
    assert refused.value.parameter == parameter
    assert because in str(refused.value)


@pytest.mark.parametrize("kind", list(RuleKind))
def test_every_kind_has_words_that_name_its_value(kind: RuleKind) -> None:
    words = str(rule(kind, "needle"))
    assert ("needle" in words) == (kind is not K.ANY_TAG)
    assert str(rule(K.COMMIT_ON_BRANCH)) == "commit on the release branch"


# Releases


def test_tags_of_one_commit_with_one_time_are_one_release_named_after_the_one_that_says_most() -> None:
    tags = ["v1", "latest-stable", "v1.2", "v1.2.3", "stable"]
    for order in (tags, tags[::-1]):
        assert made((rule(), [seen(tag) for tag in order])) == [("v1.2.3", 1)]


def test_tags_of_one_commit_with_two_times_are_two_releases() -> None:
    assert made((rule(), [seen("v1"), seen("v1-again", at=NOW + 60)])) == [("v1", 1), ("v1-again", 1)]


def test_what_has_no_time_or_one_in_the_future_is_no_release() -> None:
    assert made((rule(), [seen("v1", at=None), seen("v2", at=NOW + DAY + 1), seen("v3", at=NOW + DAY)])) == [("v3", 1)]


def test_the_first_of_two_rules_makes_and_names_what_both_want() -> None:
    first, second = rule(K.COMMIT_ON_BRANCH, rule_id=A), rule(rule_id=B)
    wanted = wanted_releases([(first, [seen("Subject")]), (second, [seen("v1"), seen("v2", commit=2)])], now=NOW)
    assert [(each.name, each.rule) for each in wanted.values()] in (
        [("Subject", A), ("v2", B)],
        [("v2", B), ("Subject", A)],
    )


def test_rules_of_two_environments_make_a_release_each() -> None:
    wanted = wanted_releases([(rule(), [seen("v1")]), (rule(environment="staging", rule_id=B), [seen("v1")])], now=NOW)
    assert {event.environment for event in wanted} == {"production", "staging"}


def test_names_are_cut_to_what_can_be_stored_and_read() -> None:
    ((name, _),) = made((rule(), [seen("v" * 300)]))
    assert len(name) == NAME_CHARACTERS
    ((name, _),) = made((rule(K.COMMIT_ON_BRANCH), [seen("word " * 40)]))
    assert len(name) == SUBJECT_CHARACTERS
    assert name.endswith("…")


CANDIDATES = st.lists(
    st.builds(seen, st.sampled_from(["v1", "v1.0", "v2", "latest", "x"]), st.integers(1, 4), st.integers(NOW, NOW + 2))
)


@given(CANDIDATES, st.randoms(use_true_random=False))
def test_the_order_of_what_is_seen_makes_no_difference(candidates: list[Candidate], chance: random.Random) -> None:
    shuffled = chance.sample(candidates, len(candidates))
    assert wanted_releases([(rule(), candidates)], now=NOW) == wanted_releases([(rule(), shuffled)], now=NOW)


# What is stored, and what is to be done

WANTED = Wanted(Event(NOW, "a" * 40, "production"), 1, "v1", A)
STANDINGS = st.one_of(
    st.none(),
    st.builds(
        lambda name, rule_id: Standing(Hold.RULE, name, rule_id), st.sampled_from(["v1", "v2"]), st.sampled_from([A, B])
    ),
    st.builds(lambda name: Standing(Hold.TAKEN_BACK, name, A, is_there=False), st.sampled_from(["v1", "v2"])),
    st.builds(lambda there: Standing(Hold.OTHERS, "v1", None, is_there=there), st.booleans()),
)


@pytest.mark.parametrize(
    ("standing", "wanted", "step"),
    [
        (None, WANTED, Step.MAKE),
        (None, None, None),
        (Standing(Hold.RULE, "v1", A), WANTED, None),
        (Standing(Hold.RULE, "v0", A), WANTED, Step.CHANGE),
        (Standing(Hold.RULE, "v1", B), WANTED, Step.CHANGE),
        (Standing(Hold.RULE, "v1", A), None, Step.TAKE_BACK),
        (Standing(Hold.TAKEN_BACK, "v1", A, is_there=False), WANTED, Step.BRING_BACK),
        (Standing(Hold.TAKEN_BACK, "v1", A, is_there=False), None, None),
        (Standing(Hold.OTHERS, "other", None), WANTED, None),
        (Standing(Hold.OTHERS, "other", None), None, None),
        (Standing(Hold.OTHERS, "other", None, is_there=False), WANTED, None),
        (Standing(Hold.OTHERS, "kept", B), None, None),
    ],
)
def test_what_is_done_about_an_event(standing: Standing | None, wanted: Wanted | None, step: Step | None) -> None:
    assert decide(standing, wanted) is step
    assert to_do({WANTED.event: standing} if standing else {}, {WANTED.event: wanted} if wanted else {}) == (
        [WANTED.event] if step else []
    )


def after(standing: Standing | None, wanted: Wanted | None) -> Standing | None:
    """What is stored once that has been done."""
    step = decide(standing, wanted)
    if step is Step.TAKE_BACK:
        assert standing
        return replace_hold(standing)
    if step is None:
        return standing
    assert wanted
    return Standing(Hold.RULE, wanted.name, wanted.rule)


def replace_hold(standing: Standing) -> Standing:
    return standing._replace(hold=Hold.TAKEN_BACK, is_there=False)


@given(STANDINGS, st.lists(st.sampled_from([None, WANTED, WANTED._replace(name="v2", rule=B)]), min_size=1))
def test_only_the_last_history_counts_and_once_is_enough(standing: Standing | None, way: list[Wanted | None]) -> None:
    at_once = after(standing, way[-1])
    for wanted in way:
        standing = after(standing, wanted)
    assert decide(standing, way[-1]) is None
    shown, shown_at_once = (each if each and each.is_there else None for each in (standing, at_once))
    assert shown == shown_at_once


@given(STANDINGS, st.sampled_from([None, WANTED]))
def test_what_others_have_said_is_never_touched(standing: Standing | None, wanted: Wanted | None) -> None:
    if standing and standing.hold is Hold.OTHERS:
        assert after(standing, wanted) == standing


# Forecasts


def test_a_forecast_counts_and_shows_the_latest_first_with_the_reason_for_each_that_makes_nothing() -> None:
    tags = [
        seen("v1", 1),
        seen("v2", 2, NOW + 1),
        seen("v3", 3, NOW + 2),
        seen("v4", 4, NOW + 3),
        seen("v4.0", 4, NOW + 3),
        seen("timeless", 5, None),
        seen("some day", 6, NOW + 2 * DAY),
    ]
    standing = {
        Event(NOW, tags[0].sha, "production"): Standing(Hold.OTHERS, "by call", None),
        Event(NOW + 1, tags[1].sha, "production"): Standing(Hold.OTHERS, "v2", None, is_there=False),
        Event(NOW + 2, tags[2].sha, "production"): Standing(Hold.TAKEN_BACK, "v3", A, is_there=False),
        Event(NOW + 2, tags[2].sha, "staging"): Standing(Hold.OTHERS, "v3", None),
    }
    told = forecast(tags, rule(), standing, sample=10, now=NOW)
    assert (told.matches, told.releases, told.new) == (7, 4, 2)
    assert [(match.candidate.text, match.why_not) for match in told.latest] == [
        ("some day", "lies in the future"),
        ("v4.0", ""),
        ("v4", "one release with v4.0"),
        ("v3", ""),
        ("v2", "was deleted by hand"),
        ("v1", "is there already"),
        ("timeless", "has no usable time"),
    ]
    assert [match.candidate.text for match in forecast(tags, rule(), standing, sample=1, now=NOW).latest] == [
        "some day"
    ]


@given(CANDIDATES, CANDIDATES)
def test_a_forecast_is_what_is_made_then(before: list[Candidate], candidates: list[Candidate]) -> None:
    standing = {
        event: Standing(Hold.RULE, each.name, A) for event, each in wanted_releases([(rule(), before)], now=NOW).items()
    }
    told = forecast(candidates, rule(rule_id=A), standing, sample=100, now=NOW)
    wanted = wanted_releases([(rule(rule_id=A), candidates)], now=NOW)
    assert told.releases == len(wanted)
    assert told.new == sum(decide(standing.get(event), wanted[event]) is Step.MAKE for event in wanted)

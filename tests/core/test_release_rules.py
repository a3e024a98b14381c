"""The release rules as tables of cases: what a report needs, where its time comes from, and what each kind means."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipmend.core.errors import Invalid
from shipmend.core.moments import DateOrder, read_moment
from shipmend.core.releases import (
    Action,
    CommitState,
    Instant,
    Kind,
    Relation,
    Release,
    ReleaseCommit,
    ReleaseReport,
    Status,
    check_report,
    decide_release,
    derive_kind,
    is_same_event,
    release_instant,
)
from shipmend.core.values import ResourcePath, Sha

NOW = 1_700_000_000
UTC = ZoneInfo("UTC")
PATH = ResourcePath("e", "o", "r")
MOMENT = read_moment("2021-05-25T16:20:00Z", zone=UTC, date_order=DateOrder.NONE, now=NOW)
WHOLE, SHORT = Sha("a" * 40), Sha("a" * 7)
COMMIT = ReleaseCommit("a" * 40, CommitState.KNOWN, 5, authored_at=NOW - 1000, committed_at=NOW - 900)


def report(
    sha: Sha | None = None, at: bool = False, now: bool = False, name: str | None = None, status: Status | None = None
) -> ReleaseReport:
    return ReleaseReport(PATH, sha, MOMENT if at else None, now, "production", name, status)


def release(commit: ReleaseCommit = COMMIT, epoch: int | None = NOW, environment: str = "production") -> Release:
    return Release(UUID(int=1), environment, commit, None if epoch is None else Instant(epoch))


GOOD = [
    (report(WHOLE), True),
    (report(SHORT), True),
    (report(at=True), True),
    (report(now=True), True),
    (report(WHOLE, at=True), False),
    (report(WHOLE, now=True), False),
]
BAD = [
    (report(), True, "released_at"),
    (report(), False, "released_at"),
    (report(WHOLE), False, "released_at"),
    (report(at=True), False, "release_sha"),
    (report(now=True), False, "release_sha"),
    (report(SHORT, at=True), False, "release_sha"),
]


@pytest.mark.parametrize(("said", "has_remote"), GOOD)
def test_a_report_that_a_history_can_complete_is_taken(said: ReleaseReport, has_remote: bool) -> None:
    check_report(said, has_remote=has_remote)


@pytest.mark.parametrize(("said", "has_remote", "parameter"), BAD)
def test_a_report_that_nothing_can_complete_is_refused(said: ReleaseReport, has_remote: bool, parameter: str) -> None:
    with pytest.raises(Invalid) as refused:
        check_report(said, has_remote=has_remote)
    assert refused.value.parameter == parameter


@pytest.mark.parametrize(
    ("said", "epoch"),
    [
        (report(WHOLE, at=True, now=True), MOMENT.epoch),
        (report(WHOLE, now=True), NOW),
        (report(WHOLE), COMMIT.authored_at),
    ],
)
def test_the_time_is_given_or_now_or_the_commit_s_authorship(said: ReleaseReport, epoch: int) -> None:
    instant = release_instant(said, COMMIT, now=NOW, zone=UTC)
    assert instant is not None
    assert instant.epoch == epoch


def test_a_pending_commit_leaves_the_time_open() -> None:
    pending = ReleaseCommit("a" * 40, CommitState.PENDING)
    assert release_instant(report(WHOLE), pending, now=NOW, zone=UTC) is None
    assert release_instant(report(WHOLE, now=True), pending, now=NOW, zone=UTC) is not None


@pytest.mark.parametrize("authored", [None, NOW + 3 * 24 * 3600])
def test_an_authorship_that_can_not_serve_is_refused(authored: int | None) -> None:
    with pytest.raises(Invalid, match="released_at"):
        release_instant(report(WHOLE), replace(COMMIT, authored_at=authored), now=NOW, zone=UTC)


def test_the_same_event_is_stream_commit_and_second() -> None:
    stored = release()
    assert is_same_event(stored, release())
    assert not is_same_event(stored, release(epoch=NOW + 1))
    assert not is_same_event(stored, release(environment="staging"))
    assert not is_same_event(stored, release(replace(COMMIT, sha="b" * 40)))
    by_time = release(replace(COMMIT, from_time=True))
    later = release(replace(COMMIT, sha="b" * 40, from_time=True))
    assert is_same_event(by_time, later), "a call by time alone stays the same call though its commit is another by now"
    assert not is_same_event(by_time, release(replace(COMMIT, sha="b" * 40)))


def test_only_what_is_sent_changes() -> None:
    stored = replace(release(), name="v1", issue_keys=("A-1",))
    assert decide_release(None, stored, report(WHOLE)).action is Action.CREATED
    assert decide_release(stored, release(), report(WHOLE)).action is Action.UNCHANGED
    assert decide_release(stored, release(), report(WHOLE, name="v1")).action is Action.UNCHANGED
    change = decide_release(stored, release(), report(WHOLE, status=Status.FAILED))
    assert change.action is Action.UPDATED
    assert change.after == replace(stored, status=Status.FAILED)
    assert [(each.field, each.before, each.after) for each in change.changes] == [("status", "succeeded", "failed")]


def test_a_commit_that_turned_up_is_taken_over() -> None:
    stored = release(ReleaseCommit("a" * 40, CommitState.PENDING))
    change = decide_release(stored, release(), report(WHOLE))
    assert (change.action, change.after.commit) == (Action.UPDATED, COMMIT)


@pytest.mark.parametrize(
    ("relation", "kind"),
    [
        (Relation.SAME, Kind.REDEPLOY),
        (Relation.DESCENDANT, Kind.FORWARD),
        (Relation.ANCESTOR, Kind.ROLLBACK),
        (Relation.APART, Kind.DIVERGED),
    ],
)
def test_a_kind_is_how_the_commit_stands_to_what_was_live(relation: Relation, kind: Kind) -> None:
    other = replace(COMMIT, sha="b" * 40, number=9)
    assert derive_kind(other, COMMIT, lambda earlier, later: relation) is kind


def test_kinds_at_the_edges() -> None:
    def never(earlier: int, later: int) -> Relation:
        raise AssertionError("no history is needed to tell")

    unverified = ReleaseCommit("b" * 40, CommitState.UNVERIFIED)
    assert derive_kind(COMMIT, None, never) is Kind.BASELINE
    assert derive_kind(COMMIT, COMMIT, never) is Kind.REDEPLOY
    assert derive_kind(None, COMMIT, never) is None, "it never went live"
    assert derive_kind(unverified, COMMIT, never) is None, "no history can tell"
    assert derive_kind(unverified, unverified, never) is Kind.REDEPLOY


@given(st.text(max_size=300))
def test_a_resource_path_is_read_or_refused_and_reads_back(text: str) -> None:
    try:
        path = ResourcePath.parse(text)
    except Invalid:
        return
    assert ResourcePath.parse(str(path)) == path
    assert path.level == ("entity", "organization", "repo")[str(path).count("/")]


@given(st.text(alphabet="0123456789abcdefABCDEFxg -", max_size=45))
def test_a_sha_is_read_or_refused(text: str) -> None:
    digits = text.strip().lower()
    is_good = 7 <= len(digits) <= 40 and all(character in "0123456789abcdef" for character in digits)
    try:
        read = Sha.parse(text, parameter="release_sha")
    except Invalid:
        assert not is_good
    else:
        assert is_good
        assert read.digits == digits

"""Which release caused a defect, against a second, naive search, and what people say of it."""

from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipmend.core.causes import (
    HOUR,
    NO_REPO,
    Candidates,
    Case,
    Cause,
    CauseCandidate,
    CauseKind,
    Standing,
    Verdict,
    decide_cause,
    guess,
    repos_concerned,
)

REPOS = [UUID(int=n) for n in range(1, 4)]
NOON = 1_700_000_000


def release(number: int, at: int, repo: UUID = REPOS[0], *, commit: int = 0, sha: str = "") -> CauseCandidate:
    return CauseCandidate(at, commit, sha, UUID(int=100 + number), repo)


releases = st.lists(
    st.builds(release, st.integers(0, 999), st.integers(0, 40), st.sampled_from(REPOS), commit=st.integers(-1, 2)),
    max_size=12,
    unique_by=lambda made: made.id,
)
concerned = st.frozensets(st.sampled_from(REPOS))


def naive(at: int, repos: frozenset[UUID], made: list[CauseCandidate], window: int) -> UUID | None:
    """Look at each release in turn and keep the better one."""
    best: CauseCandidate | None = None
    for each in made:
        if each.repo_id in repos and at - window <= each.released_at <= at:
            order = (each.released_at, each.commit_number, each.sha, each.repo_id, each.id)
            if best is None or order > (best.released_at, best.commit_number, best.sha, best.repo_id, best.id):
                best = each
    return best.id if best else None


@given(at=st.integers(0, 45), repos=concerned, made=releases, window=st.integers(0, 50), data=st.data())
def test_the_guess_is_that_of_a_naive_search_in_whatever_order_releases_came(
    at: int, repos: frozenset[UUID], made: list[CauseCandidate], window: int, data: st.DataObject
) -> None:
    found = guess(at, repos, Candidates(data.draw(st.permutations(made))), window)
    assert found.release_id == naive(at, repos, made, window)
    assert found.kind is (CauseKind.GUESS if found.release_id else CauseKind.UNATTRIBUTED)


@given(at=st.integers(0, 45), repos=concerned, made=releases, window=st.integers(0, 50))
def test_what_others_release_and_what_came_later_changes_no_guess(
    at: int, repos: frozenset[UUID], made: list[CauseCandidate], window: int
) -> None:
    kept = [each for each in made if each.repo_id in repos and each.released_at <= at]
    assert guess(at, repos, Candidates(made), window) == guess(at, repos, Candidates(kept), window)


def test_a_release_of_the_very_second_and_one_as_old_as_the_window_are_suspected() -> None:
    candidates = Candidates([release(1, NOON)])
    assert guess(NOON, REPOS[:1], candidates, HOUR).release_id == UUID(int=101)
    assert guess(NOON + HOUR, REPOS[:1], candidates, HOUR).release_id == UUID(int=101)
    assert guess(NOON + HOUR + 1, REPOS[:1], candidates, HOUR).kind is CauseKind.UNATTRIBUTED
    assert guess(NOON - 1, REPOS[:1], candidates, HOUR).kind is CauseKind.UNATTRIBUTED


def test_of_two_repos_level_in_a_second_the_same_is_suspected_whichever_was_recorded_first() -> None:
    for first, second in (REPOS[:2], REPOS[1::-1]):
        made = [CauseCandidate(NOON, 7, "aa", UUID(int=n), repo) for n, repo in ((1, first), (2, second))]
        last = Candidates(made).last(REPOS[:2], NOON)
        assert last is not None
        assert last.repo_id == REPOS[1]


def test_of_one_second_the_later_commit_is_suspected() -> None:
    candidates = Candidates([release(1, NOON, commit=7), release(2, NOON, commit=5, sha="ff")])
    assert guess(NOON, REPOS[:1], candidates, HOUR).release_id == UUID(int=101)


def test_each_guess_tells_why() -> None:
    candidates = Candidates([release(1, NOON)])
    told = guess(NOON + 3 * HOUR + 1200, REPOS[:1], candidates, 168 * HOUR).reason
    assert told == ("It is the last release in the repo concerned at or before the detection: 3 h 20 min before it.")
    assert guess(NOON, (), candidates, HOUR) == Cause(CauseKind.UNATTRIBUTED, None, NO_REPO)
    none = guess(NOON, REPOS[1:], candidates, 168 * HOUR).reason
    assert none == "There is no release in the repos concerned in the 168 hours before the detection."


@pytest.mark.parametrize(
    ("standing", "kind"),
    [
        (Standing.NAMED, CauseKind.NAMED),
        (Standing.ACCEPTED, CauseKind.ACCEPTED),
        (Standing.NONE, CauseKind.UNATTRIBUTED),
        (Standing.UNSAID, CauseKind.GUESS),
    ],
)
def test_what_a_person_said_goes_before_the_guess(standing: Standing, kind: CauseKind) -> None:
    said = UUID(int=7) if standing in (Standing.NAMED, Standing.ACCEPTED) else None
    case = Case(NOON + 60, frozenset(REPOS[:1]), Verdict(standing, said))
    found = decide_cause(case, Candidates([release(1, NOON)]), HOUR)
    expected = said or (UUID(int=101) if kind is CauseKind.GUESS else None)
    assert (found.kind, found.release_id) == (kind, expected)


@pytest.mark.parametrize("standing", [Standing.NAMED, Standing.ACCEPTED])
def test_where_the_release_said_has_been_deleted_the_guess_counts_and_says_so(standing: Standing) -> None:
    verdict = Verdict(standing, UUID(int=7), is_there=False)
    candidates = Candidates([release(1, NOON)])
    found = decide_cause(Case(NOON + 60, frozenset(REPOS[:1]), verdict), candidates, HOUR)
    assert (found.kind, found.release_id) == (CauseKind.GUESS, UUID(int=101))
    assert found.reason.startswith(f"The release that was {standing} has been deleted. It is the last release")
    lost = decide_cause(Case(NOON + 60, frozenset(), verdict), candidates, HOUR)
    assert (lost.kind, lost.reason) == (
        CauseKind.UNATTRIBUTED,
        f"The release that was {standing} has been deleted. {NO_REPO}",
    )


def test_the_defects_own_repo_is_concerned_alone_else_those_of_its_fixes() -> None:
    assert repos_concerned(REPOS[0], REPOS[1:]) == {REPOS[0]}
    assert repos_concerned(None, REPOS[1:]) == set(REPOS[1:])
    assert repos_concerned(None, []) == frozenset()

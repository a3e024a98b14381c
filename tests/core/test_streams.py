"""Neighbours on streams, against a search of everything; and nothing is asked that was not looked at."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from shipmend.core.releases import CommitState, Instant, Release, ReleaseCommit, Status, is_live
from shipmend.core.streams import Neighbourhood, SeenRelease, Spot, order

REPOS = (UUID(int=1), UUID(int=2))
Key = tuple[UUID, UUID]
Stored = dict[Key, SeenRelease]


@st.composite
def releases(draw: st.DrawFn) -> tuple[UUID, Release, bool]:
    """One of a few repos and instants, so that much coincides; and whether it is deleted."""
    number = draw(st.none() | st.integers(0, 3))
    commit = ReleaseCommit(f"{draw(st.integers(0, 3)):040x}", draw(st.sampled_from(CommitState)), number)
    release = Release(
        id=UUID(int=draw(st.integers(10, 24))),
        environment=draw(st.sampled_from(["production", "staging"])),
        commit=commit,
        released=Instant(draw(st.integers(0, 6))),
        status=draw(st.sampled_from(Status)),
    )
    return draw(st.sampled_from(REPOS)), release, draw(st.booleans())


def live(stored: Stored, repo_id: UUID, environment: str, but: UUID | None = None) -> list[Release]:
    """The live releases of a stream in order."""
    found = [seen.release for (repo, _), seen in stored.items() if repo == repo_id and not seen.is_deleted]
    return sorted((r for r in found if r.environment == environment and is_live(r) and r.id != but), key=order)


def at(stored: Stored, spot: Spot) -> set[SeenRelease]:
    return {
        seen
        for (repo, _), seen in stored.items()
        if repo == spot.repo_id and seen.release.environment == spot.environment and _epoch(seen.release) == spot.epoch
    }


def around(stored: Stored, spot: Spot) -> list[SeenRelease]:
    """What the database answers: all at the spot, and the live ones of the nearest instants that have any."""
    line = live(stored, spot.repo_id, spot.environment)
    before = max((_epoch(r) for r in line if _epoch(r) < spot.epoch), default=None)
    after = min((_epoch(r) for r in line if _epoch(r) > spot.epoch), default=None)
    near = [SeenRelease(r, is_deleted=False) for r in line if _epoch(r) in (before, after)]
    return [*at(stored, spot), *near]


def _epoch(release: Release) -> int:
    assert release.released is not None
    return release.released.epoch


@given(st.lists(releases(), max_size=25), st.lists(st.tuples(releases(), st.booleans()), max_size=12))
def test_what_was_looked_at_stays_true_while_releases_are_written(
    there: list[tuple[UUID, Release, bool]], written: list[tuple[tuple[UUID, Release, bool], bool]]
) -> None:
    stored: Stored = {}
    """As it shall be in the end."""
    found: Stored = {}
    """As the database has it by now, in which what is new may be missing."""
    for repo_id, release, is_deleted in there:
        stored.setdefault((repo_id, release.id), SeenRelease(release, is_deleted))
    found.update(stored)
    known = Neighbourhood()
    for (repo_id, wanted, _), is_stored_now in written:
        old = stored.get((repo_id, wanted.id))
        # A release stays on its stream; what else is said of it may change, even when it was.
        release = replace(wanted, environment=old.release.environment) if old else wanted
        spots = {Spot(repo_id, each.environment, _epoch(each)) for each in (release, *([old.release] if old else []))}
        for spot in spots:
            if not known.knows(spot):
                known.add(spot, around(found, spot))
        for spot in spots:
            assert set(known.at(spot)) == at(stored, spot)
        line = live(stored, repo_id, release.environment, but=release.id)
        before = [each for each in line if order(each)[:3] < order(release)[:3]]
        after = [each for each in line if order(each)[:3] > order(release)[:3]]
        if len(before) + len(after) == len(line):  # the database lets no two be one event
            expected = before[-1] if before else None, after[0] if after else None
            assert known.beside(repo_id, release) == expected
        stored[repo_id, release.id] = SeenRelease(release, is_deleted=False)
        if is_stored_now or old:
            found.update(stored)
        known.set(repo_id, release)


def test_a_stream_that_was_not_looked_at_is_not_known() -> None:
    known = Neighbourhood()
    spot = Spot(REPOS[0], "production", 5)
    known.add(spot, [])
    assert known.knows(spot)
    assert not known.knows(spot._replace(epoch=6))
    assert not known.knows(spot._replace(environment="staging"))
    assert not known.knows(spot._replace(repo_id=REPOS[1]))
    known.forget(spot.repo_id, spot.environment)
    assert not known.knows(spot)

"""What a rollback undid, against the words of the definition applied to whole sets of ancestors."""

from __future__ import annotations

from functools import partial
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from shipmend.core.ancestry import is_ancestor, relate
from shipmend.core.releases import CommitState, ReleaseCommit, derive_kind
from shipmend.core.rollbacks import LiveRelease, undone
from tests.core.histories import Shape, ancestors_in, parents_of, shapes


def stream(shape: Shape, commits: list[int]) -> list[LiveRelease]:
    """Releases of these commits in turn, with their kinds."""
    made: list[LiveRelease] = []
    before: ReleaseCommit | None = None
    for at, number in enumerate(commits):
        commit = ReleaseCommit(f"{number:040x}", CommitState.KNOWN, number)
        kind = derive_kind(commit, before, partial(relate, parents_of(shape)))
        made.append(LiveRelease(UUID(int=at), number, kind))
        before = commit
    return made


@given(st.data())
def test_a_rollback_undoes_what_came_before_it_back_to_what_it_contains(data: st.DataObject) -> None:
    shape = data.draw(shapes())
    contained_in = ancestors_in(shape)
    releases = stream(shape, data.draw(st.lists(st.integers(1, len(shape)), max_size=12)))
    expected: dict[UUID, UUID] = {}
    for at, release in enumerate(releases):
        if release.kind == "rollback":
            contained = contained_in[release.commit]
            undoes = []
            for earlier in releases[:at][::-1]:
                if earlier.commit in contained:
                    break
                undoes.append(earlier.id)
            expected = {**dict.fromkeys(undoes, release.id), **expected}
    assert undone(releases, partial(is_ancestor, parents_of(shape))) == expected

"""Parents before children, whatever order git's log comes in."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from shipmend.core.tickets import TicketPattern
from shipmend.git.parse import CommitBatch
from shipmend.history.arranging import Log, Numbered

Dag = dict[bytes, tuple[bytes, ...]]


def sha(name: object) -> bytes:
    return hashlib.sha1(str(name).encode(), usedforsecurity=False).digest()


@st.composite
def logs(draw: st.DrawFn) -> tuple[Dag, list[bytes]]:
    """A history, and its commits in any order at all."""
    size = draw(st.integers(1, 20))
    dag: Dag = {}
    for n in range(size):
        parents = draw(st.lists(st.integers(0, n - 1), max_size=4, unique=True)) if n else []
        dag[sha(n)] = tuple(sha(parent) for parent in parents)
    return dag, draw(st.permutations(list(dag)))


def batch(dag: Dag, shas: Sequence[bytes]) -> CommitBatch:
    n = len(shas)
    return CommitBatch(
        shas=list(shas),
        parents=[dag[each] for each in shas],
        authored=[None] * n,
        author_offset=[None] * n,
        committed=[each[0] for each in shas],
        committer_offset=[0] * n,
        author_name=[f"Author {each[0] % 3}" for each in shas],
        author_email=["a@example.org"] * n,
        subject=[each.hex() for each in shas],
        message=[""] * n,
        bad_date=[True] * n,
    )


def log_of(dag: Dag, shas: Sequence[bytes], *, cut: int = 0) -> Log:
    log = Log(TicketPattern())
    for part in (shas[:cut], shas[cut:]):
        log.add(batch(dag, part))
    return log


@given(logs(), st.data())
def test_every_commit_gets_a_number_above_its_parents(made: tuple[Dag, list[bytes]], data: st.DataObject) -> None:
    dag, shas = made
    commits = Numbered(log_of(dag, shas, cut=data.draw(st.integers(0, len(shas)))), {}, above=7)
    number = {commits.shas[mark]: commits.number[mark] for mark in range(len(commits.shas))}
    assert sorted(number.values()) == list(range(8, 8 + len(shas)))
    assert all(number[child] > number[parent] for child, parents in dag.items() for parent in parents)


@given(logs(), st.data())
def test_what_is_stored_already_keeps_its_number(made: tuple[Dag, list[bytes]], data: st.DataObject) -> None:
    """Known commits, with all their ancestors, some in the log and some only as parents."""
    dag, shas = made
    order = list(dag)
    known = {each: n for n, each in enumerate(order[: data.draw(st.integers(0, len(order)))], 1)}
    shown = [each for each in shas if each not in known or data.draw(st.booleans())]
    log = log_of(dag, shown)
    commits = Numbered(log, {each: n for each, n in known.items() if each in log.marks}, above=len(known))
    number = {each: commits.number[mark] for each, mark in log.marks.items()}
    assert {each: n for each, n in number.items() if each in known}.items() <= known.items()
    assert {commits.shas[log.mark[place]] for place in commits.places} == set(order) - set(known)
    assert commits.last == len(order)


@given(logs())
def test_each_number_keeps_its_own_columns(made: tuple[Dag, list[bytes]]) -> None:
    dag, shas = made
    log = log_of(dag, shas)
    commits = Numbered(log, {}, above=0)
    for commit, place in enumerate(commits.places, 1):
        its_sha = commits.shas[log.mark[place]]
        first = dag[its_sha][0] if dag[its_sha] else None
        assert log.subject[place] == its_sha.hex()
        assert [commits.shas[mark] for mark in log.parents(place)] == list(dag[its_sha])
        numbers, times, _ = commits.chain(commit, above=0)
        assert (numbers[0], times[0]) == (commit, its_sha[0])
        assert numbers[1:2] == ([commits.number[log.marks[first]]] if first else [])


@given(logs())
def test_the_same_log_gives_the_same_numbers(made: tuple[Dag, list[bytes]]) -> None:
    dag, shas = made
    assert Numbered(log_of(dag, shas), {}, above=0).places == Numbered(log_of(dag, shas, cut=1), {}, above=0).places


def test_a_long_chain_in_the_wrong_order_needs_no_deep_stack() -> None:
    dag: Dag = {sha(n): (sha(n - 1),) if n else () for n in range(5000)}
    commits = Numbered(log_of(dag, list(dag)), {}, above=0)
    assert [commits.shas[commits.log.mark[place]] for place in commits.places] == list(dag)


def test_a_parent_that_is_nowhere_counts_as_none() -> None:
    dag = {sha("child"): (sha("lost"), sha("root")), sha("root"): ()}
    commits = Numbered(log_of(dag, list(dag)), {}, above=0)
    assert commits.chain(2, above=0) == ([2], [sha("child")[0]], 0)
    assert len(commits) == 2

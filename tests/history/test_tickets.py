"""Tickets in the tables, against what git's own messages say."""

from __future__ import annotations

import random
import re
from collections import defaultdict
from uuid import UUID

import pytest

from shipmend.catalog.models import Entity, Repo
from shipmend.core.tickets import SEPARATOR, TicketPattern
from shipmend.db.writes import write
from shipmend.history import indexing, rereading
from shipmend.history.index import index_repo
from shipmend.history.mirrors import mirror_of
from shipmend.history.models import History, TicketCommit
from shipmend.history.tickets import commits_of_ticket, pattern_of, tickets_of_each, tickets_within
from tests.gitworld import GitRepo
from tests.history.guards import FreeGuard
from tests.history.histories import grow, reachable
from tests.history.rows import commits_of, rows_of, sha_of
from tests.world import World

pytestmark = pytest.mark.database

MANY = 1_000
OWN = "T(ill|ILL)-[0-9]{1,5}"


class Killed(Exception):
    """Stands for the end of a worker."""


def look_for(world: World, pattern: str, *, numbers: bool = False) -> None:
    Entity.objects.filter(id=world.tenant.id).update(ticket_pattern=pattern, ticket_numbers=numbers)


def said_in(git: GitRepo, pattern: str) -> dict[str, set[str]]:
    """Ticket → the shas of the commits that speak of it, by git's own messages and Python's own `re`."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for entry in git.git("log", "--all", "--format=%H%n%B%x01").split("\x01\n"):
        sha, _, message = entry.partition("\n")
        for key in re.findall(rf"\b{pattern}\b", message):
            found[key].add(sha)
    return dict(found)


def stored_of(repo: Repo) -> dict[str, set[str]]:
    """The same by the tables, both ways about."""
    shas = {commit.id: sha_of(commit) for commit in commits_of(repo)}
    rows = TicketCommit.objects.filter(entity_id=repo.entity_id, repo_number=repo.number)
    found: defaultdict[str, set[str]] = defaultdict(set)
    for ticket, commit in rows.values_list("ticket", "commit_number"):
        found[ticket].add(shas[commit])
    both: defaultdict[str, set[str]] = defaultdict(set)
    for stored in commits_of(repo):
        for ticket in stored.tickets.split(SEPARATOR) if stored.tickets else ():
            both[ticket].add(sha_of(stored))
    assert found == both
    return dict(found)


@pytest.mark.parametrize("seed", range(3))
def test_every_ticket_leads_to_its_commits(
    world: World, git_repo: GitRepo, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexing, "COMMITS_AT_ONCE", 7)
    chance = random.Random(seed)
    repo = world.repo(git=git_repo)
    for _ in range(3):
        grow(git_repo, chance, steps=25)
        world.index(repo)
        assert stored_of(repo) == said_in(git_repo, "(?:SHOP|TILL)-[0-9]+")


def test_a_commit_speaks_of_several_tickets_each_once_and_of_what_its_body_says(
    world: World, git_repo: GitRepo
) -> None:
    git_repo.commit("Nothing in particular")
    sha = git_repo.commit("SHOP-2 and SHOP-1\n\nRefs: SHOP-10, SHOP-2; UTF-8")
    repo = world.repo(git=git_repo)
    number = next(commit.id for commit in commits_of(repo) if sha_of(commit) == sha)
    where = repo.entity_id, repo.number
    assert tickets_of_each(*where, [1, number]) == {number: ("SHOP-2", "SHOP-1", "SHOP-10")}
    assert tickets_within(*where, [(1, number)]) == ("SHOP-1", "SHOP-2", "SHOP-10")
    assert tickets_within(*where, []) == ()
    assert commits_of_ticket(repo.entity_id, "SHOP-2", most=MANY) == {repo.number: [number]}
    assert commits_of_ticket(repo.entity_id, "SHOP-3", most=MANY) == {}


def test_a_ticket_spans_the_repos_of_its_entity_and_no_other(world: World, stranger: World, git_repo: GitRepo) -> None:
    git_repo.commit("SHOP-1")
    one, two = world.repo("one", git_repo), world.repo("two", git_repo)
    theirs = stranger.repo("one", git_repo)
    assert commits_of_ticket(world.tenant.id, "SHOP-1", most=MANY) == {one.number: [1], two.number: [1]}
    assert commits_of_ticket(stranger.tenant.id, "SHOP-1", most=MANY) == {theirs.number: [1]}
    write(one.delete)
    assert commits_of_ticket(world.tenant.id, "SHOP-1", most=MANY) == {two.number: [1]}


def test_of_too_many_commits_the_latest_are_taken(world: World, git_repo: GitRepo) -> None:
    for _ in range(5):
        git_repo.commit("SHOP-1")
    repo = world.repo(git=git_repo)
    assert commits_of_ticket(world.tenant.id, "SHOP-1", most=2) == {repo.number: [5, 4]}


@pytest.mark.parametrize("step", [3, 8_000])
def test_another_pattern_is_applied_to_all_commits_as_if_it_had_always_been_there(
    world: World, stranger: World, git_repo: GitRepo, step: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rereading, "COMMITS_AT_ONCE", step)
    chance = random.Random(step)
    grow(git_repo, chance, steps=30)
    repo = world.repo(git=git_repo)
    look_for(world, OWN)
    world.index(repo)
    look_for(stranger, OWN)
    assert rows_of(repo) == rows_of(stranger.repo(git=git_repo))
    assert stored_of(repo) == said_in(git_repo, "TILL-[0-9]+")
    grow(git_repo, chance, steps=10)
    look_for(world, "", numbers=True)
    git_repo.commit("Mend it (#77)")
    world.index(repo)
    assert stored_of(repo) == said_in(git_repo, "(?:SHOP|TILL)-[0-9]+") | {"#77": {git_repo.sha("main")}}


def test_what_a_force_push_left_behind_is_read_again_as_well(world: World, git_repo: GitRepo) -> None:
    base = git_repo.commit("Base")
    left = git_repo.commit("SHOP-1 and TILL-2")
    repo = world.repo(git=git_repo)
    git_repo.point("main", base)
    git_repo.commit("Instead: TILL-3")
    world.index(repo)
    look_for(world, OWN)
    world.index(repo)
    assert stored_of(repo) == {"TILL-2": {left}, "TILL-3": {git_repo.sha("main")}}


def test_a_message_that_is_lost_speaks_of_nothing(world: World, git_repo: GitRepo) -> None:
    base = git_repo.commit("Base: TILL-1")
    git_repo.commit("TILL-2")
    repo = world.repo(git=git_repo)
    git_repo.point("main", base)
    world.index(repo)
    mirror_of(repo.id).delete()
    look_for(world, OWN)
    world.index(repo)
    assert stored_of(repo) == ({"TILL-1": {base}} if base in reachable(git_repo) else {})


def test_an_index_with_the_same_pattern_reads_no_message_again(
    world: World, git_repo: GitRepo, monkeypatch: pytest.MonkeyPatch
) -> None:
    git_repo.commit("SHOP-1")
    repo = world.repo(git=git_repo)
    monkeypatch.setattr("shipmend.history.index.read_tickets_again", None)
    git_repo.commit("SHOP-2")
    world.index(repo)
    assert len(stored_of(repo)) == 2


@pytest.mark.parametrize("last", range(1, 16))
def test_an_end_at_any_write_of_it_does_no_harm(
    world: World, git_repo: GitRepo, last: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rereading, "COMMITS_AT_ONCE", 9)
    monkeypatch.setattr(indexing, "COMMITS_AT_ONCE", 9)
    grow(git_repo, random.Random(last), steps=25)
    repo = world.repo(git=git_repo)
    grow(git_repo, random.Random(-last), steps=9)
    look_for(world, OWN)

    def end(number: int) -> None:
        if number == last:
            raise Killed

    try:
        index_repo(Repo.objects.get(id=repo.id), guard=FreeGuard(end))
    except Killed:
        assert History.objects.get(repo_id=repo.id).tickets_by != TicketPattern(OWN).fingerprint
    world.index(repo)
    assert stored_of(repo) == said_in(git_repo, "TILL-[0-9]+")


def test_a_stored_pattern_that_is_not_taken_any_more_harms_no_index(world: World, git_repo: GitRepo) -> None:
    git_repo.commit("SHOP-1")
    look_for(world, "[A-Z]+")
    assert pattern_of(world.tenant.id).fingerprint == TicketPattern().fingerprint
    assert set(stored_of(world.repo(git=git_repo))) == {"SHOP-1"}


def test_nobody_is_looked_for_where_there_is_no_entity() -> None:
    assert pattern_of(UUID(int=1)).fingerprint == TicketPattern().fingerprint

"""Who may call what: operations by states of a token by scopes by own, foreign, hidden and absent things.

The operations come from the URL configuration; the table says what each needs. One that is not in the table fails.
"""

from __future__ import annotations

import base64
import time
from collections.abc import Iterator
from uuid import uuid4

import pytest

from shipmend.accounts import tokens
from shipmend.accounts.models import ApiToken
from shipmend.accounts.tokens import IssuedToken
from shipmend.audit.trail import COMMAND_LINE
from shipmend.catalog.queries import find_place
from shipmend.core.tokens import ALPHABET, mint
from shipmend.core.values import Scope
from tests.gitworld import GitRepo
from tests.security.operations import CELLS, NEEDS_NO_TOKEN, READ, ROWS, Row, good_things, send
from tests.security.routes import all_routes
from tests.security.things import Household
from tests.snapshot import stored_rows
from tests.world import Api, Reply

pytestmark = pytest.mark.database

SCOPED = [(name, row) for name, row in CELLS if row.scope]
NAMING = [(name, row) for name, row in CELLS if row.things]


@pytest.fixture(scope="module")
def here(instance: object, tmp_path_factory: pytest.TempPathFactory) -> Household:
    return _household(tmp_path_factory)


@pytest.fixture(scope="module")
def there(instance: object, tmp_path_factory: pytest.TempPathFactory) -> Household:
    """Another entity, of whose existence nothing may be seen."""
    return _household(tmp_path_factory)


def _household(folders: pytest.TempPathFactory) -> Household:
    git = GitRepo(folders.mktemp("upstream") / "upstream.git")
    git.commit("Start", at="2024-01-01T10:00:00Z")
    git.commit(uuid4().hex, at="2024-01-02T10:00:00Z")
    return Household.make(git)


def test_every_operation_is_in_the_table() -> None:
    mounted = [route for route in all_routes() if route.path.lstrip("^").startswith("api/")]
    served = {
        f"{operation.method} {route.path.removeprefix('api/v1/')}"
        for route in mounted
        for operation in route.operations
    }
    assert served == set(ROWS), "say in ROWS what each operation needs"
    assert {route.path for route in mounted if not route.operations} == NEEDS_NO_TOKEN


def test_the_table_tries_every_argument_of_a_path() -> None:
    for name, rows in ROWS.items():
        assert ("<" in name) == all("{" in row.path for row in rows), name


@pytest.mark.parametrize(("name", "row"), CELLS)
def test_a_good_call_with_the_scope_alone_is_served(name: str, row: Row, here: Household) -> None:
    bound_to = [here.world.path, *([] if "part" in row.things else [here.world.repo_path("shop")])]
    for reach in bound_to:
        caller = here.world.api(at=reach, scopes=frozenset({row.scope or READ}))
        assert send(caller, name, row, good_things(here, row)).status == 200, reach


@pytest.mark.parametrize(("name", "row"), CELLS)
def test_a_token_that_can_not_be_used_gets_one_answer_whatever_is_asked_for(
    name: str, row: Row, here: Household, there: Household
) -> None:
    asked, useless = _asked(here, there, row), list(_useless(here))
    before = _stored(here, there)
    answers = {_told(send(Api(token), name, row, things)) for token in useless for things in asked}
    assert {answer[0] for answer in answers} == {401}
    assert len(answers) == 1
    assert _stored(here, there) == before


@pytest.mark.parametrize(("name", "row"), SCOPED)
def test_a_token_without_the_scope_is_refused_before_anything_is_looked_up(
    name: str, row: Row, here: Household, there: Household
) -> None:
    asked = _asked(here, there, row)
    callers = {scope: here.world.api(scopes=frozenset({scope})) for scope in set(Scope) - {row.scope}}
    before = _stored(here, there)
    for scope, caller in callers.items():
        answers = {_told(send(caller, name, row, things)) for things in asked}
        assert {answer[0] for answer in answers} == {403}, scope
        assert len(answers) == 1, scope
    assert _stored(here, there) == before


@pytest.mark.parametrize(("name", "row"), NAMING)
def test_what_is_another_s_is_answered_as_what_is_not_there(
    name: str, row: Row, here: Household, there: Household
) -> None:
    """By a token of the entity for another entity's things, by a token of one repo for another repo's."""
    wide, narrow = here.api, here.world.api(at=here.world.repo_path("shop"), scopes=frozenset(Scope))
    own = good_things(here, row)
    for thing in row.things:
        foreign, hidden, absent, absent_here = _names(here, there, thing)
        before = _stored(here, there)
        for caller, taboo, nothing in ((wide, foreign, absent), (narrow, hidden, absent_here)):
            seen = send(caller, name, row, {**own, thing: taboo})
            missing = send(caller, name, row, {**own, thing: nothing})
            assert seen.status == missing.status == row.lost.get(thing, 404), (thing, seen, missing)
            assert str(seen.json).replace(taboo, "X") == str(missing.json).replace(nothing, "X"), thing
            assert there.world.tenant.slug not in str(seen.json).replace(taboo, "X"), thing
        assert _stored(here, there) == before, thing


def test_a_rotated_token_works_for_a_day_and_not_a_second_longer(here: Household) -> None:
    old = _issue(here)
    tokens.rotate(tenant=here.world.tenant, token_id=old.row.id, actor=COMMAND_LINE)
    assert Api(old.text).get("api_tokens").status == 200
    ApiToken.objects.filter(id=old.row.id).update(expires_at=int(time.time()))
    assert Api(old.text).get("api_tokens").status == 401


def _issue(home: Household) -> IssuedToken:
    return tokens.issue(place=find_place(home.world.tenant, home.world.path), name="test", actor=COMMAND_LINE)


def _useless(home: Household) -> Iterator[str]:
    """A token in every state in which it must not work."""
    good = home.api.token
    yield ""
    yield "not a token"
    yield good[:-1]
    yield good + "0"
    yield good[:-1] + ALPHABET[ALPHABET.index(good[-1]) - 1]
    yield good.swapcase()
    yield mint()
    now = int(time.time())
    for change in ({"expires_at": now}, {"revoked_at": now - 1}, {"revoked_at": now, "expires_at": None}):
        issued = _issue(home)
        ApiToken.objects.filter(id=issued.row.id).update(**change)
        yield issued.text
    replaced = _issue(home)
    tokens.rotate(tenant=home.world.tenant, token_id=replaced.row.id, actor=COMMAND_LINE)
    ApiToken.objects.filter(id=replaced.row.id).update(expires_at=now)
    yield replaced.text
    yield base64.b64encode(good.encode()).decode()


def _names(here: Household, there: Household, thing: str) -> tuple[str, str, str, str]:
    """A thing of another entity, one of our own entity beyond a repo's token, and for each one that is not there."""
    if thing == "release":
        return there.release(), here.release("other"), str(uuid4()), str(uuid4())
    if thing == "defect":
        return there.defect(), here.defect("other"), "NO-SUCH-1", "NO-SUCH-2"
    return there.path(), here.path("other"), "no-such-entity/acme/shop", here.path("no-such-repo")


def _asked(here: Household, there: Household, row: Row) -> list[dict[str, str]]:
    """What a good call names, and that with each thing in turn being foreign, hidden or absent."""
    own = good_things(here, row)
    return [own, *({**own, thing: name} for thing in row.things for name in _names(here, there, thing))]


def _told(reply: Reply) -> tuple[int, str, str]:
    return reply.status, str(reply.json), str(reply.headers.get("WWW-Authenticate"))


def _stored(*homes: Household) -> list[dict[str, list[str]]]:
    return [stored_rows(home.world.tenant.id) for home in homes]

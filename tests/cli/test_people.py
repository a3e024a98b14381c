"""Users and tokens made on the command line do what they say, tried on a real server."""

from __future__ import annotations

import os
import pty
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from shipmend.core.tokens import is_well_formed
from tests.cli.conftest import Done, Instance, said, status

PASSWORD = "correct horse battery"


@pytest.mark.database
def test_a_token_stands_alone_on_standard_output_and_works(own: Instance) -> None:
    own.does("repo", "add", "acme/web/shop")
    done = own.run("token", "create", "acme/web", "--scope", "read", "--days", "none")
    assert is_well_formed(done.out.removesuffix("\n"))
    assert "never expires" in done.err
    with own.process("serve", "--port", "0", "--no-worker") as server:
        assert status(_address(said(server, "running")) + "/api/v1/api_tokens", token=done.out.strip()) == 200


def test_days_out_of_range_are_refused(own: Instance) -> None:
    own.does("repo", "add", "acme/web/shop")
    assert 'days "0"' in own.run("token", "create", "acme", "--days", "0").refusal


def test_a_user_is_made_with_a_password_from_standard_input(own: Instance) -> None:
    out = own.does("user", "create", "Ada@Example.org", "--owner-of", "acme", "--password-stdin", stdin=f"{PASSWORD}\n")
    assert out == "ada@example.org can sign in, owner of acme.\n"
    assert own.does("token", "create", "acme")


def test_a_user_is_asked_for_where_none_is_named(own: Instance) -> None:
    assert own.does("user", "create", stdin=f"ada@example.org\n{PASSWORD}\n") == "ada@example.org can sign in.\n"
    done = _typed(own, "bob@example.org", PASSWORD, PASSWORD, named=())
    assert done.code == 0, done
    assert "bob@example.org can sign in." in done.out
    assert "email is missing" in own.run("user", "create", stdin="").refusal


@pytest.mark.parametrize(("password", "says"), [("short", "too short"), ("", "password is missing")])
def test_a_weak_password_is_refused_and_nobody_made(own: Instance, password: str, says: str) -> None:
    assert says in own.run("user", "create", "ada@example.org", stdin=f"{password}\n").refusal
    assert "no user" in own.run("login-link", "ada@example.org").refusal


def test_a_user_that_is_there_is_not_made_again(own: Instance) -> None:
    own.does("user", "create", "ada@example.org", "--link")
    assert "taken" in own.run("user", "create", "ada@example.org", "--link").refusal


@pytest.mark.database
def test_a_user_can_be_given_a_role_and_another(own: Instance) -> None:
    own.does("user", "create", "ada@example.org", "--link", "--owner-of", "acme")
    own.does("user", "create", "bob@example.org", "--link")
    assert own.does("user", "role", "bob@example.org", "acme", "viewer") == "bob@example.org is now viewer of acme.\n"
    assert own.does("user", "role", "bob@example.org", "acme", "owner") == "bob@example.org is now owner of acme.\n"
    own.does("user", "role", "ada@example.org", "acme", "member")
    assert "last owner" in own.run("user", "role", "bob@example.org", "acme", "viewer").refusal


@pytest.mark.database
def test_a_login_link_opens_its_page_on_a_running_server(own: Instance) -> None:
    made = own.does("user", "create", "ada@example.org", "--link")
    again = own.does("login-link", "ada@example.org")
    assert made != again
    with own.process("serve", "--port", "0") as server:
        address = _address(said(server, "running"))
        for link in (made, again):
            assert status(address + "/login/" + link.strip().rpartition("/")[2]) == 200


def test_links_carry_the_public_address(own: Instance) -> None:
    public = Instance(own.data, {**own.more, "SHIPMEND_PUBLIC_URL": "https://ship.example.org"})
    assert public.does("user", "create", "ada@example.org", "--link").startswith("https://ship.example.org/login/")


def test_a_password_typed_at_a_terminal_is_not_shown(own: Instance) -> None:
    done = _typed(own, PASSWORD, PASSWORD)
    assert done.code == 0, done
    assert "ada@example.org can sign in." in done.out
    assert PASSWORD not in done.out


def test_a_password_typed_in_two_ways_is_refused(own: Instance) -> None:
    done = _typed(own, PASSWORD, "correct house battery")
    assert done.code == 1
    assert "typed in two ways" in done.out


def _typed(own: Instance, *answers: str, named: tuple[str, ...] = ("ada@example.org",)) -> Done:
    """`user create` at a terminal of its own."""
    with _terminal() as (master, slave):
        process = subprocess.Popen(
            own.command("user", "create", *named),
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=own.environ,
            start_new_session=True,
        )
        os.close(slave)
        shown = b""
        for answer in answers:
            shown = _read_until(master, shown, rb": \Z")
            os.write(master, answer.encode() + b"\n")
            shown += b"\n"
        shown = _read_until(master, shown, None)
        return Done(process.wait(), shown.decode(), "")


@contextmanager
def _terminal() -> Iterator[tuple[int, int]]:
    master, slave = pty.openpty()
    try:
        yield master, slave
    finally:
        os.close(master)


def _read_until(master: int, shown: bytes, pattern: bytes | None) -> bytes:
    while pattern is None or not re.search(pattern, shown):
        try:
            piece = os.read(master, 1024)
        except OSError:  # Linux says so when the other side has closed
            break
        if not piece:
            break
        shown += piece
    return shown


def _address(text: str) -> str:
    found = re.search(r"http://127\.0\.0\.1:\d+", text)
    assert found, text
    return found.group()


def test_the_data_folder_is_its_owners_alone(tmp_path: Path) -> None:
    Instance(tmp_path / "new").does("migrate")
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "new" / "secret_key").stat().st_mode & 0o777 == 0o600

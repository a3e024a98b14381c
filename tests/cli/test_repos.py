"""Registering and indexing repositories from the command line."""

from __future__ import annotations

import json
import os
import pty
import subprocess

import pytest

from tests.cli.conftest import Instance, said
from tests.gitworld import GitRepo


@pytest.mark.database
def test_a_repo_is_added_with_all_above_it_and_indexed_in_the_foreground(own: Instance, shop: GitRepo) -> None:
    assert "acme/web/shop is registered" in own.does("repo", "add", "acme/web/shop", shop.url)
    assert own.does("repo", "index", "acme/web/shop") == "acme/web/shop: 3 commits, 3 of them new\n"
    shop.commit("One more")
    assert own.does("repo", "index") == "acme/web/shop: 4 commits, 1 of them new\n"
    assert own.does("repo", "index", "acme") == "acme/web/shop: 4 commits, 0 of them new\n"


@pytest.mark.database
def test_adding_the_same_repo_again_keeps_it(own: Instance, shop: GitRepo) -> None:
    own.does("repo", "add", "acme/web/shop", shop.url)
    own.does("repo", "index")
    own.does("repo", "add", "acme/web/shop", shop.url)
    own.does("repo", "add", "acme/web/shop")
    assert own.does("repo", "index") == "acme/web/shop: 3 commits, 0 of them new\n"


def test_a_repo_added_by_name_has_nothing_to_index(own: Instance) -> None:
    assert "by name" in own.does("repo", "add", "acme/web/shop")
    assert own.does("repo", "index") == "acme/web/shop: has no git address, so there is nothing to index\n"


def test_an_instance_without_repos_says_how_to_add_one(own: Instance) -> None:
    assert "shipmend repo add" in own.does("repo", "index")


def test_one_repo_that_fails_does_not_keep_the_others_from_being_indexed(own: Instance, shop: GitRepo) -> None:
    gone = GitRepo(shop.path.with_name("gone.git"))
    own.does("repo", "add", "acme/web/gone", gone.url)
    own.does("repo", "add", "acme/web/shop", shop.url)
    gone.path.rename(gone.path.with_name("moved.git"))
    done = own.run("repo", "index")
    assert done.code == 1
    assert "acme/web/gone: " in done.err
    assert done.out == "acme/web/shop: 3 commits, 3 of them new\n"


def test_progress_is_plain_lines_where_nobody_looks_on(own: Instance, shop: GitRepo) -> None:
    own.does("repo", "add", "acme/web/shop", shop.url)
    err = own.run("repo", "index").err
    assert "acme/web/shop: Reading commits\n" in err
    assert "\r" not in err
    assert "\x1b" not in err


def test_progress_is_a_line_that_is_written_over_at_a_terminal(own: Instance, shop: GitRepo) -> None:
    own.does("repo", "add", "acme/web/shop", shop.url)
    master, slave = pty.openpty()
    command = own.command("repo", "index")
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=slave, env=own.environ) as process:
        os.close(slave)
        shown = b""
        try:
            while piece := os.read(master, 4096):
                shown += piece
        except OSError:  # Linux says so when the other side has closed
            pass
        assert process.stdout is not None
        assert process.stdout.read() == b"acme/web/shop: 3 commits, 3 of them new\n"
    os.close(master)
    assert process.returncode == 0
    assert b"\r\x1b[Kacme/web/shop  " in shown
    assert shown.endswith(b"\r\x1b[K")
    assert b"\n" not in shown


@pytest.mark.database
def test_a_worker_by_itself_indexes_what_was_added(own: Instance, shop: GitRepo) -> None:
    own.does("repo", "add", "acme/web/shop", shop.url)
    token = own.does("token", "create", "acme").strip()
    with own.process("worker") as worker, own.process("serve", "--port", "0", "--no-worker") as server:
        said(worker, "running")
        address = said(server, "running").split()[-1]
        ask = ["curl", "--silent", "--fail", "-H", f"Authorization: Bearer {token}"]
        ask += [f"{address}/api/v1/imports?resource_path=acme"]
        state = ""
        while state != "ready":
            state = json.loads(subprocess.run(ask, capture_output=True, check=True).stdout)["imports"][0]["state"]
            assert state in {"waiting", "running", "ready"}

"""`shipmend serve`, as the one process of an instance."""

from __future__ import annotations

import re
import socket
import subprocess

import pytest

from tests.cli.conftest import Instance, said, status


@pytest.mark.database
def test_an_empty_instance_prints_where_to_set_it_up(own: Instance) -> None:
    with own.process("serve", "--port", "0") as server:
        link = said(server, "/setup/").split()[-1]
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/setup/\S{20,}", link)
        assert status(link) == 200
        assert status(link[:-1] + "~") == 404


@pytest.mark.database
def test_an_instance_that_is_set_up_prints_its_address_alone(own: Instance) -> None:
    own.does("user", "create", "ada@example.org", "--link")
    server = subprocess.Popen(own.command("serve", "--port", "0"), stdout=subprocess.PIPE, text=True, env=own.environ)
    said(server, "running")
    server.terminate()
    assert server.communicate(timeout=30)[0] == ""


def test_the_public_address_is_the_one_printed(own: Instance) -> None:
    public = Instance(own.data, {**own.more, "SHIPMEND_PUBLIC_URL": "https://ship.example.org/"})
    with public.process("serve", "--port", "0") as server:
        assert said(server, "/setup/").count("https://ship.example.org/") == 1


def test_a_port_that_is_taken_is_refused_in_a_sentence(own: Instance) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert f"127.0.0.1:{port}" in own.run("serve", "--port", str(port)).refusal

"""A refusal is one sentence on standard error and exit code 1, whatever was wrong and wherever it came from."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Instance
from tests.gitworld import GitRepo


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("token create a//b", ('"a//b"', "entity[/organization[/repo]]")),
        ("token create nobody", ('"nobody"',)),
        ("repo add acme/web", ('"acme/web"', "entity/organization/repo")),
        ("repo add acme/web/shop http://example.org/x", ('"http://example.org/x"', "https://")),
        ("repo add acme/web/shop ext::sh", ("would start a program",)),
        ("repo add acme/web/shop https://127.0.0.1/x", ("127.0.0.1", "private")),
        ("repo add acme/web/shop ./not/there", ("not/there", "git URL")),
        ("repo index nobody/web", ('"nobody"',)),
        ("user create somebody --link", ('"somebody"', "name@example.org")),
        ("user role ada@example.org nobody owner", ('"nobody"',)),
        ("login-link ada@example.org", ('"ada@example.org"',)),
        ("serve --host 203.0.113.1", ("203.0.113.1:8000",)),
        ("serve --port 99999", ("99999",)),
    ],
)
def test_a_refusal_names_the_value_in_one_sentence(own: Instance, command: str, says: tuple[str, ...]) -> None:
    refusal = own.run(*command.split()).refusal
    assert all(part in refusal for part in says), refusal


def test_a_refused_command_stores_nothing(own: Instance) -> None:
    assert own.run("repo", "add", "acme/web/shop", "http://example.org/x").code == 1
    assert "acme" in own.run("token", "create", "acme").refusal


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SHIPMEND_DEBUG", "perhaps"),
        ("SHIPMEND_FETCH_WAIT", "soon"),
        ("DATABASE_URL", "mysql://localhost/x"),
    ],
)
def test_a_bad_setting_is_named(own: Instance, name: str, value: str) -> None:
    assert name in Instance(own.data, {name: value}).run("migrate").refusal


def test_a_database_that_does_not_answer_is_told(own: Instance) -> None:
    away = Instance(own.data, {"DATABASE_URL": "postgresql://x@127.0.0.1:1/x"})
    refusal = away.run("migrate").refusal
    assert "127.0.0.1" in refusal
    assert "shipmend doctor" in refusal


def test_a_data_folder_that_is_a_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file")
    assert str(tmp_path / "data") in Instance(tmp_path / "data").run("migrate").refusal


def test_a_database_that_is_none_is_told(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "shipmend.sqlite3").write_bytes(b"not a database " * 1000)
    assert "not a database" in Instance(data).run("migrate").refusal


def test_a_repository_that_went_away_is_told_by_its_path(own: Instance, shop: GitRepo) -> None:
    own.does("repo", "add", "acme/web/shop", shop.url)
    shop.path.rename(shop.path.with_name("elsewhere"))
    done = own.run("repo", "index", "acme")
    assert done.code == 1
    assert done.err.splitlines()[-1].startswith("acme/web/shop: ")
    assert "Traceback" not in done.err

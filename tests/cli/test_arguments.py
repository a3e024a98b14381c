"""The command line as it is written down: its forms, its help, and what the commands are given."""

from __future__ import annotations

import argparse
import inspect
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module

import pytest

from shipmend.cli.arguments import command_line
from tests.cli.conftest import ROOT

FORMS = (
    "serve",
    "serve --host 0.0.0.0 --port 80 --no-worker --data /srv/x",
    "worker",
    "worker --data x",
    "try https://git.example.org/acme/shop.git",
    "try --port 9000 --data x -- ../shop",
    "demo",
    "demo --seed 7 --no-serve --port 9000 --data x",
    "repo add acme/web/shop",
    "repo add acme/web/shop https://git.example.org/acme/shop.git --data x",
    "repo index",
    "repo index acme/web --data x",
    "import deploys.csv",
    "import lines.ndjson --path acme/web/shop --preview --data x",
    "import lines.ndjson --dry-run",
    "live SHOP-1",
    "live 541a8b2 --environment staging --path acme/web/shop --data x",
    "token create acme",
    "token create acme/web/shop --name ci --scope read --scope releases:write --days 30 --data x",
    "token create acme --scope read,defects:write --days none",
    "user create",
    "user create ada@example.org",
    "user create ada@example.org --name Ada --owner-of acme --owner-of other --password-stdin --data x",
    "user create ada@example.org --link",
    "user role ada@example.org acme viewer",
    "login-link ada@example.org --data x",
    "migrate --data x",
    "doctor --data x",
    "backup /backup/today --data x",
    "restore /backup/today",
    "restore /backup/today --force --data x",
)
MISUSES = (
    "",
    "sell",
    "repo",
    "repo add",
    "serve --port many",
    "serve --por 80",
    "token create acme --scope everything",
    "token create acme --scope read,",
    "token create acme --days soon",
    "user role ada@example.org acme king",
    "user create ada@example.org --link --password-stdin",
    "try",
    "import",
    "demo --seed some",
)


@pytest.mark.parametrize("form", FORMS)
def test_a_command_is_given_just_what_it_takes(form: str) -> None:
    arguments = vars(command_line().parse_args(form.split()))
    module, opens = arguments.pop("module"), arguments.pop("opens")
    if opens:
        arguments.pop("data")
    taken = inspect.signature(import_module(f"shipmend.cli.{module}").run).parameters
    assert set(arguments) == set(taken)


@pytest.mark.parametrize("misuse", MISUSES)
def test_a_misuse_ends_with_2_and_shows_the_usage(misuse: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        command_line().parse_args(misuse.split())
    assert ended.value.code == 2
    assert capsys.readouterr().err.startswith("usage: shipmend")


def test_every_command_has_help_and_takes_the_data_folder(capsys: pytest.CaptureFixture[str]) -> None:
    found = list(_commands(command_line(), ()))
    assert len(found) > 10
    for words in found:
        with pytest.raises(SystemExit) as ended:
            command_line().parse_args([*words, "--help"])
        assert ended.value.code == 0
        assert "--data DIR" in capsys.readouterr().out


def test_help_answers_without_loading_django() -> None:
    script = "import sys, shipmend.cli\ntry: shipmend.cli.main(['--help'])\nfinally: assert 'django' not in sys.modules"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT / "src", capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert "commands:" in done.stdout


def _commands(parser: argparse.ArgumentParser, words: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    groups = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    if not groups:
        yield words
    for group in groups:
        for name, below in group.choices.items():
            yield from _commands(below, (*words, name))

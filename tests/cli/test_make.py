"""The Makefile, as far as it can be tried without setting anything up."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

from tests.cli.conftest import ROOT, Done


def test_help_lists_every_target() -> None:
    done = _make("help")
    declared = re.findall(r"^([a-z-]+):.*##", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert declared
    for target in declared:
        assert re.search(rf"^  {target} +\S", done.out, re.MULTILINE), target


def test_try_without_a_repository_says_what_to_give() -> None:
    done = _make("try")
    assert done.code != 0
    assert done.err.startswith("Say which repository: make try REPO=")


def test_any_repository_name_reaches_the_command_as_it_is(tmp_path: Path) -> None:
    """Quotes, blanks, dollars and dashes; and a HOST that the shell happens to have is left alone."""
    repo = """-x 'a' "b" $c $(d) `e`"""
    shutil.copy(ROOT / "Makefile", tmp_path)
    (tmp_path / "scripts").mkdir()
    shutil.copy(ROOT / "scripts" / "shipmend", tmp_path / "scripts")
    for stamp in (".venv/bin/python", ".venv/run.stamp", "src/shipmend/web/static/vendor/htmx.min.js"):
        (tmp_path / stamp).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / stamp).touch()
    for lock in ("requirements/run.txt", "package-lock.json", "scripts/assets.mjs"):
        (tmp_path / lock).parent.mkdir(exist_ok=True)
        (tmp_path / lock).write_text("")
    for stamp in (".venv/run.stamp", "src/shipmend/web/static/vendor/htmx.min.js"):
        (tmp_path / stamp).touch()
    python = tmp_path / ".venv/bin/python"
    python.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    python.chmod(0o755)
    given = ["try", f"REPO={repo.replace('$', '$$')}", "DATA=the data"]
    done = _make(*given, folder=tmp_path, environ={"HOST": "my-laptop", "PORT": "1"})
    assert done.out.splitlines() == ["-m", "shipmend", "try", "--data", "the data", "--", repo]
    done = _make(*given, "PORT=9000", folder=tmp_path)
    assert done.out.splitlines() == ["-m", "shipmend", "try", "--data", "the data", "--port", "9000", "--", repo]


def test_no_name_of_a_registry_stands_in_what_builds() -> None:
    for name in ("Makefile", ".ci/run", ".npmrc", "package-lock.json", "requirements/run.txt", "requirements/dev.txt"):
        assert "https://" not in re.sub(r'"url": "https://[^"]*"', "", (ROOT / name).read_text()), name


def _make(*words: str, folder: Path = ROOT, environ: dict[str, str] | None = None) -> Done:
    env = {"PATH": "/usr/local/bin:/usr/bin:/bin", **(environ or {})}
    done = subprocess.run(["make", *words], cwd=folder, capture_output=True, text=True, env=env)
    return Done(done.returncode, done.stdout, done.stderr)

"""Real `shipmend` processes on an instance of the test's own."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import psycopg
import pytest

from tests.conftest import KIND
from tests.gitworld import GitRepo
from tests.serving import SECONDS_TO_STOP

ROOT = Path(__file__).parents[2]
SECONDS_TO_RUN = 60


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def refusal(self) -> str:
        """The sentence on standard error; asserts that there is one, alone, and nothing like a traceback."""
        lines = self.err.splitlines()
        assert self.code == 1, self
        assert len(lines) == 1, self.err
        assert lines[0].startswith("shipmend: "), self.err
        assert self.out == ""
        return lines[0].removeprefix("shipmend: ")


@dataclass(frozen=True)
class Instance:
    """A data folder, and the environment in which `shipmend` works on it."""

    data: Path
    more: dict[str, str] = field(default_factory=dict)

    @property
    def environ(self) -> dict[str, str]:
        """The environment of a process."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("SHIPMEND_", "DATABASE_"))}
        return {**kept, "PYTHONPATH": str(ROOT / "src"), "PYTHONUNBUFFERED": "1", "COLUMNS": "100", **self.more}

    def command(self, *words: str) -> list[str]:
        """The command line of `shipmend …` on this instance."""
        return [sys.executable, "-m", "shipmend", *words, "--data", str(self.data)]

    def run(self, *words: str, stdin: str = "") -> Done:
        """Run a command to its end."""
        ended = subprocess.run(
            self.command(*words),
            input=stdin,
            capture_output=True,
            text=True,
            env=self.environ,
            timeout=SECONDS_TO_RUN,
        )
        return Done(ended.returncode, ended.stdout, ended.stderr)

    def does(self, *words: str, stdin: str = "") -> str:
        """Run a command that must end well; its standard output."""
        done = self.run(*words, stdin=stdin)
        assert done.code == 0, done
        return done.out

    @contextmanager
    def process(self, *words: str) -> Iterator[subprocess.Popen[str]]:
        """Run a command that goes on until the block ends; it must then stop in order when told to."""
        process = subprocess.Popen(
            self.command(*words), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=self.environ
        )
        try:
            yield process
        except BaseException:
            process.kill()
            print(process.communicate()[1])
            raise
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=SECONDS_TO_STOP)
        assert process.returncode == 0, said
        assert "Traceback" not in said


def said(process: subprocess.Popen[str], text: str) -> str:
    """What the process prints, up to the line that holds `text`."""
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if text in line:
            return "".join(lines)
    _, error = process.communicate(timeout=SECONDS_TO_STOP)
    raise AssertionError(f"it never said {text!r} but {lines!r}, and {error}")


def status(url: str, *, token: str = "") -> int:
    """What HTTP status a GET is answered with."""
    asked = ["curl", "--silent", "--output", "/dev/null", "--write-out", "%{http_code}", url]
    header = ["-H", f"Authorization: Bearer {token}"] if token else []
    return int(subprocess.run([*asked, *header], capture_output=True, text=True, check=True).stdout)


@pytest.fixture(scope="session")
def empty_instance(tmp_path_factory: pytest.TempPathFactory) -> Instance:
    """An instance with all its tables and nothing in them, to be copied; on the database that this round is about."""
    data = tmp_path_factory.mktemp("empty") / "data"
    if KIND == "postgresql":
        from tests.postgres import database_url

        empty = Instance(data, {"DATABASE_URL": database_url(f"cli_{uuid4().hex}")})
    else:
        empty = Instance(data)
    empty.does("migrate")
    return empty


@pytest.fixture
def own(tmp_path: Path, empty_instance: Instance) -> Instance:
    """An empty instance of this test's own."""
    return copied(empty_instance, tmp_path / "the data")


def copied(instance: Instance, data: Path) -> Instance:
    """The same with a data folder and a database of its own."""
    shutil.copytree(instance.data, data)
    data.chmod(0o700)
    return Instance(data, {name: _copied_database(url) for name, url in instance.more.items()})


def _copied_database(url: str) -> str:
    parts = urlsplit(url)
    name = f"cli_{uuid4().hex}"
    with psycopg.connect(urlunsplit(parts._replace(path="/postgres")), autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{parts.path.strip("/")}"')
    return urlunsplit(parts._replace(path=f"/{name}"))


@pytest.fixture
def shop(tmp_path: Path) -> GitRepo:
    """A small repository with three tags, two of them on one commit."""
    git = GitRepo(tmp_path / "shop.git")
    first = git.commit("Start", files={"a": "1"})
    git.tag("v1.0", first)
    git.tag("first", first)
    git.commit("Go on", files={"a": "2"})
    git.tag("v1.1", annotated=True)
    git.commit("Not released yet", files={"a": "3"})
    return git

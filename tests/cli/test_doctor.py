"""The doctor finds what is wrong, and what it says to run mends it."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from shipmend.cli import doctor_machine
from tests.cli.conftest import Instance, copied
from tests.gitworld import GitRepo


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> GitRepo:
    """The one repository of the healthy instances."""
    git = GitRepo(tmp_path_factory.mktemp("git") / "shop.git")
    git.commit("Start")
    return git


@pytest.fixture(scope="module")
def healthy_instance(tmp_path_factory: pytest.TempPathFactory, empty_instance: Instance, shop: GitRepo) -> Instance:
    """An instance with a repo and somebody who owns it, to be copied."""
    made = copied(empty_instance, tmp_path_factory.mktemp("healthy") / "data")
    made.does("user", "create", "ada@example.org", "--link", "--owner-of", "acme")
    made.does("repo", "add", "acme/web/shop", shop.url)
    made.does("repo", "index")
    return made


@pytest.fixture
def healthy(tmp_path: Path, healthy_instance: Instance) -> Instance:
    """An instance with nothing wrong."""
    return copied(healthy_instance, tmp_path / "the data")


@pytest.mark.database
def test_a_healthy_instance_has_no_faults(healthy: Instance) -> None:
    out = healthy.does("doctor")
    assert "fault" not in out
    assert out.endswith("All is well.\n")
    assert "git 2." in out
    assert ("SQLite" in out) is not bool(healthy.more)


@pytest.mark.database
def test_a_repo_that_fails_is_named_with_its_reason_and_its_mend(healthy: Instance, shop: GitRepo) -> None:
    elsewhere = shop.path.with_name("elsewhere")
    shop.path.rename(elsewhere)
    assert healthy.run("repo", "index").code == 1
    found, mend = _only_fault(healthy)
    assert "acme/web/shop can't be indexed: There is no git repository at this address" in found
    elsewhere.rename(shop.path)
    _mended(healthy, mend)


@pytest.mark.database
def test_an_entity_without_an_owner_is_named(healthy: Instance) -> None:
    healthy.does("repo", "add", "other/web/shop")
    found, mend = _only_fault(healthy)
    assert found == "other has no owner, so nobody can change its settings"
    _mended(healthy, mend.replace("EMAIL", "ada@example.org"))


def test_a_folder_open_to_others_is_named(healthy: Instance) -> None:
    healthy.data.chmod(0o755)
    found, mend = _only_fault(healthy)
    assert f"{healthy.data} can be entered by other users" in found
    assert mend == f"chmod 700 {shlex.quote(str(healthy.data))}"
    healthy.data.chmod(0o700)
    assert healthy.run("doctor").code == 0


def test_a_key_that_others_can_read_is_named(healthy: Instance) -> None:
    (healthy.data / "secret_key").chmod(0o644)
    assert "secret_key can be read" in _only_fault(healthy)[0]


def test_an_empty_key_is_named_and_made_anew(healthy: Instance) -> None:
    """A disk that was full at the first start left one, and every sign-in then failed."""
    (healthy.data / "secret_key").write_text("")
    found, mend = _only_fault(healthy)
    assert "secret_key is empty" in found
    assert "restart" in mend
    healthy.does("migrate")
    assert len((healthy.data / "secret_key").read_text()) > 40
    assert healthy.run("doctor").code == 0


@pytest.fixture
def ours() -> Iterator[Path]:
    """A data folder of somebody who is not root, where that one can get at it."""
    home = Path(tempfile.mkdtemp(prefix="shipmend-doctor-"))
    data = home / "data"
    for folder in ("mirrors/1.git/objects", "ssh"):
        (data / folder).mkdir(parents=True)
    for file in ("secret_key", "lock", "shipmend.sqlite3", "mirrors/1.git/HEAD", "ssh/key"):
        (data / file).write_text("some")
        (data / file).chmod(0o600)
    data.chmod(0o700)
    if os.geteuid() == 0:
        for each in [home, data, *data.rglob("*")]:
            os.chown(each, NOBODY, NOBODY)
    yield data
    shutil.rmtree(home)


NOBODY = 65534


# Read as whoever runs the tests: where their Python lies, nobody else may be able to read it.
LOOK = f"""
import json, os
from shipmend.cli import doctor_machine
from shipmend.config import Config
if os.geteuid() == 0:
    os.setuid({NOBODY})
print(json.dumps([(each.what, each.mend) for each in doctor_machine.findings(Config.load(os.environ)) if each.mend]))
"""


def _faults_of(data: Path) -> list[tuple[str, str]]:
    """What the doctor tells somebody who is not root of the machine."""
    command = [sys.executable, "-c", LOOK]
    done = subprocess.run(command, env=Instance(data).environ | {"SHIPMEND_DATA": str(data)}, capture_output=True)
    assert done.returncode == 0, done.stderr
    return [(what, mend) for what, mend in json.loads(done.stdout)]


@pytest.mark.parametrize(
    "closed", [".", "secret_key", "lock", "shipmend.sqlite3", "mirrors", "mirrors/1.git/objects", "ssh/key"]
)
def test_what_this_user_may_not_use_is_named_with_who_should_have_it(ours: Path, closed: str) -> None:
    assert not _faults_of(ours)
    mode = (ours / closed).stat().st_mode
    (ours / closed).chmod(0)
    ((what, mend),) = _faults_of(ours)
    assert what == f"this user may not read and write {ours / closed}"
    assert mend.startswith("as root: chown -R ")
    assert mend.endswith(f" {shlex.quote(str(ours))}")
    (ours / closed).chmod(mode)
    assert not _faults_of(ours)


def test_an_empty_folder_has_its_tables_made_by_the_command_named(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    found, mend = _only_fault(Instance(data))
    assert "migrations are missing" in found
    assert mend == f"shipmend migrate --data {data}"


def test_a_folder_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    data = tmp_path / "data"
    assert f"there is no instance in {data}" in _only_fault(Instance(data))[0]
    assert not data.exists()


def test_an_instance_without_users_says_how_to_make_one(own: Instance) -> None:
    found, mend = _only_fault(own)
    assert found == "nobody can sign in yet"
    _mended(own, mend.replace("EMAIL", "ada@example.org --link").replace("ENTITY", "acme"))


def test_a_database_that_does_not_answer_is_named(healthy: Instance) -> None:
    away = Instance(healthy.data, {"DATABASE_URL": "postgresql://x@127.0.0.1:1/x"})
    found, mend = _only_fault(away)
    assert "127.0.0.1" in found
    assert "DATABASE_URL" in mend


def test_a_bad_setting_is_the_one_fault(own: Instance) -> None:
    assert "SHIPMEND_DEBUG" in _only_fault(Instance(own.data, {"SHIPMEND_DEBUG": "perhaps"}))[0]


def test_an_address_of_no_database_is_the_one_fault_and_stops_any_command(own: Instance) -> None:
    wrong = Instance(own.data, {"DATABASE_URL": "postgresql://ship:hid@den:word/x@127.0.0.1:6015/x"})
    said = "DATABASE_URL is not a PostgreSQL address"
    assert _only_fault(wrong)[0].startswith(said)
    assert wrong.run("migrate").refusal.startswith(said)
    assert "den" not in wrong.run("doctor").out


def test_debug_pages_are_a_fault(healthy: Instance) -> None:
    found, mend = _only_fault(Instance(healthy.data, {"SHIPMEND_DEBUG": "1"}))
    assert "SHIPMEND_DEBUG is on" in found
    assert mend == "unset SHIPMEND_DEBUG"


def test_a_missing_git_is_a_fault(healthy: Instance, tmp_path: Path) -> None:
    nothing = tmp_path / "nothing"
    nothing.mkdir()
    assert "git isn't installed" in _only_fault(Instance(healthy.data, {"PATH": str(nothing)}))[0]


def test_an_old_git_is_a_fault(healthy: Instance, tmp_path: Path) -> None:
    old = tmp_path / "bin" / "git"
    old.parent.mkdir()
    old.write_text("#!/bin/sh\necho git version 2.20.1\n")
    old.chmod(0o755)
    path = f"{old.parent}:{os.environ['PATH']}"
    assert "has git 2.20.1; at least 2.37" in _only_fault(Instance(healthy.data, {"PATH": path}))[0]


def test_an_old_sqlite_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not doctor_machine.sqlite_finding((3, 51, 3)).mend
    found = doctor_machine.sqlite_finding((3, 51, 2))
    assert "SQLite 3.51.2 can corrupt" in found.what
    assert "pysqlite3" in found.mend


def test_little_room_on_the_disk_is_a_fault() -> None:
    assert not doctor_machine.disk_finding(Path("data"), doctor_machine.LEAST_FREE).mend
    assert "only 0.5 GiB" in doctor_machine.disk_finding(Path("data"), doctor_machine.GIB // 2).what


def _only_fault(instance: Instance) -> tuple[str, str]:
    done = instance.run("doctor")
    assert (done.code, done.err) == (1, ""), done
    lines = done.out.splitlines()
    faults = [(line, lines[at + 1]) for at, line in enumerate(lines) if line.startswith("fault  ")]
    assert len(faults) == 1, done.out
    assert lines[-1] == "1 to mend."
    return faults[0][0].removeprefix("fault  "), faults[0][1].removeprefix("       mend: ")


def _mended(instance: Instance, mend: str) -> None:
    """Run the command that the doctor named, and find nothing wrong any more."""
    program, *words = shlex.split(mend)
    assert program == "shipmend"
    data = words.index("--data")
    assert words[data + 1] == str(instance.data)
    instance.does(*words[:data], *words[data + 2 :])
    assert instance.run("doctor").code == 0

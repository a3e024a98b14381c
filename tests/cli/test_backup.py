"""`shipmend backup` and `restore`: made while others write, and told from a damaged one."""

from __future__ import annotations

import json
import shlex
import sqlite3
import subprocess
import threading
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.conftest import Instance, said
from tests.cli.test_import import RELEASES, SHOP, json_lines
from tests.conftest import KIND

pytestmark = pytest.mark.database
sqlite_only = pytest.mark.skipif(KIND == "postgresql", reason="a backup of PostgreSQL is pg_dump's")


@pytest.fixture
def acme(own: Instance, tmp_path: Path) -> Instance:
    """An instance with ten releases and an ssh key."""
    own.does("repo", "add", SHOP)
    own.does("import", json_lines(tmp_path, RELEASES))
    (own.data / "ssh").mkdir()
    (own.data / "ssh" / "id_ed25519").write_text("a private key")
    return own


def shas(instance: Instance) -> set[str]:
    with sqlite3.connect(instance.data / "shipmend.sqlite3") as connection:
        return {sha for (sha,) in connection.execute("SELECT release_sha FROM delivery_release")}


@sqlite_only
def test_what_was_backed_up_is_there_again_in_an_empty_folder(acme: Instance, tmp_path: Path) -> None:
    backup = tmp_path / "backups" / "monday"
    assert "10 releases, 0 defects, 1 repo" in acme.does("backup", str(backup))
    assert {each.stat().st_mode & 0o777 for each in [backup, backup / "ssh"]} == {0o700}
    assert {each.stat().st_mode & 0o777 for each in backup.rglob("*") if each.is_file()} == {0o600}
    elsewhere = Instance(tmp_path / "elsewhere")
    assert "10 releases" in elsewhere.does("restore", str(backup))
    for name in ("secret_key", "ssh/id_ed25519"):
        assert (elsewhere.data / name).read_text() == (acme.data / name).read_text()
    assert elsewhere.does("import", json_lines(tmp_path, RELEASES)) == "releases: 10 unchanged\n"


@sqlite_only
def test_everything_acknowledged_before_a_backup_began_is_in_it_whatever_is_written_meanwhile(
    acme: Instance, tmp_path: Path
) -> None:
    """A writer goes on through all of it; what it had been told is stored before the backup began must be there."""
    stored: list[str] = []
    ended = threading.Event()

    def keep_writing() -> None:
        n = 100
        while not ended.is_set():
            rows = [
                {**RELEASES[0], "release_sha": f"{n + k:040x}", "released_at": 1_600_000_000 + n + k} for k in range(50)
            ]
            file = tmp_path / f"more-{n}.ndjson"
            file.write_text("".join(json.dumps(row) + "\n" for row in rows))
            acme.does("import", str(file))
            stored.extend(str(row["release_sha"]) for row in rows)
            n += 50

    writer = threading.Thread(target=keep_writing)
    writer.start()
    try:
        for n in range(3):
            before = set(stored)
            acme.does("backup", str(tmp_path / f"backup-{n}"))
            elsewhere = Instance(tmp_path / f"elsewhere-{n}")
            elsewhere.does("restore", str(tmp_path / f"backup-{n}"))
            assert before <= shas(elsewhere)
    finally:
        ended.set()
        writer.join()
    assert len(stored) >= 50


@sqlite_only
def test_a_backup_with_one_wrong_byte_is_refused_and_nothing_is_touched(acme: Instance, tmp_path: Path) -> None:
    backup, elsewhere = tmp_path / "backup", Instance(tmp_path / "elsewhere")
    acme.does("backup", str(backup))
    for name in ("shipmend.sqlite3", "secret_key", "ssh/id_ed25519", "backup.json"):
        whole = (backup / name).read_bytes()
        wrong = bytearray(whole)
        wrong[len(whole) // 2] ^= 1
        (backup / name).write_bytes(wrong)
        assert "backup" in elsewhere.run("restore", str(backup)).refusal, name
        (backup / name).write_bytes(whole)
    assert not elsewhere.data.exists()
    elsewhere.does("restore", str(backup))


@sqlite_only
def test_a_backup_that_lacks_a_file_or_has_one_more_is_refused(acme: Instance, tmp_path: Path) -> None:
    backup = tmp_path / "backup"
    acme.does("backup", str(backup))
    elsewhere = Instance(tmp_path / "elsewhere")
    (backup / "more").write_text("")
    assert "more is not what was backed up" in elsewhere.run("restore", str(backup)).refusal
    (backup / "more").unlink()
    (backup / "ssh" / "id_ed25519").unlink()
    assert "ssh/id_ed25519 is not" in elsewhere.run("restore", str(backup)).refusal
    assert "no backup" in elsewhere.run("restore", str(tmp_path)).refusal


@sqlite_only
def test_a_corrupt_database_is_not_backed_up_as_if_it_were_whole(acme: Instance, tmp_path: Path) -> None:
    with sqlite3.connect(acme.data / "shipmend.sqlite3") as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    file = acme.data / "shipmend.sqlite3"
    content = bytearray(file.read_bytes())
    for page in range(20, 40):
        content[page * 4096 : page * 4096 + 200] = b"\xff" * 200
    file.write_bytes(content)
    assert acme.run("backup", str(tmp_path / "backup")).refusal
    assert not (tmp_path / "backup").exists()


@sqlite_only
def test_a_folder_that_holds_an_instance_is_left_alone_unless_forced_and_then_set_aside(
    acme: Instance, tmp_path: Path
) -> None:
    acme.does("backup", str(tmp_path / "backup"))
    more = json_lines(tmp_path, [{**RELEASES[0], "release_sha": "f" * 40}])
    acme.does("import", more)
    assert "--force" in acme.run("restore", str(tmp_path / "backup")).refusal
    assert "f" * 40 in shas(acme)
    out = acme.does("restore", str(tmp_path / "backup"), "--force")
    assert "f" * 40 not in shas(acme)
    (aside,) = acme.data.glob("before-restore-*")
    assert str(aside) in out
    assert "f" * 40 in shas(Instance(aside))


@sqlite_only
def test_an_instance_in_use_is_not_replaced(acme: Instance, tmp_path: Path) -> None:
    acme.does("backup", str(tmp_path / "backup"))
    with acme.process("worker") as worker:
        said(worker, "running")
        assert "stop Shipmend first" in acme.run("restore", str(tmp_path / "backup"), "--force").refusal
    acme.does("restore", str(tmp_path / "backup"), "--force")


@sqlite_only
def test_a_log_that_a_crash_left_is_not_played_into_what_is_restored(acme: Instance, tmp_path: Path) -> None:
    backup, database = tmp_path / "backup", acme.data / "shipmend.sqlite3"
    acme.does("backup", str(backup))
    with closing(sqlite3.connect(database)) as crashed:
        # A reader that stays, so that what is written afterwards is only in the log; then both are as after a crash.
        crashed.execute("BEGIN")
        crashed.execute("SELECT count(*) FROM audit_auditevent").fetchone()
        acme.does("import", json_lines(tmp_path, [{**RELEASES[0], "release_sha": "f" * 40}]))
        log = (acme.data / "shipmend.sqlite3-wal").read_bytes()
    database.unlink()
    (acme.data / "shipmend.sqlite3-wal").write_bytes(log)
    assert "--force" in acme.run("restore", str(backup)).refusal
    acme.does("restore", str(backup), "--force")
    assert database.read_bytes() == (backup / "shipmend.sqlite3").read_bytes()
    assert len(shas(acme)) == len(RELEASES)
    (aside,) = acme.data.glob("before-restore-*")
    assert (aside / "shipmend.sqlite3-wal").read_bytes() == log


@sqlite_only
def test_an_instance_whose_database_was_deleted_under_it_is_still_in_use(acme: Instance, tmp_path: Path) -> None:
    acme.does("backup", str(tmp_path / "backup"))
    with acme.process("worker") as worker:
        said(worker, "running")
        (acme.data / "shipmend.sqlite3").unlink()
        assert "stop Shipmend first" in acme.run("restore", str(tmp_path / "backup"), "--force").refusal
    acme.does("restore", str(tmp_path / "backup"), "--force")


@sqlite_only
def test_without_room_nothing_is_restored_and_what_was_there_stays(acme: Instance, tmp_path: Path) -> None:
    backup = tmp_path / "backup"
    acme.does("backup", str(backup))
    acme.does("import", json_lines(tmp_path, [{**RELEASES[0], "release_sha": "f" * 40}]))
    key = (acme.data / "secret_key").read_text()
    command = shlex.join(acme.command("restore", str(backup), "--force"))
    done = subprocess.run(
        ["bash", "-c", f"ulimit -f 200; {command}"], capture_output=True, text=True, env=acme.environ, check=False
    )
    assert done.returncode == 1
    assert done.stderr.startswith("shipmend: The backup could not be restored (")
    assert (acme.data / "secret_key").read_text() == key
    assert not list(acme.data.glob("*restor*"))
    assert "f" * 40 in shas(acme)


@sqlite_only
@pytest.mark.parametrize("words", [("backup", "x" * 300), ("restore", "x" * 300)])
def test_what_the_machine_refuses_is_a_sentence(acme: Instance, tmp_path: Path, words: tuple[str, str]) -> None:
    assert acme.run(words[0], str(tmp_path / words[1]), *(["--force"] if words[0] == "restore" else [])).refusal


@sqlite_only
def test_a_backup_goes_into_a_new_folder_and_comes_from_an_instance(acme: Instance, tmp_path: Path) -> None:
    assert "is there already" in acme.run("backup", str(tmp_path)).refusal
    assert "holds no instance" in Instance(tmp_path / "nothing").run("backup", str(tmp_path / "b")).refusal


def test_with_postgresql_the_commands_say_what_to_run(own: Instance, tmp_path: Path) -> None:
    elsewhere = Instance(own.data, {"DATABASE_URL": "postgresql://host/name"})
    assert "pg_dump --format=custom" in elsewhere.run("backup", str(tmp_path / "b")).refusal
    assert "pg_restore" in elsewhere.run("restore", str(tmp_path / "b")).refusal

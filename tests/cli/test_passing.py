"""Folders that last as long as a command, also when it is killed."""

from __future__ import annotations

import signal
import subprocess
import time
from pathlib import Path

import pytest

from shipmend.cli.passing import passing_folder
from shipmend.config import Config
from tests.cli.conftest import Instance
from tests.cli.test_import import RELEASES, SHOP, json_lines
from tests.conftest import KIND

PATIENCE = 30


@pytest.mark.database
@pytest.mark.skipif(KIND == "postgresql", reason="a preview there is a transaction that is undone")
def test_what_a_killed_preview_left_is_gone_after_the_next(own: Instance, tmp_path: Path) -> None:
    own.does("repo", "add", SHOP)
    file = json_lines(tmp_path, [{**RELEASES[0], "released_at": 1_600_000_000 + n} for n in range(5000)])
    with subprocess.Popen(own.command("import", file, "--preview"), env=own.environ) as process:
        until = time.monotonic() + PATIENCE
        while not list(own.data.glob("preview-*/shipmend.sqlite3")):
            assert time.monotonic() < until, "it copied nothing"
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
    (left,) = own.data.glob("preview-*")
    own.does("import", json_lines(tmp_path, RELEASES), "--preview")
    assert not left.exists()
    assert not list(own.data.glob("preview-*"))


def test_the_folder_of_a_command_at_work_stays(tmp_path: Path) -> None:
    config = Config.load({"SHIPMEND_DATA": str(tmp_path)})
    with passing_folder(config, "some") as first, passing_folder(config, "some") as second:
        assert first != second
        assert first.stat().st_mode & 0o777 == 0o700
        assert {first, second} == set(tmp_path.glob("some-*"))
    assert not list(tmp_path.glob("some-*"))

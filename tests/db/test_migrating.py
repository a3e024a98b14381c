"""Many processes that begin at the same time on an empty database: one makes the tables, and none fails."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import pytest

from tests.conftest import KIND
from tests.serving import SOURCE

pytestmark = pytest.mark.database

PROCESSES = 3


def test_machines_that_start_together_make_the_tables_once(tmp_path: Path) -> None:
    environ = {**os.environ, "PYTHONPATH": str(SOURCE)}
    folders = [tmp_path / "shared"] * PROCESSES
    if KIND == "postgresql":
        from tests.postgres import database_url

        environ["DATABASE_URL"] = database_url(f"together_{uuid4().hex}")
        folders = [tmp_path / f"machine {n}" for n in range(PROCESSES)]
    commands = [[sys.executable, "-m", "shipmend", "migrate", "--data", str(folder)] for folder in folders]
    running = [
        subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for command in commands
    ]
    ended = [(each.communicate(timeout=120), each.returncode) for each in running]
    assert [code for _, code in ended] == [0] * PROCESSES, ended

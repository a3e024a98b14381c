"""Commands that begin together on a fresh instance don't get in each other's way."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.cli.conftest import Instance


def test_commands_that_begin_together_on_a_fresh_folder_all_succeed(tmp_path: Path) -> None:
    fresh = Instance(tmp_path / "data")
    started = [
        subprocess.Popen(fresh.command("migrate"), stderr=subprocess.PIPE, text=True, env=fresh.environ)
        for _ in range(4)
    ]
    ended = [(process.communicate(timeout=60)[1], process.returncode) for process in started]
    assert ended == [("", 0)] * 4

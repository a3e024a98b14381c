"""The bench of the pages, on an instance small enough to try whether it works."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from bench.scale import Size, make

from tests.cli.conftest import ROOT, Instance
from tests.demo.sample import NOW


@pytest.mark.sqlite
def test_a_small_instance_is_made_and_all_its_pages_are_measured(tmp_path: Path) -> None:
    data = tmp_path / "data"
    make(data, Size(commits=400, releases=100, defects=50), now=NOW)
    environ = Instance(data).environ
    command = [sys.executable, "-m", "bench.pages", "--data", str(data), "--answers", "2", "--more", "30"]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**environ, "PYTHONPATH": "src:."},
        capture_output=True,
        text=True,
        check=True,
    )
    rows = dict(re.findall(r"^\| (\S+) \| (\d+) \|", done.stdout, re.MULTILINE))
    assert {"entities/<name:entity>", "api/v1/releases"} <= rows.keys()
    # Badges are public only where an owner says so, and nobody has.
    assert {route for route, status in rows.items() if status != "200"} <= {
        route for route in rows if route.startswith("badge/")
    }
    assert "30 answers more" in done.stdout

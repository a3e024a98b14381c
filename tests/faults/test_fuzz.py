"""Fuzzing guided by coverage, each target in a process of its own: no unexpected exception, no input that stalls."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults.figures import DATABASE, note
from tests.faults.instance import ROOT
from tests.faults.scale import rounds
from tests.serving import SOURCE

RUNS = rounds(1_000_000, least=2000)
SLOW_SECONDS = 1
"""libFuzzer's own unit of patience; the fuzzed code is instrumented, and so some ten times slower."""
TARGETS = ("dates", "paths", "remotes", "bodies", "log")


@pytest.mark.skipif(importlib.util.find_spec("atheris") is None, reason="atheris has no wheel for this Python")
@pytest.mark.skipif(DATABASE != "sqlite", reason="touches no database, and has run on the first round")
@pytest.mark.parametrize("target", TARGETS)
def test_no_bytes_bring_a_reader_to_its_knees(target: str, tmp_path: Path) -> None:
    seeds = tmp_path / "seeds"
    seeds.mkdir()
    _write_seeds(target, seeds)
    options = [f"-runs={RUNS}", "-max_len=400", f"-timeout={SLOW_SECONDS}", f"-artifact_prefix={tmp_path}/", "-seed=5"]
    done = _run([target, str(seeds), *options])
    assert done.returncode == 0, done.stderr[-3000:]
    tried = re.search(r"Done (\d+) runs", done.stderr)
    assert tried, done.stderr[-500:]
    note(f"atheris: {target}", f"{int(tried[1]):,} inputs", f"0 unexpected exceptions, none over {SLOW_SECONDS} s")


def _write_seeds(target: str, folder: Path) -> None:
    code = (
        "import sys, pathlib; from tests.faults.fuzz import SEEDS\n"
        "for n, seed in enumerate(SEEDS[sys.argv[1]]): pathlib.Path(sys.argv[2], str(n)).write_bytes(seed)"
    )
    subprocess.run([sys.executable, "-c", code, target, str(folder)], env=_environ(), check=True)


def _run(words: list[str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.faults.fuzz", *words]
    return subprocess.run(command, env=_environ(), capture_output=True, text=True, errors="replace")


def _environ() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": f"{SOURCE}:{ROOT}"}

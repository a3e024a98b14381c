"""`bench/verify_attribution.py`, run as a user runs it."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import pytest

from tests.gitworld import GitRepo
from tests.history.histories import grow

SCRIPT = Path(__file__).parents[2] / "bench" / "verify_attribution.py"


def verify(repo: Path, tmp_path: Path) -> subprocess.CompletedProcess[str]:
    """From another folder, and without anything of ours in the environment."""
    command = [sys.executable, "-I", str(SCRIPT), str(repo), "--sample", "20"]
    return subprocess.run(command, cwd=tmp_path, env={}, check=False, capture_output=True, text=True)


@pytest.mark.parametrize("skew", [0, 50_000])
def test_nothing_differs_on_a_repository_of_any_shape(git_repo: GitRepo, tmp_path: Path, skew: int) -> None:
    grow(git_repo, random.Random(skew), steps=150, skew=skew)
    done = verify(git_repo.path, tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "rev-list R --not all earlier" in done.stdout


def test_what_is_no_repository_is_told_in_words(tmp_path: Path) -> None:
    done = verify(tmp_path, tmp_path)
    assert done.returncode == 1
    assert "is no git directory" in done.stderr


def test_a_repository_that_lacks_commits_is_told_in_words(git_repo: GitRepo, tmp_path: Path) -> None:
    lost = git_repo.commit("One")
    git_repo.commit("Two")
    git_repo.loose(lost).unlink()
    done = verify(git_repo.path, tmp_path)
    assert done.returncode == 1
    assert "data is damaged" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_repository_without_tags_or_commits_is_no_fault(git_repo: GitRepo, tmp_path: Path) -> None:
    assert verify(git_repo.path, tmp_path).returncode == 0
    git_repo.commit()
    git_repo.git("worktree", "add", "--quiet", str(tmp_path / "tree"), "main")
    assert verify(tmp_path / "tree", tmp_path).returncode == 0
    assert verify(git_repo.path, tmp_path).returncode == 0

"""Repositories made from nothing, for showing and measuring: the only place that writes history."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

from shipmend.git.run import GitLimits, run_git

LIMITS = GitLimits(wall=3600, cpu=3600)
MARKS = "marks"


def write_repository(git_dir: Path, commands: Iterable[str]) -> dict[int, str]:
    """A bare repository in place of whatever is at `git_dir`, from git's fast-import language: mark → sha.

    The same commands give the same shas. Raises a GitError.
    """
    shutil.rmtree(git_dir, ignore_errors=True)
    git_dir.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    run_git(["init", "--quiet", "--bare", "--template=", "--initial-branch=main", str(git_dir)])
    marks = git_dir / MARKS
    words = ["fast-import", "--quiet", "--done", "--date-format=raw", f"--export-marks={marks}"]
    run_git(words, git_dir=git_dir, stdin="".join((*commands, "done\n")).encode(), limits=LIMITS)
    lines = (line.split() for line in marks.read_text().splitlines())
    return {int(mark.removeprefix(":")): sha for mark, sha in lines}

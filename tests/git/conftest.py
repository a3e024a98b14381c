"""A world to mirror, and an empty mirror for it."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.gitworld import GitRepo

from shipmend.git.mirror import Mirror


@pytest.fixture
def world(tmp_path: Path) -> GitRepo:
    return GitRepo(tmp_path / "upstream.git")


@pytest.fixture
def mirror(tmp_path: Path) -> Mirror:
    mirror = Mirror(tmp_path / "data" / "mirror.git")
    mirror.create()
    return mirror

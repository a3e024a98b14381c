"""A kind of job that only one test knows, so that no other test's worker takes its jobs."""

from __future__ import annotations

from uuid import uuid4

import pytest


@pytest.fixture
def kind() -> str:
    return f"test-{uuid4().hex[:12]}"

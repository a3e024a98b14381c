"""Other processes on the test run's own database: to be killed, stopped and woken."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parent.parent
_BEGIN = """
import os, signal, sys
sys.path[:0] = [{root!r}, {src!r}]
from shipmend.bootstrap import open_instance
open_instance(migrate=False)
"""


@contextmanager
def process(code: str, *arguments: object) -> Iterator[subprocess.Popen[str]]:
    """Python that runs `code` with Django set up as here (the environment says where), ended with the block."""
    begin = _BEGIN.format(root=str(ROOT), src=str(ROOT / "src"))
    command = [sys.executable, "-c", begin + code, *map(str, arguments)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True) as running:
        try:
            yield running
        finally:
            running.kill()

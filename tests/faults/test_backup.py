"""A backup taken under load, and restored elsewhere: all that was acknowledged before it began is in it."""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from tests.faults.figures import note
from tests.faults.history import Event, History, Outcome, judge
from tests.faults.instance import Instance, eventually, instance
from tests.faults.load import load
from tests.faults.scale import rounds

pytestmark = [pytest.mark.database, pytest.mark.sqlite]

BACKUPS = rounds(20, least=1)
DAMAGES = rounds(200, least=1)


def test_a_backup_under_load_holds_all_that_was_acknowledged_before_it(tmp_path: Path) -> None:
    history, chance = History(), random.Random(13)
    verdicts = []
    with instance(tmp_path) as here:
        here.start("serve")
        here.wait_until_ready()
        with load(here, history, clients=8, seed=13):
            for n in range(BACKUPS):
                before = history.acknowledged
                eventually(lambda: history.acknowledged > before + 30)  # noqa: B023 -- called at once
                began = time.monotonic()
                _shipmend(here, "backup", str(tmp_path / f"backup{n}"))
                ended = time.monotonic()
                events = list(history.events)
                restored = _restore(here, tmp_path / f"backup{n}", tmp_path / f"restored{n}")
                verdicts.append(judge(_as_of(events, began, ended), restored.stored()))
                restored.check_integrity()
    note("backup under load, restored", f"{BACKUPS} backups", "; ".join({str(verdict) for verdict in verdicts}))
    assert all(verdict.is_clean for verdict in verdicts), verdicts
    _damage(here, tmp_path / "backup0", chance)


def _as_of(events: list[Event], began: float, ended: float) -> list[Event]:
    """What must be in the backup; what was going on meanwhile may be."""
    seen = [event for event in events if event.began < ended and not event.is_read]
    unknown = Outcome.UNKNOWN
    return [replace(event, outcome=unknown, created=False) if event.ended > began else event for event in seen]


def _restore(here: Instance, backup: Path, place: Path) -> Instance:
    _shipmend(here, "restore", str(backup), data=place)
    return replace(here, folder=place, environ={**here.environ, "SHIPMEND_DATA": str(place)}, processes={})


def _damage(here: Instance, backup: Path, chance: random.Random) -> None:
    """One byte of the copied database changed: it is told, and nothing is restored."""
    for n in range(DAMAGES):
        broken, place = backup.with_name(f"broken{n}"), backup.with_name(f"nowhere{n}")
        shutil.copytree(backup, broken)
        file = max(broken.rglob("*"), key=lambda path: path.stat().st_size if path.is_file() else 0)
        content = bytearray(file.read_bytes())
        content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
        file.write_bytes(content)
        done = _run(here, "restore", str(broken), data=place)
        assert done.returncode != 0, done.stdout
        assert not (place / "shipmend.sqlite3").exists()
        shutil.rmtree(broken)
    note("one bit of a backup changed", f"{DAMAGES} times", "told every time, and nothing restored")


def _shipmend(here: Instance, *words: str, data: Path | None = None) -> None:
    done = _run(here, *words, data=data)
    assert done.returncode == 0, done.stderr


def _run(here: Instance, *words: str, data: Path | None = None) -> subprocess.CompletedProcess[str]:
    environ = {**here.environ, **({"SHIPMEND_DATA": str(data)} if data else {})}
    command = [sys.executable, "-m", "shipmend", *words]
    return subprocess.run(command, env=environ, capture_output=True, text=True, timeout=120)

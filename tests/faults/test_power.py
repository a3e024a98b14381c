"""Power loss: images of what a disk may hold at any moment, made from what our own statements write and sync."""

from __future__ import annotations

import json
import os
import random
import sqlite3
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from shipmend.config import Config
from tests.faults.figures import note
from tests.faults.history import Event, Outcome, Verdict, judge
from tests.faults.instance import ROOT
from tests.faults.power import NAME, Disk, Operation, Ruins
from tests.faults.scale import rounds
from tests.serving import SOURCE

pytestmark = [pytest.mark.database, pytest.mark.sqlite]

IMAGES = rounds(5000, least=40)
CONTROLS = rounds(300, least=25)
CALLS = rounds(2000, least=120)
PRAGMAS = str(Config.load({}).database()["OPTIONS"]["init_command"])  # type: ignore[index]  # a dict in every case

_CELLS = (
    "SELECT 'defect ' || defect_key, description FROM delivery_criticaldefect",
    """SELECT 'fix ' || defect_key || ' ' || released_at, 'there'
       FROM delivery_defectfix f JOIN delivery_criticaldefect d ON d.id = f.defect_id""",
    "SELECT 'release ' || release_sha, name FROM delivery_release",
)


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> list[list[str]]:
    """Statements and acknowledgements."""
    environ = {
        **os.environ,
        "PYTHONPATH": f"{SOURCE}:{ROOT}",
        "SHIPMEND_DATA": str(tmp_path_factory.mktemp("session")),
        "DATABASE_URL": "",
    }
    command = [sys.executable, "-m", "tests.faults.session", str(CALLS)]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize("checkpoints", ["", "PRAGMA wal_autocheckpoint=20"], ids=["ours", "checkpoints often"])
def test_no_power_failure_loses_what_was_acknowledged(
    session: list[list[str]], tmp_path: Path, checkpoints: str
) -> None:
    operations = record(session, tmp_path, PRAGMAS + checkpoints)
    verdict, corrupt, images = survey(operations, tmp_path, IMAGES)
    acknowledged = sum(item[0] == "ack" for item in session)
    note(
        f"power loss{', ' if checkpoints else ''}{checkpoints}",
        f"{images} images of {acknowledged} acknowledged writes, {len(operations)} operations of the disk",
        f"{corrupt} corrupt, {verdict}",
    )
    assert acknowledged >= CALLS
    assert corrupt == 0
    assert verdict.is_clean, [*verdict.lost, *verdict.doubled, *verdict.kept][:5]


@pytest.mark.parametrize(("level", "fault"), [("NORMAL", "lost"), ("OFF", "lost or corrupt")])
def test_the_images_show_what_weaker_settings_lose(
    session: list[list[str]], tmp_path: Path, level: str, fault: str
) -> None:
    """So that the test above could fail."""
    operations = record(session, tmp_path, PRAGMAS.replace("synchronous=FULL", f"synchronous={level}"))
    verdict, corrupt, images = survey(operations, tmp_path, CONTROLS)
    note(f"(control) power loss, synchronous={level}", f"{images} images", f"{corrupt} corrupt, {verdict}")
    assert verdict.lost or (corrupt and fault != "lost")


def record(session: list[list[str]], folder: Path, pragmas: str) -> list[Operation]:
    """What the disk is asked to do when the statements run again."""
    assert "synchronous" in pragmas
    place = folder / "recorded"
    place.mkdir()
    disk = Disk(place)
    connection = disk.open()
    connection.execute(pragmas).fetchall()
    for kind, *words in session:
        if kind == "sql":
            if not words[0].startswith("--"):
                connection.execute(words[0]).fetchall()
        else:
            disk.mark(kind, *words)
    # Not closed: that would checkpoint, which no power failure does.
    operations = list(disk.operations)
    connection.close()
    return operations


def survey(operations: list[Operation], folder: Path, count: int) -> tuple[Verdict, int, int]:
    """Make so many images, and judge each: the faults of all, how many are corrupt, how many were made."""
    chance = random.Random(11)
    migrated = next(n for n, operation in enumerate(operations) if operation.kind == "migrated")
    cuts = sorted(_cut(chance, migrated, len(operations)) for _ in range(count))
    ruins, place, all_faults, corrupt = Ruins(operations), folder / "image", Verdict(), 0
    place.mkdir()
    for cut in cuts:
        ruins.leave(cut, place, chance)
        try:
            stored = dict(read(place / NAME, is_migrated=cut > migrated))
        except sqlite3.DatabaseError:
            corrupt += 1
            continue
        verdict = judge(events(operations[:cut]), stored)
        for name in ("lost", "doubled", "kept"):
            getattr(all_faults, name).extend(getattr(verdict, name))
    return all_faults, corrupt, len(cuts)


def _cut(chance: random.Random, migrated: int, end: int) -> int:
    """A moment, one in ten of them while the tables are still being made."""
    return chance.randrange(1, migrated) if chance.random() < 0.1 else chance.randrange(migrated + 1, end)


def read(file: Path, *, is_migrated: bool) -> Iterator[tuple[str, list[str]]]:
    """The cells in an image. Raises DatabaseError for one that is corrupt."""
    with closing(sqlite3.connect(file)) as connection:
        if connection.execute("PRAGMA integrity_check").fetchall() != [("ok",)]:
            raise sqlite3.DatabaseError("it is malformed")
        if not is_migrated:
            return
        found: defaultdict[str, list[str]] = defaultdict(list)
        with suppress(sqlite3.OperationalError):  # no such table: then all is lost
            for statement in _CELLS:
                for cell, value in connection.execute(statement):
                    found[cell].append(value)
        yield from found.items()


def events(operations: list[Operation]) -> Iterator[Event]:
    """What the clients knew when the power failed: what was tried and not answered may be there or not."""
    open_tries: dict[str, tuple[int, str]] = {}
    for n, operation in enumerate(operations):
        cell, _, value = operation.file.partition("\0")
        if operation.kind == "try":
            open_tries[cell] = (n, value)
        elif operation.kind in ("ack", "refused"):
            began, _ = open_tries.pop(cell)
            outcome = Outcome.ACKNOWLEDGED if operation.kind == "ack" else Outcome.REFUSED
            yield Event(began, n, cell, value, outcome)
    for cell, (began, value) in open_tries.items():
        yield Event(began, len(operations), cell, value, Outcome.UNKNOWN)

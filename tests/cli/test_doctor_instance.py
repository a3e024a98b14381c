"""What the doctor finds inside an instance, where no command brings the fault about: in process, one entity apart."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from django.db import connection

from shipmend.audit.models import AuditEvent
from shipmend.catalog.models import Repo
from shipmend.cli import doctor_database, doctor_instance
from shipmend.cli.findings import Finding
from shipmend.core.values import Role
from shipmend.db.writes import write
from shipmend.jobs.models import Job
from shipmend.settings import CONFIG
from tests.conftest import KIND
from tests.gitworld import GitRepo
from tests.world import World

pytestmark = pytest.mark.database

HOUR = 3600 * 1000


def test_a_job_given_up_is_told_with_its_repo_and_the_command_that_does_it_again(world: World, shop: GitRepo) -> None:
    repo = world.repo("shop", git=shop)
    error = "The remote can't be reached."
    write(lambda: _job(world, str(repo.id), run_at=0, dead_at=1, attempt=12, error=error))
    world.user(Role.OWNER)
    found, *others = _faults(world)
    assert found.what == f"{repo.path}: index was given up after 12 tries: The remote can't be reached"
    assert found.mend == f"shipmend repo index {repo.path} --data {CONFIG.data}"
    assert others == []


def test_jobs_that_wait_for_long_are_told(world: World) -> None:
    key = "0" * 8
    late = write(lambda: _job(world, key, run_at=int(time.time() * 1000) - HOUR))
    try:
        found = [each for each in doctor_instance.findings(CONFIG) if "due for over 5 minutes" in each.what]
        assert [each.mend for each in found] == [f"shipmend worker --data {CONFIG.data}"]
    finally:
        write(late.delete)


def test_records_from_the_future_are_told(world: World) -> None:
    world.user(Role.OWNER)
    write(lambda: AuditEvent.objects.filter(entity_id=world.tenant.id).update(at=int(time.time()) + 3600))
    assert ["records from the future" in found.what for found in _faults(world)] == [True]


def test_a_clock_off_the_databases_is_told(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor_instance, "database_now", lambda: time.time() + 60)
    assert any("clock is 60 s off" in each.what for each in doctor_instance.findings(CONFIG))


def test_tables_of_a_newer_version_are_told(world: World) -> None:
    newer = ("delivery", "9999_from_the_future")
    _note_migration("INSERT INTO django_migrations (app, name, applied) VALUES (%s, %s, CURRENT_TIMESTAMP)", newer)
    try:
        found = list(doctor_instance.findings(CONFIG))
        assert found[-1].what == "the tables are those of a newer Shipmend"
    finally:
        _note_migration("DELETE FROM django_migrations WHERE app = %s AND name = %s", newer)


def _job(world: World, key: str, **values: object) -> Job:
    return Job.objects.create(entity_id=world.tenant.id, kind="index", key=key, created_at=0, **values)


def _note_migration(sql: str, parameters: tuple[str, str]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)


def _faults(world: World) -> list[Finding]:
    """What is wrong with this entity alone."""
    found = doctor_instance.findings(CONFIG)
    return [each for each in found if each.mend and each.what.startswith(world.tenant.slug)]


def test_a_repo_that_nobody_fetches_is_told(world: World, shop: GitRepo) -> None:
    repo = world.repo("shop", git=shop)
    world.user(Role.OWNER)
    assert _faults(world) == []
    Repo.objects.filter(id=repo.id).update(fetched_at=int(time.time()) - 7200)
    (found,) = _faults(world)
    assert found.what == f"{repo.path} was due for a fetch 60 minutes ago"
    assert found.mend == f"shipmend worker --data {CONFIG.data}"


def test_what_is_amiss_with_a_remote_is_told_with_what_mends_it(world: World, git_repo: GitRepo) -> None:
    world.user(Role.OWNER)
    git_repo.raw_commit(author=b"A <a@b> 99999999999999999999999 +0000")
    git_repo.commit("One", files={"lost": "1"})
    repo = world.repo("shop", git=git_repo)
    assert Repo.objects.get(id=repo.id).index_error
    assert _faults(world) == []  # for nobody can mend what commits say
    astray = world.astray(git_repo)
    page = f"http://127.0.0.1:8000/settings/{world.tenant.slug}/repos/acme/"
    (found,) = _faults(world)
    assert found.what.startswith(f'{astray.path}: The release branch "gone" is not among the remote\'s branches')
    assert found.mend == f"choose the release branch at {page}astray"
    git_repo.point("broken", "1" * 40)
    world.index(astray)
    (found,) = _faults(world)
    again = f"mend the remote, then: shipmend repo index {astray.path} --data {CONFIG.data}"
    assert found.mend == f"choose the release branch at {page}astray; {again}"
    git_repo.loose(git_repo.object("blob", b"1")).unlink()
    git_repo.delete_branch("broken")
    partial = world.repo("partial", git=git_repo)
    assert [each.mend for each in _faults(world) if each.what.startswith(str(partial.path))] == [
        f"mend the remote, then press Index again at {page}partial"
    ]


def test_the_database_is_found_whole_and_durable(world: World) -> None:
    told = list(doctor_database.findings(CONFIG))
    assert [each.mend for each in told] == [""] * len(told)
    assert len(told) == (3 if KIND == "postgresql" else 2)


@pytest.mark.parametrize(
    ("changed", "faults"),
    [
        ({}, 0),
        ({"synchronous_commit": "remote_apply"}, 0),
        ({"synchronous_commit": "off"}, 1),
        ({"fsync": "off"}, 1),
        ({"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}, 3),
    ],
)
def test_a_postgresql_that_can_lose_what_it_acknowledged_is_told(changed: dict[str, str], faults: int) -> None:
    usual = {"fsync": "on", "full_page_writes": "on", "synchronous_commit": "on"}
    told = list(doctor_database.durability_findings(usual | changed))
    assert [bool(each.mend) for each in told] == ([True] * faults or [False])


def test_a_log_that_only_grows_is_told(tmp_path: Path) -> None:
    log = tmp_path / "wal"
    assert not doctor_database.wal_finding(log, CONFIG).mend
    with log.open("wb") as stream:
        stream.truncate(doctor_database.LARGEST_WAL + 1)
    assert doctor_database.wal_finding(log, CONFIG).mend

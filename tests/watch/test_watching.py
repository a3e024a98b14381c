"""What watchers are told: alive, ready, counts without a tenant's name; and the id of each request."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from django.conf import settings
from django.db import OperationalError
from django.test import Client

from shipmend.db.sql import Statement
from shipmend.db.writes import write
from shipmend.jobs.models import Job
from tests.gitworld import GitRepo
from tests.world import World

pytestmark = pytest.mark.database

LINE = re.compile(r'(?P<name>[a-z_]+)(\{(?P<labels>([a-z]+="([^"\\]|\\.)*",?)+)\})? (?P<value>[-+0-9.e]+)')


def figures(client: Client | None = None) -> dict[str, float]:
    """Every sample of /metrics by its name and labels."""
    response = (client or Client()).get("/metrics")
    assert response.status_code == 200
    found: dict[str, float] = {}
    for line in response.content.decode().splitlines():
        if line.startswith("#"):
            assert re.fullmatch(r"# (HELP|TYPE) [a-z_]+ .+", line)
            continue
        parts = LINE.fullmatch(line)
        assert parts, line
        name = f"{parts['name']}{{{parts['labels'] or ''}}}"
        assert name not in found, "each sample is told once"
        found[name] = float(parts["value"])
    return found


def risen(before: dict[str, float], after: dict[str, float], begins: str) -> dict[str, float]:
    """By how much the samples grew whose names begin so."""
    names = [name for name in after if name.startswith(begins) and after[name] != before.get(name, 0)]
    return {name: after[name] - before.get(name, 0) for name in names}


def test_a_request_is_counted_by_its_route_and_not_by_its_path(world: World) -> None:
    api = world.api()
    before = figures()
    for _ in range(3):
        api.post("releases", resource_path=world.repo().path, release_sha="a" * 40, released_at="2021-01-01")
    api.get(f"releases/{world.tenant.id}")
    api.get("nothing/here")
    after = figures()
    grown = risen(before, after, "shipmend_requests_total")
    assert {name: count for name, count in grown.items() if "metrics" not in name} == {
        'shipmend_requests_total{method="POST",route="api/v1/releases",status="200"}': 3,
        'shipmend_requests_total{method="GET",route="api/v1/releases/<uuid:release_id>",status="404"}': 1,
        'shipmend_requests_total{method="GET",route="api/v1/",status="404"}': 1,
    }
    timed = risen(before, after, 'shipmend_request_seconds_count{method="POST",route="api/v1/releases"}')
    assert list(timed.values()) == [3]
    text = Client().get("/metrics").content.decode()
    assert world.tenant.slug not in text
    assert str(world.tenant.id) not in text


def test_watchers_only_look() -> None:
    for address in ("/healthz", "/readyz", "/metrics"):
        assert Client(enforce_csrf_checks=True).post(address).status_code == 405
        assert Client().head(address).status_code == 200


def test_what_can_only_grow_is_a_counter_and_begins_at_nothing() -> None:
    """Prometheus' own names end counters in _total; a series that is not there yet hides its first rise."""
    text = Client().get("/metrics").content.decode()
    kinds = dict(re.findall(r"# TYPE ([a-z_]+) ([a-z]+)", text))
    assert kinds["process_cpu_seconds_total"] == "counter"
    assert {name for name, kind in kinds.items() if kind == "counter"} == {n for n in kinds if n.endswith("_total")}
    assert {f'shipmend_writes_total{{outcome="{each}"}}' for each in ("stored", "refused", "unavailable")} <= set(
        figures()
    )


def test_buckets_add_up(world: World) -> None:
    world.api().get("api_tokens")
    found = figures()
    stem = 'shipmend_request_seconds_bucket{method="GET",route="api/v1/api_tokens",le="'
    counts = [value for name, value in found.items() if name.startswith(stem)]
    assert counts == sorted(counts)
    assert counts[-1] == found['shipmend_request_seconds_count{method="GET",route="api/v1/api_tokens"}']


def test_writes_are_counted_by_their_outcome_and_by_the_commits_they_share(world: World) -> None:
    path = world.repo().path
    api = world.api()
    before = figures()
    api.post("releases", resource_path=path, release_sha="a" * 40, released_at="2021-01-01")
    api.post("critical_defects", resource_path=path, defect_key="K", description="no detection")
    grown = risen(before, figures(), "shipmend_")
    assert grown['shipmend_writes_total{outcome="refused"}'] >= 1
    stored = grown['shipmend_writes_total{outcome="stored"}']
    assert stored >= 1
    assert grown["shipmend_commit_seconds_count{}"] >= 1


def test_jobs_and_repos_are_told_by_their_state(world: World, git_repo: GitRepo) -> None:
    before = figures()
    world.repo()
    jobs = [{"run_at": 10**15}, {"run_at": 0}, {"run_at": 0, "lease_until": 10**15}, {"run_at": 0, "dead_at": 1}]
    made = [_job(world, f"k{n}", **values) for n, values in enumerate(jobs)]
    try:
        after = figures()
    finally:
        write(lambda: [job.delete() for job in made])
    grown = risen(before, after, 'shipmend_jobs{kind="planted"')  # one of another test may come due just now
    assert grown == {
        f'shipmend_jobs{{kind="planted",state="{state}"}}': 1 for state in ("waiting", "due", "running", "dead")
    }
    assert after['shipmend_job_oldest_seconds{kind="planted",state="due"}'] > 10**9
    assert after['shipmend_job_oldest_seconds{kind="planted",state="waiting"}'] < 0
    assert risen(before, after, "shipmend_repos{") == {'shipmend_repos{state="none"}': 1}


def _job(world: World, key: str, **values: Any) -> Job:
    return write(lambda: Job.objects.create(entity_id=world.tenant.id, kind="planted", key=key, created_at=0, **values))


def test_the_process_tells_of_itself(instance: object) -> None:
    found = figures()
    assert found["process_resident_memory_bytes{}"] > 10 << 20
    assert found["process_threads{}"] >= 1


@pytest.mark.parametrize(("address", "status"), [("127.0.0.1", 200), ("::1", 200), ("10.0.0.7", 404), ("", 404)])
def test_only_the_addresses_that_may_read_the_metrics_learn_of_them(
    instance: object, address: str, status: int
) -> None:
    assert Client(REMOTE_ADDR=address).get("/metrics").status_code == status


def test_the_addresses_can_be_set(instance: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "CONFIG", replace(settings.CONFIG, metrics_from=("10.0.0.0/8",)))
    assert [Client(REMOTE_ADDR=each).get("/metrics").status_code for each in ("10.9.9.9", "127.0.0.1")] == [200, 404]


@pytest.fixture
def broken_database(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Every prepared statement fails, as with a database that has gone."""

    def fail(*_: object) -> None:
        raise OperationalError("gone") from sqlite3.OperationalError("gone")

    with monkeypatch.context() as patched:
        patched.setattr(Statement, "_execute", fail)
        yield


def test_an_instance_that_can_serve_is_ready_and_alive(instance: object) -> None:
    for path in ("/healthz", "/readyz"):
        response = Client().get(path)
        assert (response.status_code, response.headers["Cache-Control"]) == (200, "no-store")


def test_without_its_database_it_is_alive_and_not_ready(instance: object, broken_database: None) -> None:
    assert Client().get("/healthz").status_code == 200
    response = Client().get("/readyz")
    assert response.status_code == 503
    assert json.loads(response.content)["because"] == "the database does not answer"
    assert "process_threads" in Client().get("/metrics").content.decode()


@pytest.mark.parametrize("path", ["/", "/healthz", "/api/v1/api_tokens", "/api/nowhere", "/nowhere"])
def test_every_answer_carries_an_id_of_its_request(instance: object, path: str) -> None:
    client = Client()
    first, second = (client.get(path).headers["X-Request-Id"] for _ in range(2))
    assert re.fullmatch("[0-9a-f]{16}", first)
    assert first != second


@pytest.mark.parametrize(
    ("given", "kept"), [("abc-1.2_3", True), ("a" * 64, True), ("a" * 65, False), ("a b", False), ("", False)]
)
def test_a_callers_own_id_is_kept_when_it_is_plain(instance: object, given: str, kept: bool) -> None:
    response = Client().get("/healthz", headers={"X-Request-Id": given})
    assert (response.headers["X-Request-Id"] == given) is kept

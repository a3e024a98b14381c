"""Reports by API: GitClear's shape, whole days in the entity's zone, and every figure with what it is made of."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

import pytest
from django.test import Client

from shipmend.api import reports
from shipmend.core.metrics import DORA, INFO, Dimension, Metric
from shipmend.core.moments import iso
from shipmend.db.clock import epoch_now
from tests.questions import asked
from tests.reports.busy import FIRST, LAST, Busy
from tests.world import Api, World

pytestmark = pytest.mark.database

SHA = "541a8b28d08405aa961f9de1d7c8fcd5c3da3218"
NEW_YORK = ZoneInfo("America/New_York")


def release(api: Api, path: object, at: datetime, sha: str = SHA) -> str:
    call = {"resource_path": str(path), "release_sha": sha, "released_at": iso(int(at.timestamp()))}
    reply = api.post("releases", call)
    assert reply.status == 200, reply.json
    return str(reply.json["release"]["id"])


def test_a_report_has_the_shape_that_scripts_know(instance: object) -> None:
    world = World.make(time_zone="America/New_York")
    path, api = world.repo().path, world.api()
    # Late on the eighth in New York is the ninth in UTC.
    release(api, path, datetime(2024, 10, 8, 23, 30, tzinfo=NEW_YORK))
    reply = api.get(
        "reports", resource_path=path, segment_em="deployments_per_day", start_date="2024-10-07", end_date="2024-10-09"
    )
    assert reply.words == (200, "response_success")
    assert reply.json["context"] == {
        "entity": world.tenant.slug,
        "resource_path": str(path),
        "environment": "production",
        "start_date": "2024-10-07",
        "end_date": "2024-10-09",
        "time_zone": "America/New_York",
    }
    assert reply.json["interval_em"] == "daily"
    points = reply.json["series_segments"]["Deployment frequency"]
    assert [(point["x"], point["y"], point["date"], point["n"]) for point in points] == [
        ("October 7", 0.0, "2024-10-07", 0),
        ("October 8", 1.0, "2024-10-08", 1),
        ("October 9", 0.0, "2024-10-09", 0),
    ]
    (segment,) = reply.json["segments"]
    assert (segment["name"], segment["segment_em"]) == ("Deployment frequency", "deployment_frequency")
    assert "summary_stats" not in reply.json


def test_nothing_said_is_the_last_thirty_days_of_the_five_metrics(world: World) -> None:
    today = datetime.fromtimestamp(epoch_now(), world.tenant.zone).date()
    reply = world.api().get("reports", resource_path=world.path)
    assert list(reply.json["series_segments"]) == [INFO[metric].name for metric in DORA]
    dates = [point["date"] for point in reply.json["series_segments"]["Change fail rate"]]
    assert (len(dates), dates[0]) == (30, str(today - timedelta(days=29)))
    assert dates[-1] in {str(today), str(today + timedelta(days=1))}  # midnight may have passed
    assert {point["y"] for point in reply.json["series_segments"]["Change fail rate"]} == {None}


@pytest.mark.parametrize(
    ("days", "interval"), [(45, "daily"), (46, "weekly"), (400, "weekly"), (401, "monthly"), (7000, "monthly")]
)
def test_the_parts_fit_the_window(world: World, days: int, interval: str) -> None:
    assert world.api().get("reports", resource_path=world.path, days_ago=days).json["interval_em"] == interval


def test_every_point_and_figure_leads_to_what_it_is_made_of(world: World, tmp_path: Path) -> None:
    busy = Busy(world, tmp_path, 7)
    asked_for = {"resource_path": world.path, "start_date": FIRST, "end_date": LAST, "interval_em": "monthly"}
    everything = {**asked_for, "segment_em": ",".join(Metric), "generate_summary_stats": "true"}
    reply = busy.api.get("reports", **everything)
    assert set(reply.json["summary_stats"]) == {info.name for info in INFO.values()}
    for segment in reply.json["segments"]:
        stats = reply.json["summary_stats"][segment["name"]]
        assert stats["definition"] == INFO[Metric(segment["segment_em"])].definition
        assert answer(busy.api, stats["rows_url"])["response_em"] == "response_success"
        assert all(each["words"] and each["count"] for each in stats["excluded"])
    page = urlsplit(reply.json["series_segments"]["Open defects"][0]["url"])
    assert page.path == f"/entities/{world.path}/-/metrics/open_defects"
    assert parse_qs(page.query) == {
        "start_date": [str(FIRST)],
        "end_date": [str(FIRST.replace(day=30))],
        "environment": ["production"],
    }
    for dimension in Dimension:
        metrics = ",".join(metric for metric in Metric if dimension in INFO[metric].dimensions)
        split = busy.api.get("reports", **{**everything, "segment_em": metrics, "segment_by": dimension})
        for segment in split.json["segments"]:
            link = split.json["summary_stats"][segment["name"]]["rows_url"]
            found = answer(busy.api, link)
            if "/waiting" not in link:
                assert found["context"]["segment_em"] == segment["segment_em"]


def answer(api: Api, link: str) -> Any:
    parts = urlsplit(link)
    response = api.client.get(f"{parts.path}?{parts.query}", headers={"Authorization": f"Bearer {api.token}"})
    return json.loads(response.content)


def test_what_can_be_asked_for_is_told(world: World) -> None:
    api = world.api()
    reply = api.get("segment_introspections")
    assert [each["segment_em"] for each in reply.json["segment_introspections"]] == list(Metric)
    for each in reply.json["segment_introspections"]:
        for name in (each["segment_em"], each["name"], *each["aliases"]):
            (one,) = api.get("segment_introspections", segment_em=name).json["segment_introspections"]
            assert one == each


def test_a_report_of_too_much_is_refused(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reports, "MOST_POINTS", 8)
    for slug in ("a", "b", "c"):
        world.repo(slug)
    given = {"resource_path": world.path, "days_ago": 3, "segment_em": "change_fail_rate", "segment_by": "repo"}
    reply = world.api().get("reports", **given)
    assert reply.words == (400, "response_invalid_params")
    assert "makes 9 points of 3 segments" in reply.json["response_detail"]


def test_authors_beyond_the_first_are_told_to_be_left_out(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shipmend.reports.authors.MOST_AUTHORS", 1)
    busy = Busy(world, tmp_path, 8, slugs=("shop",))
    given = {"resource_path": world.path, "start_date": FIRST, "end_date": LAST, "segment_em": "change_lead_time"}
    reply = busy.api.get("reports", **given, segment_by="author")
    assert len(reply.json["segments"]) == 1
    assert reply.json["warnings"] == ["1 other, who shipped less, is left out."]


def test_a_report_costs_the_same_number_of_questions_whatever_there_is(world: World, tmp_path: Path) -> None:
    busy = Busy(world, tmp_path, 9, slugs=("shop",))
    given = {"resource_path": world.path, "start_date": FIRST, "end_date": LAST, "generate_summary_stats": "true"}
    calls: list[tuple[str, dict[str, object]]] = [
        ("reports", {**given, "segment_em": ",".join(Metric)}),
        ("reports", {**given, "segment_em": "change_lead_time", "segment_by": "author"}),
        ("reports", {**given, "segment_em": "open_defects", "segment_by": "severity"}),
        ("developers", given),
        *(("audits", {**given, "resource_type": kind}) for kind in ("releases", "defects", "tickets", "commits")),
    ]

    def costs() -> list[int]:
        found = []
        for path, asking in calls:
            busy.api.get(path, **asking)
            with asked() as questions:
                assert busy.api.get(path, **asking).status == 200
            found.append(questions.count)
        return found

    few = costs()
    for n in range(12):
        at = datetime.combine(FIRST, datetime.min.time(), ZoneInfo("UTC")) + timedelta(days=30, hours=n)
        release(busy.api, world.repo_path("shop"), at, list(busy.gits["shop"].commits)[n])
        defect = {"resource_path": world.path, "defect_key": f"MORE-{n}", "detected_at": at.isoformat()}
        assert busy.api.post("critical_defects", defect).status == 200
        fix = {"resource_path": world.repo_path("shop"), "fix_released_at": (at + timedelta(days=1)).isoformat()}
        assert busy.api.post("critical_defects", {**defect, **fix}).status == 200
    assert costs() == few


def test_the_days_are_those_of_the_entity(instance: object) -> None:
    for zone in ("Pacific/Kiritimati", "Pacific/Pago_Pago"):
        world = World.make(time_zone=zone)
        now = epoch_now()
        reply = world.api().get("reports", resource_path=world.path, days_ago=1)
        days = {str(datetime.fromtimestamp(at, ZoneInfo(zone)).date()) for at in (now, epoch_now())}
        assert reply.json["context"]["end_date"] in days
        instant = world.api().get(
            "reports", resource_path=world.path, start_date="2024-03-01T12:00:00Z", end_date=date(2024, 4, 1)
        )
        assert instant.json["context"]["start_date"] == ("2024-03-02" if "Kirit" in zone else "2024-03-01")


def test_the_document_tells_of_reports(instance: object) -> None:
    document = json.loads(Client().get("/api/v1/openapi.json").content)
    told = document["paths"]["/reports"]["get"]
    assert [field["name"] for field in told["parameters"]] == [
        "resource_path", "environment", "start_date", "end_date", "days_ago", "segment_em", "segment_by",
        "interval_em", "generate_summary_stats",
    ]  # fmt: skip
    members = told["responses"]["200"]["content"]["application/json"]["schema"]["allOf"][1]["properties"]
    assert set(members) == {"series_segments", "segments", "summary_stats"}
    kinds = document["paths"]["/audits"]["get"]["responses"]["200"]["content"]
    assert set(kinds) == {"application/json", "text/csv", "application/x-ndjson"}
    assert "SummaryStats" in document["components"]["schemas"]

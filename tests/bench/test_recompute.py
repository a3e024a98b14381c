"""Every figure recomputed from the audits alone, over real HTTP: equal to the last digit, and a wrong one is told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from bench.recomputing import Instance, recompute

from shipmend.accounts import tokens
from shipmend.audit.trail import COMMAND_LINE
from shipmend.catalog.queries import find_place
from shipmend.core.values import ResourcePath, Scope
from tests.demo.sample import Sample
from tests.reports.busy import Busy
from tests.world import World

pytestmark = pytest.mark.database


@pytest.mark.parametrize(("seed", "zone"), [(1, "UTC"), (2, "America/New_York"), (3, "Pacific/Apia")])
def test_every_figure_is_what_its_rows_say(live_server: str, tmp_path: Path, seed: int, zone: str) -> None:
    world = World.make(time_zone=zone)
    busy = Busy(world, tmp_path, seed)
    instance = Instance(live_server, busy.api.token)
    for place in (world.path, f"{world.path}/acme", world.repo_path("till")):
        report = recompute(instance, str(place), "production", *busy.days)
        assert report.differences == []
        assert report.compared > 1000
        ns = {metric: n for metric, (_, n, _) in report.metrics.items()}
        assert len(ns) == 9
        assert all(ns.values()) or place != world.path
    assert recompute(instance, str(world.path), "staging", *busy.days).differences == []


@dataclass(frozen=True)
class Lying(Instance):
    """An instance that reports one number wrongly."""

    lie: str = ""

    def get(self, path: str, **parameters: object) -> Any:
        answer = super().get(path, **parameters)
        for stats in answer.get("summary_stats", {}).values():
            stats[self.lie] = (stats[self.lie] or 0) + 1
        return answer


def test_a_wrong_number_is_found(live_server: str, tmp_path: Path) -> None:
    world = World.make()
    busy = Busy(world, tmp_path, 4, slugs=("shop",))
    for lie in ("value", "n", "numerator", "denominator", "mean", "p75", "p90"):
        report = recompute(Lying(live_server, busy.api.token, lie), str(world.path), "production", *busy.days)
        assert report.differences
        assert all(f" {lie}: " in each or "rows" in each or "is_enough" in each for each in report.differences)


def test_the_sample_is_reported_as_its_rows_say(live_server: str, sample: Sample) -> None:
    path = ResourcePath(sample.tenant.slug)
    place = find_place(sample.tenant, path)
    token = tokens.issue(place=place, name="test", scopes=frozenset({Scope.READ}), actor=COMMAND_LINE).text
    last = date(2026, 11, 25)
    assert sample.tenant.zone == ZoneInfo("Europe/Berlin")
    report = recompute(Instance(live_server, token), str(path), "production", last - timedelta(days=364), last)
    assert report.differences == []
    assert all(n for _, n, _ in report.metrics.values())

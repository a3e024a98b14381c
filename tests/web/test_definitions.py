"""The page of definitions, and the ways there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from shipmend.core.metrics import INFO, Metric, MetricInfo
from shipmend.core.values import Role
from shipmend.web.definitions import anchor_of
from tests.web.cast import Person, Seen
from tests.world import World

pytestmark = pytest.mark.database

SOURCE = Path(__file__).parents[2] / "docs" / "metrics.md"


@pytest.fixture
def page(world: World) -> Seen:
    return Person.of(world, Role.VIEWER).get("/metrics_reference")


@pytest.mark.parametrize("info", INFO.values(), ids=str)
def test_each_metric_is_defined_where_its_page_leads(world: World, page: Seen, info: MetricInfo) -> None:
    assert re.search(rf'<p id="{anchor_of(info)}"><strong>{re.escape(info.name)}</strong>', page.html)
    if info.metric is not Metric.COMMITS_WAITING:
        own = Person.of(world, Role.VIEWER).get(f"/entities/{world.tenant.slug}/-/metrics/{info.metric}")
        assert f'href="/metrics_reference#{anchor_of(info)}"' in own.html


def test_all_of_the_text_is_on_the_page(page: Seen) -> None:
    assert page.status == 200
    for line in SOURCE.read_text(encoding="utf-8").splitlines():
        for words in re.findall(r"[A-Za-z]{5,}", re.sub(r"\(https?:[^)]*\)|^\|[-|]*$", "", line)):
            assert words in page.html
    assert page.html.count("<h1>") == 1


def test_an_address_with_a_slash_at_its_end_leads_to_the_page(world: World) -> None:
    reader = Person.of(world, Role.VIEWER)
    entity = f"/entities/{world.tenant.slug}"
    assert reader.get(f"{entity}/?days=90").to == f"{entity}?days=90"
    assert reader.get(f"{entity}/-/defects/").to == f"{entity}/-/defects"
    assert reader.get(f"{entity}/-/waiting//").to == f"{entity}/-/waiting"
    assert reader.get("/entities/").status == 302
    assert reader.post(f"{entity}/").status == 404

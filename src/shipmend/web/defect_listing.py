"""What the defect browser shows: all of it follows from the address."""

from __future__ import annotations

from dataclasses import dataclass, replace

from django.http import QueryDict

from shipmend.catalog.queries import Place, ref_of, repos_of
from shipmend.core.defect_browser import Order
from shipmend.delivery.defect_browser import Browsed, browse
from shipmend.web.charts.picture import Chart
from shipmend.web.defect_charts import charts_of
from shipmend.web.filters import DefectFilter, page_number

SIZE = 50
COLUMNS = (
    ("Detected", Order.DETECTED_DOWN, Order.DETECTED),
    ("State", Order.TOOK_DOWN, Order.TOOK),
    ("Defect", Order.KEY, Order.KEY_DOWN),
    ("Severity", Order.SEVERITY_DOWN, Order.SEVERITY),
)
"""By what the list can be sorted: as at first, and the other way about."""


@dataclass(frozen=True, slots=True)
class Heading:
    """The head of a column that the list can be sorted by."""

    label: str
    address: str
    """Of the list sorted by it; the other way about when it is so already."""
    sorted: str
    """As aria-sort has it."""


@dataclass(frozen=True, slots=True)
class DefectListing:
    """The defects of a place that the address asks for."""

    filter: DefectFilter
    browsed: Browsed
    headings: dict[str, Heading]
    charts: tuple[Chart, ...]


def read_defects(place: Place, query: QueryDict, now: int) -> DefectListing:
    """Read them."""
    repos = repos_of(place)
    chosen = DefectFilter(query, repos, place.tenant.zone)
    repo = chosen.chosen_repo
    narrowed = place if repo is None else replace(place, path=repo.path, repo=ref_of(repo))
    browsed = browse(
        narrowed, repos if repo is None else [repo], chosen.wanted, page=page_number(query, "page"), size=SIZE
    )
    return DefectListing(
        chosen,
        browsed,
        _headings(query, chosen.wanted.order),
        charts_of(browsed.latest, browsed.rows.total, place.tenant.slug, now),
    )


def _headings(query: QueryDict, order: Order) -> dict[str, Heading]:
    way = "descending" if order.startswith("-") else "ascending"
    return {
        label.lower(): Heading(
            label,
            _sorted_by(query, second if order is first else first),
            way if order in (first, second) else "none",
        )
        for label, first, second in COLUMNS
    }


def _sorted_by(query: QueryDict, order: Order) -> str:
    """This page's query with another order, from the first page on."""
    asked = query.copy()
    asked.pop("page", None)
    asked["sort"] = order.value
    return f"?{asked.urlencode()}"

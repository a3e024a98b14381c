"""The rows behind the figures of reports, and those who wrote them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from shipmend.api import parameters as p
from shipmend.api.asked import WINDOW_FIELDS, Asked
from shipmend.api.audit_json import as_csv, as_json_lines, commit_row, defect_row, release_row, ticket_row
from shipmend.api.endpoint import ApiCall, Operation
from shipmend.api.envelope import NDJSON, Answer, Document, time_json
from shipmend.api.parameters import ResourceType, RowLayout
from shipmend.api.report_schemas import ROW_COLUMNS
from shipmend.core.amounts import several
from shipmend.core.errors import Invalid
from shipmend.core.metrics import INFO, Metric, metric_named
from shipmend.delivery.queries import PAGE_SIZE, Page
from shipmend.reports.authors import NOBODY, Authors, Developer
from shipmend.reports.commit_rows import CommitListing
from shipmend.reports.defect_rows import DefectListing
from shipmend.reports.listing import Listing, all_of, page_of
from shipmend.reports.load import Ground, load
from shipmend.reports.release_rows import ReleaseListing
from shipmend.reports.ticket_rows import TicketListing

GET_RESOURCE = "action_get_resource"
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Shown(Generic[T]):
    """Rows, and how one is shown."""

    listing: Listing[T]
    show: Callable[[T], dict[str, Any]]

    def page(self, number: int) -> Page[dict[str, Any]]:
        """One page."""
        page = page_of(self.listing, number)
        return Page(tuple(map(self.show, page.items)), page.number, page.size, page.total)

    def document(self, layout: RowLayout, columns: tuple[str, ...]) -> Document:
        """All of them."""
        if layout is RowLayout.JSONL:
            return Document(NDJSON, parts=as_json_lines(all_of(self.listing), self.show))
        return Document("text/csv", parts=as_csv(all_of(self.listing), self.show, columns))


def list_audits(call: ApiCall) -> Answer:
    """Rows behind figures."""
    asked = Asked.of(call)
    kind, metric = _kind(call)
    _check_filters(call, kind)
    ground = load(asked.place, asked.environment, asked.window.start, asked.window.end)
    shown = _shown(call, asked, ground, kind, metric)
    layout = call.reader.get(p.ROW_FORMAT) or RowLayout.JSON
    if layout is not RowLayout.JSON:
        rows = several(shown.listing.total, "row")
        return Answer(GET_RESOURCE, f"{rows}.", document=shown.document(layout, ROW_COLUMNS[kind]))
    more = {"resource_type": kind, "segment_em": metric}
    return _paged(asked, more, "audits", shown.page(call.reader.get(p.PAGE) or 1))


def list_developers(call: ApiCall) -> Answer:
    """Who wrote what was shipped."""
    asked = Asked.of(call)
    ground = load(asked.place, asked.environment, asked.window.start, asked.window.end)
    authors = Authors(ground, asked.window)
    number, found = call.reader.get(p.PAGE) or 1, authors.shipping
    shown = authors.developers(found[(number - 1) * PAGE_SIZE : number * PAGE_SIZE])
    return _paged(asked, {}, "developers", Page(tuple(map(_developer_json, shown)), number, PAGE_SIZE, len(found)))


def _kind(call: ApiCall) -> tuple[ResourceType, Metric | None]:
    """What the rows are, and of which metric."""
    kind, named = call.reader.get(p.RESOURCE_TYPE), call.reader.get(p.SEGMENT)
    metric = metric_named(named) if named else None
    if metric is Metric.COMMITS_WAITING:
        raise Invalid("segment_em", "is of now", value=str(metric), mend="GET waiting lists what waits")
    if metric is None:
        return call.reader.need(p.RESOURCE_TYPE), None
    own = ResourceType(INFO[metric].rows)
    if kind not in (None, own):
        raise Invalid("resource_type", f"is not what {metric} is made of", value=str(kind), mend=f"give {own}")
    return own, metric


def _check_filters(call: ApiCall, kind: ResourceType) -> None:
    for field, own in ((p.COMMITTER, ResourceType.COMMITS), (p.ROW_SEVERITY, ResourceType.DEFECTS)):
        if call.reader.get(field) is not None and kind is not own:
            raise Invalid(field.name, f"picks {own}, and {kind} are asked for", mend="leave it out")


def _shown(call: ApiCall, asked: Asked, ground: Ground, kind: ResourceType, metric: Metric | None) -> Shown[Any]:
    if kind is ResourceType.COMMITS:
        named = call.reader.get(p.COMMITTER)
        part = Authors(ground, asked.window).part(named) or NOBODY if named else None
        return Shown(CommitListing(ground, asked.window, metric, part), commit_row)
    if kind is ResourceType.RELEASES:
        return Shown(ReleaseListing(ground, asked.window, metric), release_row)
    if kind is ResourceType.DEFECTS:
        severities = call.reader.get(p.ROW_SEVERITY)
        return Shown(DefectListing(ground, asked.window, metric, severities), defect_row)
    return Shown(TicketListing(ground, asked.window), ticket_row)


def _paged(asked: Asked, more: dict[str, Any], name: str, page: Page[dict[str, Any]]) -> Answer:
    told = {
        "context": {**asked.context_json(), **more},
        name: list(page.items),
        "page": page.number,
        "pages": page.count,
        "per_page": page.size,
        "total": page.total,
    }
    return Answer(GET_RESOURCE, f"{page.total} found, page {page.number} of {page.count}.", more=told)


def _developer_json(developer: Developer) -> dict[str, Any]:
    lead = developer.lead_times
    return {
        "name": developer.author.name,
        "email": developer.author.email,
        "commits": developer.author.commits,
        "commits_with_lead_time": lead.n if lead else 0,
        "median_lead_seconds": lead.median if lead else None,
        "first_released_at": time_json(developer.first_released_at),
        "last_released_at": time_json(developer.last_released_at),
    }


AUDITS = (
    Operation(
        method="GET",
        action_em=GET_RESOURCE,
        summary="List the rows behind figures",
        doc="The commits first shipped in a window, its releases, the defects it has something of, or the tickets"
        " that it shipped something of; each row with all that the metrics rest on, and why it is left out of them,"
        " if it is. With segment_em only the rows behind that segment, each with what it counts as: `numerator`"
        " (or, where nothing is divided, simply counted), `denominator` or `excluded`.",
        run=list_audits,
        fields=(*WINDOW_FIELDS, p.RESOURCE_TYPE, p.SEGMENT, p.COMMITTER, p.ROW_SEVERITY, p.PAGE, p.ROW_FORMAT),
        answers=("audits", "AuditRow", True),
        documents=("text/csv", NDJSON),
    ),
)
DEVELOPERS = (
    Operation(
        method="GET",
        action_em=GET_RESOURCE,
        summary="List who wrote what was shipped",
        doc="Everybody with a commit first shipped in the window, those with the most first, with the median lead time"
        " of their commits and when the first and the last of them were shipped. One person is one e-mail address.",
        run=list_developers,
        fields=(*WINDOW_FIELDS, p.PAGE),
        answers=("developers", "Developer", True),
    ),
)

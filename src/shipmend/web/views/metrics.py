"""The page of a metric, and its rows as files."""

from __future__ import annotations

from django.http import HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect
from django.utils.http import content_disposition_header

from shipmend.catalog.queries import find_place
from shipmend.core.metrics import INFO, Metric
from shipmend.core.values import ResourcePath, Role
from shipmend.web.addresses import place_address
from shipmend.web.downloads import MEDIA_TYPES, Format, written
from shipmend.web.metric_pages import all_rows, read_metric
from shipmend.web.visits import PAGE, Visit, within


@within(Role.VIEWER, *PAGE)
def metric(visit: Visit, metric: Metric, organization: str = "", repo: str = "") -> HttpResponseBase:
    """A figure, and all that explains it; with `format`, its rows as a file. What waits has a page of its own."""
    place = find_place(visit.tenant, ResourcePath(visit.tenant.slug, organization, repo))
    if metric is Metric.COMMITS_WAITING:
        return redirect(place_address("waiting", place.path))
    given = visit.request.GET.get("format", "")
    if given in list(Format):
        form = Format(given)
        response = StreamingHttpResponse(
            written(all_rows(place, metric, visit.request.GET), form), content_type=MEDIA_TYPES[form]
        )
        named = content_disposition_header(
            as_attachment=True, filename=f"{metric} {place.path}.{form}".replace("/", " ")
        )
        response["Content-Disposition"] = named or "attachment"
        return response
    seen = read_metric(place, metric, visit.request.GET)
    context: dict[str, object] = {
        "path": place.path,
        "page": seen,
        "picker": seen.picker,
        "metrics": [INFO[each] for each in Metric if each is not Metric.COMMITS_WAITING],
    }
    return visit.render("metric.html", context)

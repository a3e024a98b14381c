"""How lists of releases are ordered: the latest first, and those of one second as their stream has them.

That is core.streams' order, so that no list depends on what was recorded first. Releases of different streams that
even so stand level come by stream; the id only parts those that no time is known of.
"""

from __future__ import annotations

from django.db.models import F, QuerySet
from django.db.models.functions import Coalesce

from shipmend.delivery.models import Release

LATEST_FIRST = (
    "COALESCE(released_at, 0) DESC, COALESCE(commit_number, -1) DESC, release_sha DESC, repo_id, environment, id DESC"
)
"""For statements that find few."""
_LATEST_FIRST = (
    F("released_at").desc(nulls_last=True),
    Coalesce("commit_number", -1).desc(),
    "-release_sha",
    "repo_id",
    "environment",
    "-id",
)


def latest_first(rows: QuerySet[Release], *, skip: int = 0, take: int) -> QuerySet[Release]:
    """So many of the releases after the `skip` latest; two queries.

    An index sorts by time alone. It tells when the last of these was released, and only what is as late is sorted.
    """
    times = rows.filter(released_at__isnull=False).order_by("-released_at").values_list("released_at", flat=True)
    for since in times[skip + take - 1 : skip + take]:
        rows = rows.filter(released_at__gte=since)
    return rows.order_by(*_LATEST_FIRST)[skip : skip + take]

"""The defects that a release is blamed for."""

from __future__ import annotations

from uuid import UUID

from django.db.models import Q

from shipmend.catalog.queries import Tenant
from shipmend.core.changes import ChangedDefect
from shipmend.delivery.causes import cause_window, causes_of
from shipmend.delivery.models import CriticalDefect


def blamed_for(tenant: Tenant, release_id: UUID, released_at: int | None) -> tuple[ChangedDefect, ...]:
    """The defects whose cause is this release, by whatever standing, by detection. A fixed number of queries."""
    suspected = Q(cause_release_id=release_id)
    if released_at is not None:
        suspected |= Q(detected_at__range=(released_at, released_at + cause_window(tenant)))
    rows = CriticalDefect.objects.filter(suspected, entity_id=tenant.id, deleted_at=None)
    causes = causes_of(tenant, rows)
    told = rows.order_by("detected_at", "defect_key").values_list("id", "defect_key", "description", "detected_at")
    return tuple(
        ChangedDefect(key, description, detected_at, causes[defect_id].kind)
        for defect_id, key, description, detected_at in told
        if causes[defect_id].release_id == release_id
    )

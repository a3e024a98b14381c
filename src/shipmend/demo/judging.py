"""What the grocer's people said of the defects afterwards: notes, and which release to blame."""

from __future__ import annotations

from functools import partial
from uuid import UUID

from shipmend.audit.trail import Actor
from shipmend.catalog.queries import Tenant, find_place
from shipmend.core.values import ResourcePath
from shipmend.db.writes import write
from shipmend.delivery.blaming import accept_cause, deny_cause, name_cause
from shipmend.delivery.corrections import set_notes
from shipmend.delivery.queries import list_releases
from shipmend.demo.incidents import Blame
from shipmend.demo.plan import Detection, Plan
from shipmend.demo.values import PRODUCTION

MAINTAINER = Actor.user("ines@larder.example")


def judge(tenant: Tenant, plan: Plan) -> None:
    """Write it down for every defect that has been detected."""
    for detection in plan.detected():
        write(partial(_judge, tenant, plan, detection))


def _judge(tenant: Tenant, plan: Plan, detection: Detection) -> None:
    incident, reach, by = detection.incident, ResourcePath(tenant.slug), MAINTAINER
    if incident.notes:
        set_notes(tenant=tenant, key=incident.key, notes=incident.notes, reach=reach, actor=by)
    if incident.blame is Blame.ACCEPTED:
        accept_cause(tenant=tenant, key=incident.key, seen=None, reach=reach, actor=by)
    elif incident.blame is Blame.NONE:
        deny_cause(tenant=tenant, key=incident.key, reach=reach, actor=by)
    elif incident.blame is Blame.LARGE:
        large = _large(tenant, plan, detection)
        name_cause(tenant=tenant, key=incident.key, release_id=large, reach=reach, actor=by)


def _large(tenant: Tenant, plan: Plan, detection: Detection) -> UUID:
    """The last release by rhythm before a detection."""
    at = plan.story(detection.path).team.released_by_rhythm(detection.at).at
    found = list_releases(find_place(tenant, detection.path), start=at, end=at + 1, environment=PRODUCTION)
    return found.items[0].id

"""Releases and defects of unverified repos, for the tests of causes and corrections."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from shipmend.audit.trail import latest
from shipmend.core.causes import Cause
from shipmend.core.moments import iso
from shipmend.core.values import ResourcePath
from shipmend.delivery.causes import cause_of
from shipmend.delivery.models import CriticalDefect
from shipmend.web.trail_lines import Line, lines
from tests.world import FIRST_DAY, Api, World

HOUR = 3600
NOON = FIRST_DAY + 100 * 24 * HOUR


@dataclass(frozen=True)
class Scene:
    """An entity, and a script that reports what happens in it."""

    world: World
    api: Api = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "api", self.world.api())

    @property
    def where(self) -> dict[str, Any]:
        """What the verbs about the defect K-1 are told, for someone who reaches all of the entity."""
        return {"tenant": self.world.tenant, "key": "K-1", "reach": self.world.path}

    def release(self, path: ResourcePath, at: int, **more: object) -> UUID:
        """Report a release of a commit that no other second has."""
        call = {"resource_path": path, "release_sha": f"{at:040x}", "released_at": iso(at), **more}
        reply = self.api.post("releases", call)
        assert reply.status == 200, reply.json
        return UUID(reply.json["release"]["id"])

    def defect(self, path: ResourcePath, at: int, key: str = "K-1", **more: object) -> UUID:
        """Report a defect or a fix for it."""
        call = {"resource_path": path, "defect_key": key, "detected_at": iso(at), **more}
        reply = self.api.post("critical_defects", call)
        assert reply.status == 200, reply.json
        return self.id(key)

    def id(self, key: str) -> UUID:
        """A defect's id."""
        return CriticalDefect.objects.values_list("id", flat=True).get(entity_id=self.world.tenant.id, defect_key=key)

    def cause(self, key: str = "K-1") -> Cause:
        """A defect's cause, as it is derived now."""
        return cause_of(self.world.tenant, self.id(key))

    def last(self, key: str = "K-1") -> Line:
        """The last line of a defect's audit trail."""
        return lines(latest(self.world.tenant.id, subject_id=self.id(key), limit=1))[0]

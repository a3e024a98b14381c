"""The sample as tests have it: in the run's own database, and always of the same day."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from shipmend.audit.trail import COMMAND_LINE
from shipmend.catalog.actions import create_entity
from shipmend.catalog.queries import Tenant, tenant_of
from shipmend.demo.build import build
from shipmend.demo.plan import ENTITY, TIME_ZONE, Plan

SEED = 1
NOW = 1_795_600_800
"""2026-11-25T10:00:00Z, a Wednesday."""


@dataclass(frozen=True)
class Sample:
    """An entity with all that the sample holds."""

    tenant: Tenant
    plan: Plan
    upstreams: Path

    @classmethod
    def make(cls, folder: Path) -> Sample:
        """Build it, once in a database."""
        tenant = tenant_of(create_entity(slug=ENTITY, time_zone=TIME_ZONE, actor=COMMAND_LINE))
        sample = cls(tenant, Plan.make(SEED, NOW), folder)
        sample.build()
        return sample

    def build(self) -> None:
        """Build it, or what is missing of it."""
        build(self.tenant, self.plan, self.upstreams, say=lambda _: None)

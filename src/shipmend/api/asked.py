"""Which place, environment and days a call for figures or for their rows is about."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from shipmend.api import parameters as p
from shipmend.api.endpoint import ApiCall
from shipmend.api.figures import Rows
from shipmend.catalog.queries import Place
from shipmend.core.moments import Moment
from shipmend.core.periods import choose_window
from shipmend.core.windows import Window
from shipmend.delivery.models import PRODUCTION

WINDOW_FIELDS = (p.RESOURCE_PATH, p.REPORT_ENVIRONMENT, p.FIRST_DAY, p.LAST_DAY, p.DAYS_AGO)
"""What `Asked` reads."""


@dataclass(frozen=True, slots=True)
class Asked:
    """It."""

    place: Place
    environment: str
    window: Window

    @classmethod
    def of(cls, call: ApiCall) -> Asked:
        """Read it. Raises Invalid and NotFound."""
        reader = call.reader
        place = call.place(reader.need(p.RESOURCE_PATH))
        zone = place.tenant.zone
        window = choose_window(
            start=_day(reader.get(p.FIRST_DAY), zone),
            end=_day(reader.get(p.LAST_DAY), zone),
            days=reader.get(p.DAYS_AGO),
            today=datetime.fromtimestamp(call.now, zone).date(),
            zone=zone,
        )
        return cls(place, (reader.get(p.REPORT_ENVIRONMENT) or PRODUCTION).lower(), window)

    def context_json(self) -> dict[str, Any]:
        """As answers repeat it."""
        return {
            "entity": self.place.tenant.slug,
            "resource_path": str(self.place.path),
            "environment": self.environment,
            "start_date": self.window.first.isoformat(),
            "end_date": self.window.last.isoformat(),
            "time_zone": self.place.tenant.time_zone,
        }

    def rows(self, call: ApiCall) -> Rows:
        """The way to the rows of its figures."""
        return Rows(call.origin(), self.place.path, self.environment)


def _day(moment: Moment | None, zone: ZoneInfo) -> date | None:
    return datetime.fromtimestamp(moment.epoch, zone).date() if moment else None

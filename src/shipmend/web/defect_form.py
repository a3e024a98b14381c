"""What the forms on the page of a defect have in common. Each carries out what it says, and tells so in a sentence."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from django.http import QueryDict

from shipmend.audit.trail import Actor
from shipmend.catalog.queries import Place, Tenant, find_place
from shipmend.core.defects import DefectReport
from shipmend.core.errors import Invalid, NotFound
from shipmend.core.moments import Moment, UnreadableMoment, read_moment
from shipmend.core.values import ResourcePath
from shipmend.db.writes import write
from shipmend.delivery.actions import defect_work
from shipmend.delivery.commits import CommitFinder
from shipmend.delivery.defect_page import DefectPage
from shipmend.web.forms import PageForm


@dataclass(frozen=True, slots=True)
class Doer:
    """Who sends a form about which defect, and when (epoch seconds)."""

    tenant: Tenant
    actor: Actor
    key: str
    now: int

    @property
    def reach(self) -> ResourcePath:
        """All of the entity: its members reach every defect."""
        return ResourcePath(self.tenant.slug)

    @property
    def where(self) -> dict[str, Any]:
        """What every verb about the defect is told."""
        return {"tenant": self.tenant, "key": self.key, "reach": self.reach, "actor": self.actor}

    def place(self, path: str, parameter: str) -> Place:
        """The place that somebody typed. Raises Invalid at its field."""
        try:
            return find_place(self.tenant, ResourcePath.parse(path, parameter=parameter))
        except NotFound as unknown:
            mend = "give the path of a repo of this entity"
            raise Invalid(parameter, "names nothing here", value=path, mend=mend) from unknown

    def moment(self, text: str, parameter: str) -> Moment:
        """The moment that somebody typed, on the entity's clocks. Raises Invalid at its field."""
        tenant = self.tenant
        try:
            return read_moment(text, zone=tenant.zone, date_order=tenant.date_order, now=self.now)
        except UnreadableMoment as error:
            raise Invalid(parameter, error.because, value=text, mend=error.mend) from error

    def report(self, place: Place, report: DefectReport) -> None:
        """Report it as a call would. Raises Invalid."""
        finder = CommitFinder()
        work = defect_work(place=place, report=report, finder=finder, reach=self.reach, actor=self.actor, now=self.now)
        write(work)


class DefectForm(PageForm):
    """A form about a defect. `word` names it among the page's forms, and is sent as `do`."""

    word: ClassVar[str]

    def __init__(self, typed: QueryDict | None, *, page: DefectPage, tenant: Tenant, subject: str = "") -> None:
        prefix = f"{self.word}-{subject}" if subject else self.word
        self.page, self.tenant, self.subject = page, tenant, subject
        super().__init__(typed, prefix=prefix, initial=self.present())

    @property
    def do(self) -> str:
        """What its button sends, to tell it from the other forms."""
        return f"{self.word} {self.subject}".strip()

    def present(self) -> dict[str, object]:
        """What stands in the fields until something is typed."""
        return {}

    def carry_out(self, doer: Doer) -> str:
        """Do it, and say what was done. Raises what the verb raises."""
        raise NotImplementedError


def wall_clock(epoch: int, tenant: Tenant) -> str:
    """An instant as people of the entity would type it, and with its offset: an hour may come twice."""
    return f"{datetime.fromtimestamp(epoch, tenant.zone):%Y-%m-%d %H:%M:%S %z}"


def read_id(text: str) -> UUID:
    """The id that a form carries along. Raises NotFound for what is none."""
    try:
        return UUID(text)
    except ValueError as error:
        raise NotFound("There is no such fix.") from error

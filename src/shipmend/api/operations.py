"""What each operation does. The reference in one reading: parameters in `parameters`, mounts in `urls`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from shipmend.accounts.idempotency import KeptAnswer
from shipmend.api import imports
from shipmend.api import parameters as p
from shipmend.api.endpoint import ApiCall, Operation
from shipmend.api.envelope import Answer, defect_json, judged_defect_json, release_json
from shipmend.api.recording import (
    DEFECT_ACTION,
    DEFECT_FIELDS,
    RELEASE_ACTION,
    RELEASE_FIELDS,
    defect_recorded,
    defect_report,
    release_recorded,
    release_report,
)
from shipmend.catalog.queries import Place
from shipmend.core.defects import DefectState
from shipmend.core.errors import Invalid
from shipmend.core.moments import Moment, Precision
from shipmend.core.values import Scope
from shipmend.delivery import actions, queries
from shipmend.delivery.causes import cause_of, causes_by_id
from shipmend.delivery.commits import CommitFinder
from shipmend.delivery.queries import Page
from shipmend.delivery.views import DefectView, ReleaseView

GET_RESOURCE = "action_get_resource"

_BACK = "Recording it again brings it back; a call under an Idempotency-Key already used is only answered as before."


def check_token(call: ApiCall) -> Answer:
    """Say that the token works, in the contract's words."""
    return Answer(GET_RESOURCE, "Your token is ready for use 👍")


def post_release(call: ApiCall) -> Answer | KeptAnswer:
    """Ensure that a release is recorded."""
    report = release_report(call.reader)
    place = call.place(report.path)

    def prepare() -> Callable[[], Answer]:
        prepared = actions.prepare_release(
            place=place, report=report, finder=CommitFinder(), actor=call.caller.actor, now=call.now
        )
        return lambda: release_recorded(actions.record_release(prepared, now=call.now))

    return call.write(prepare)


def list_releases(call: ApiCall) -> Answer:
    """The releases at or below a resource, newest first."""
    place = call.place(call.reader.need(p.RESOURCE_PATH))
    start, end = _window(call)
    environment = call.reader.get(p.ENVIRONMENT)
    page = queries.list_releases(
        place, start=start, end=end, environment=environment.lower() if environment else None, page=_page(call)
    )
    return _listed(place, "releases", page, release_json)


def get_release(call: ApiCall) -> Answer:
    """One release."""
    release, repo = actions.standing_release(call.caller.tenant, call.ids["release_id"], call.caller.reach)
    return Answer(
        GET_RESOURCE, "Here is the release.", more={"release": release_json(ReleaseView.of(release, repo.path))}
    )


def delete_release(call: ApiCall) -> Answer | KeptAnswer:
    """Take a release back."""
    caller = call.caller

    def work() -> Answer:
        recorded = actions.delete_release(
            tenant=caller.tenant,
            release_id=call.ids["release_id"],
            reach=caller.reach,
            actor=caller.actor,
            now=call.now,
        )
        view = ReleaseView.of(recorded.release, recorded.path)
        detail = f"The release has been taken out; the audit trail keeps it. {_BACK}"
        return Answer("action_release_deleted", detail, more={"release": release_json(view)})

    return call.write(lambda: work)


def post_defect(call: ApiCall) -> Answer | KeptAnswer:
    """Ensure that a critical defect is recorded, and that a fix is."""
    report = defect_report(call.reader)
    place = call.place(report.path)
    caller = call.caller

    def prepare() -> Callable[[], Answer]:
        work = actions.defect_work(
            place=place,
            report=report,
            finder=CommitFinder(),
            reach=caller.reach,
            actor=caller.actor,
            now=call.now,
        )
        return lambda: defect_recorded(work())

    return call.write(prepare)


def list_defects(call: ApiCall) -> Answer:
    """The defects of a resource, newest first."""
    place = call.place(call.reader.need(p.RESOURCE_PATH))
    start, end = _window(call)
    page = queries.list_defects(place, start=start, end=end, state=_state(call), page=_page(call))
    causes = causes_by_id(place.tenant, [view.id for view in page.items])
    return _listed(place, "critical_defects", page, lambda view: judged_defect_json(view, causes[view.id]))


def _state(call: ApiCall) -> DefectState | None:
    resolved, is_open = call.reader.get(p.RESOLVED), call.reader.get(p.OPEN)
    if resolved is not None and resolved == is_open:
        raise Invalid("open", "and resolved contradict each other", value=str(is_open).lower(), mend="give one of them")
    wants_open = is_open if resolved is None else not resolved
    return None if wants_open is None else DefectState.OPEN if wants_open else DefectState.RESOLVED


def get_defect(call: ApiCall) -> Answer:
    """One defect."""
    defect = actions.standing_defect(call.caller.tenant, call.ids["defect_key"], call.caller.reach)
    cause = cause_of(call.caller.tenant, defect.id)
    more = {"defect": judged_defect_json(DefectView.of(defect), cause)}
    return Answer(GET_RESOURCE, "Here is the defect.", more=more)


def delete_defect(call: ApiCall) -> Answer | KeptAnswer:
    """Take a defect back."""
    caller = call.caller

    def work() -> Answer:
        recorded = actions.delete_defect(
            tenant=caller.tenant, key=call.ids["defect_key"], reach=caller.reach, actor=caller.actor, now=call.now
        )
        detail = f"The defect has been taken out; the audit trail keeps it. {_BACK}"
        return Answer("action_defect_deleted", detail, more={"defect": defect_json(DefectView.of(recorded.defect))})

    return call.write(lambda: work)


def _window(call: ApiCall) -> tuple[int | None, int | None]:
    """Epoch seconds of the first instant to list and of the one to stop before."""
    start, end = call.reader.get(p.START_DATE), call.reader.get(p.END_DATE)
    until = _stop(end, call.caller.tenant.zone) if end else None
    if start and end and until is not None and end.epoch < start.epoch and until <= start.epoch:
        raise Invalid("end_date", f"lies before start_date {start.text}", value=end.text, mend="give a later one")
    return (start.epoch if start else None), until


def _stop(end: Moment, zone: ZoneInfo) -> int:
    if end.precision is not Precision.DAY:
        return end.epoch
    day = datetime.fromtimestamp(end.epoch, zone).date() + timedelta(days=1)
    return int(datetime.combine(day, time.min, zone).timestamp())


def _page(call: ApiCall) -> int:
    return call.reader.get(p.PAGE) or 1


def _listed(place: Place, name: str, page: Page[Any], show: Callable[[Any], dict[str, Any]]) -> Answer:
    more = {
        "context": {"entity": place.tenant.slug, "resource_path": str(place.path)},
        name: [show(item) for item in page.items],
        "page": page.number,
        "pages": page.count,
        "per_page": page.size,
        "total": page.total,
    }
    return Answer(GET_RESOURCE, f"{page.total} found, page {page.number} of {page.count}.", more=more)


LIST_FIELDS = (p.RESOURCE_PATH, p.START_DATE, p.END_DATE, p.PAGE)

API_TOKENS = (
    Operation(
        method="GET",
        action_em=GET_RESOURCE,
        summary="Check a token",
        doc="Says whether the token can be used. Takes no parameters.",
        run=check_token,
        scope=None,
    ),
)
RELEASES = (
    Operation(
        method="POST",
        action_em=RELEASE_ACTION,
        summary="Record a release",
        doc="Ensures that a release is recorded. The same call again changes nothing; a call that sends more about the"
        " same commit at the same instant changes only what it sends.",
        run=post_release,
        fields=(*RELEASE_FIELDS, p.DRY_RUN),
        scope=Scope.RELEASES_WRITE,
        answers=("release", "Release", False),
        may_wait=True,
    ),
    Operation(
        method="GET",
        action_em=GET_RESOURCE,
        summary="List releases",
        doc="The releases at or below a resource, newest first.",
        run=list_releases,
        fields=(*LIST_FIELDS, p.ENVIRONMENT),
        answers=("releases", "Release", True),
    ),
)
RELEASE = (
    Operation(
        method="GET",
        action_em=GET_RESOURCE,
        summary="Read a release",
        doc="One release, by the id that recording it answered.",
        run=get_release,
        answers=("release", "Release", False),
    ),
    Operation(
        method="DELETE",
        action_em="action_delete_release",
        summary="Take a release back",
        doc=f"The release counts nowhere any more; the audit trail keeps it. {_BACK}",
        run=delete_release,
        scope=Scope.RELEASES_WRITE,
        answers=("release", "Release", False),
    ),
)
CRITICAL_DEFECTS = (
    Operation(
        method="POST",
        action_em=DEFECT_ACTION,
        summary="Record a critical defect, or a fix for it",
        doc="Ensures that a defect is recorded and, with any of the fix parameters, that a fix has been released. A fix"
        " needs a repo's resource_path. A defect is resolved at its latest fix over all repos. To a defect beyond its"
        " reach a token may only add a fix, and is told nothing else of it.",
        run=post_defect,
        fields=(*DEFECT_FIELDS, p.DRY_RUN),
        scope=Scope.DEFECTS_WRITE,
        answers=("defect", "Defect", False),
        may_wait=True,
    ),
    Operation(
        method="GET",
        action_em=GET_RESOURCE,
        summary="List critical defects",
        doc="The defects found at or below a resource, or with a fix there, newest first, each with its cause.",
        run=list_defects,
        fields=(*LIST_FIELDS, p.RESOLVED, p.OPEN),
        answers=("critical_defects", "Defect", True),
    ),
)
CRITICAL_DEFECT = (
    Operation(
        method="GET",
        action_em=GET_RESOURCE,
        summary="Read a critical defect",
        doc="One defect of the token's entity, with its fixes and its cause: `named`, `accepted`, a `guess` (the last"
        " release to production at or before the detection, in the repos concerned, within the entity's window), or"
        " `unattributed`.",
        run=get_defect,
        answers=("defect", "Defect", False),
    ),
    Operation(
        method="DELETE",
        action_em="action_delete_defect",
        summary="Take a critical defect back",
        doc=f"The defect counts nowhere any more; the audit trail keeps it. {_BACK}",
        run=delete_defect,
        scope=Scope.DEFECTS_WRITE,
        answers=("defect", "Defect", False),
    ),
)
IMPORTS = (
    Operation(
        method="POST",
        action_em="action_create_import",
        summary="Register a repository and index it",
        doc="Makes the repo at resource_path if it is missing, gives it its git address, or what it is part of, and"
        " queues its index.",
        run=imports.post_import,
        fields=(p.RESOURCE_PATH, p.REPO_PATH, p.SOURCE_PATH, p.PATHS, p.DRY_RUN),
        scope=Scope.IMPORTS_WRITE,
        answers=("import", "Import", False),
    ),
    Operation(
        method="GET",
        action_em=GET_RESOURCE,
        summary="List repositories",
        doc="The repos at or below a resource, with the state of their index.",
        run=imports.list_imports,
        fields=(p.RESOURCE_PATH,),
        answers=("imports", "Import", True),
    ),
)

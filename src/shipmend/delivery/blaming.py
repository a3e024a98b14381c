"""The verbs that say which release caused a defect. Each is for inside write(), and is kept in the audit trail."""

from __future__ import annotations

from uuid import UUID

from shipmend.audit import trail
from shipmend.audit.trail import Actor
from shipmend.catalog.queries import Tenant, repo_by_id
from shipmend.core.causes import Case, Cause, Standing, Verdict, decide_cause
from shipmend.core.defects import Defect
from shipmend.core.errors import Invalid, NotFound
from shipmend.core.releases import Action, FieldChange, Kind, Status
from shipmend.core.values import ResourcePath
from shipmend.delivery import store, verdicts
from shipmend.delivery.actions import RecordedDefect, owned_defect, standing_release
from shipmend.delivery.causes import candidates_for, cases_of, cause_window
from shipmend.delivery.models import CriticalDefect
from shipmend.delivery.streams import title

SAID = {
    Standing.UNSAID: "cause_cleared",
    Standing.NAMED: "cause_named",
    Standing.ACCEPTED: "cause_accepted",
    Standing.NONE: "cause_denied",
}
"""The action in the audit trail."""


def name_cause(*, tenant: Tenant, key: str, release_id: UUID, reach: ResourcePath, actor: Actor) -> RecordedDefect:
    """Say which release caused a defect.

    Raises NotFound and Forbidden; Invalid for a release out of reach, for one that came after the detection, and for
    one that changed nothing.
    """
    defect = owned_defect(tenant, key, reach)
    try:
        release, _ = standing_release(tenant, release_id, reach)
    except NotFound as unknown:
        because, mend = "names no release that can be reached from here", "give the id of one, as its page shows it"
        raise Invalid("release", because, value=str(release_id), mend=mend) from unknown
    if release.released is None or release.released.epoch > defect.detected.epoch:
        because = f"was not live yet when the defect was detected, at {defect.detected}"
        mend = "name an earlier one, or correct detected_at first"
        raise Invalid("release", because, value=release.name or str(release_id), mend=mend)
    if release.status is not Status.SUCCEEDED or release.kind is Kind.REDEPLOY:
        because = "changed nothing, as it " + (
            "only did again the release before it" if release.kind is Kind.REDEPLOY else f"was {release.status}"
        )
        mend = "name the one that changed what was live"
        raise Invalid("release", because, value=release.name or str(release_id), mend=mend)
    return _say(tenant, defect, Verdict(Standing.NAMED, release_id), actor)


def accept_cause(*, tenant: Tenant, key: str, seen: UUID | None, reach: ResourcePath, actor: Actor) -> RecordedDefect:
    """Say that the guess is right. `seen` is the release that the caller takes for it; None: whatever it is.

    Raises NotFound and Forbidden; Invalid when there is no guess, or another one by now.
    """
    defect = owned_defect(tenant, key, reach)
    guessed = present_guess(tenant, defect.id)
    if guessed.release_id is None:
        raise Invalid("accept", "finds no guess", mend=f"name a release instead ({guessed.reason.rstrip('.')})")
    if seen not in (None, guessed.release_id):
        because = "is not the guess any more, which has moved to another release since"
        raise Invalid("release", because, value=str(seen), mend="look at the defect again")
    return _say(tenant, defect, Verdict(Standing.ACCEPTED, guessed.release_id), actor)


def deny_cause(*, tenant: Tenant, key: str, reach: ResourcePath, actor: Actor) -> RecordedDefect:
    """Say that no release caused a defect. Raises NotFound and Forbidden."""
    return _say(tenant, owned_defect(tenant, key, reach), Verdict(Standing.NONE), actor)


def clear_cause(*, tenant: Tenant, key: str, reach: ResourcePath, actor: Actor) -> RecordedDefect:
    """Take back what was said of a defect's cause, so that it is guessed. Raises NotFound and Forbidden."""
    return _say(tenant, owned_defect(tenant, key, reach), Verdict(), actor)


def present_guess(tenant: Tenant, defect_id: UUID) -> Cause:
    """What would be guessed if nobody had said anything: of the kind `guess` or `unattributed`."""
    case = _case(tenant, defect_id)._replace(verdict=Verdict())
    window = cause_window(tenant)
    return decide_cause(case, candidates_for(tenant, {defect_id: case}, window), window)


def _say(tenant: Tenant, defect: Defect, verdict: Verdict, actor: Actor) -> RecordedDefect:
    before = _case(tenant, defect.id).verdict
    if (before.standing, before.release_id) == (verdict.standing, verdict.release_id):
        return RecordedDefect(defect, Action.UNCHANGED)
    verdicts.write_verdict(tenant, defect.id, verdict)
    change = FieldChange("cause", _told(tenant, before), _told(tenant, verdict))
    action = SAID[verdict.standing]
    trail.record(tenant.id, actor, action, defect.key, subject_id=defect.id, changes=[change])
    return RecordedDefect(defect, Action.UPDATED)


def _case(tenant: Tenant, defect_id: UUID) -> Case:
    return cases_of(tenant, CriticalDefect.objects.filter(entity_id=tenant.id, id=defect_id))[defect_id]


def _told(tenant: Tenant, verdict: Verdict) -> str | None:
    """What was said, for the audit trail: a deleted release still has its name."""
    if verdict.release_id is None:
        return "no release" if verdict.standing is Standing.NONE else None
    found = store.release_by_id(tenant, verdict.release_id)
    repo = repo_by_id(tenant, found[1]) if found else None
    named = title(repo, found[0].release) if found and repo else "a release of a repo that was removed"
    return f"{verdict.standing} {named} ({verdict.release_id})"

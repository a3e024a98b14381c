"""Releases and defects as calls report them, one at a time or in a batch: read here, and answered here."""

from __future__ import annotations

from shipmend.api import parameters as p
from shipmend.api.envelope import PENDING, SUCCESS, Answer, defect_json, foreign_defect_json, release_json
from shipmend.api.fields import Reader
from shipmend.core.defects import DefectReport, FixReport
from shipmend.core.errors import Invalid
from shipmend.core.releases import CommitState, Instant, ReleaseReport
from shipmend.core.values import Sha
from shipmend.delivery.actions import RecordedDefect, RecordedRelease
from shipmend.delivery.models import PRODUCTION
from shipmend.delivery.views import DefectView, FixView, ReleaseView

RELEASE_ACTION = "action_create_release"
DEFECT_ACTION = "action_create_defect"
"""What was tried, in answers that refuse it."""

RELEASE_FIELDS = (
    p.RESOURCE_PATH,
    p.RELEASE_SHA,
    p.HEAD_LONG,
    p.RELEASE_NAME,
    p.RELEASED_AT,
    p.RELEASE_NOW,
    p.ENVIRONMENT,
    p.STATUS,
    p.ISSUE_KEYS,
)
DEFECT_FIELDS = (
    p.DEFECT_KEY,
    p.RESOURCE_PATH,
    p.DETECTED_AT,
    p.DETECTED_NOW,
    p.DESCRIPTION,
    p.FIX_RELEASED_AT,
    p.FIX_RELEASED_NOW,
    p.FIX_RELEASED_SHA,
    p.SEVERITY,
)


def release_report(reader: Reader) -> ReleaseReport:
    """What a call says of a release. Raises Invalid."""
    return ReleaseReport(
        path=reader.need(p.RESOURCE_PATH),
        sha=_release_sha(reader),
        released_at=reader.get(p.RELEASED_AT),
        release_now=bool(reader.get(p.RELEASE_NOW)),
        environment=(reader.get(p.ENVIRONMENT) or PRODUCTION).lower(),
        name=reader.get(p.RELEASE_NAME),
        status=reader.get(p.STATUS),
        issue_keys=reader.get(p.ISSUE_KEYS),
    )


def _release_sha(reader: Reader) -> Sha | None:
    sha, alias = reader.get(p.RELEASE_SHA), reader.get(p.HEAD_LONG)
    if sha and alias and not (sha.digits.startswith(alias.digits) or alias.digits.startswith(sha.digits)):
        raise Invalid(
            p.HEAD_LONG.name,
            f"and release_sha {sha.digits} name two commits",
            value=alias.digits,
            mend="give one of them, since they are two names of one parameter",
        )
    return max((found for found in (sha, alias) if found), key=lambda found: len(found.digits), default=None)


def release_recorded(recorded: RecordedRelease) -> Answer:
    """The answer to a release that was recorded."""
    release = recorded.release
    is_pending = release.commit.state is CommitState.PENDING
    clock = release.released.moment().wall_clock_release() if release.released else "the time of its commit"
    return Answer(
        f"action_release_{recorded.action}",
        f"Release ensured to exist at {clock} in '{recorded.path}'",
        202 if is_pending else 200,
        PENDING if is_pending else SUCCESS,
        {"release": release_json(ReleaseView.of(release, recorded.path)), "warnings": list(recorded.warnings)},
    )


def defect_report(reader: Reader) -> DefectReport:
    """What a call says of a defect. Raises Invalid."""
    fix = FixReport(
        sha=reader.get(p.FIX_RELEASED_SHA),
        released_at=reader.get(p.FIX_RELEASED_AT),
        released_now=bool(reader.get(p.FIX_RELEASED_NOW)),
    )
    return DefectReport(
        key=reader.need(p.DEFECT_KEY),
        path=reader.need(p.RESOURCE_PATH),
        detected_at=reader.get(p.DETECTED_AT),
        detected_now=bool(reader.get(p.DETECTED_NOW)),
        description=reader.get(p.DESCRIPTION),
        severity=reader.get(p.SEVERITY),
        fix=fix if fix.sha or fix.released_at or fix.released_now else None,
    )


def defect_recorded(recorded: RecordedDefect) -> Answer:
    """The answer to a defect that was recorded; of one beyond the caller's reach, to a fix."""
    defect = recorded.defect
    if recorded.fixes_to_tell is None:
        told = defect_json(DefectView.of(defect))
        at: Instant | None = defect.detected
    else:
        told = foreign_defect_json(defect.key, [FixView.of(fix) for fix in recorded.fixes_to_tell])
        at = recorded.fix.released if recorded.fix else None
    clock = at.moment().wall_clock() if at else "the time of its commit"
    return Answer(
        f"action_defect_{recorded.action}",
        f"Successfully ensured creation of defect release at {clock}",
        202 if recorded.is_pending else 200,
        PENDING if recorded.is_pending else SUCCESS,
        {"defect": told, "warnings": list(recorded.warnings)},
    )

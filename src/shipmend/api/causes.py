"""Which release caused a defect, as callers say it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from shipmend.accounts.idempotency import KeptAnswer
from shipmend.api import parameters as p
from shipmend.api.endpoint import ApiCall, Operation
from shipmend.api.envelope import Answer, judged_defect_json
from shipmend.core.errors import Invalid
from shipmend.core.values import Scope
from shipmend.delivery import blaming
from shipmend.delivery.actions import RecordedDefect
from shipmend.delivery.causes import cause_of
from shipmend.delivery.views import DefectView


def post_cause(call: ApiCall) -> Answer | KeptAnswer:
    """Say which release caused a defect, or that none did."""
    say = _said(call)
    caller = call.caller

    def work() -> Answer:
        recorded = say(tenant=caller.tenant, key=call.ids["defect_key"], reach=caller.reach, actor=caller.actor)
        cause = cause_of(caller.tenant, recorded.defect.id)
        more = {"defect": judged_defect_json(DefectView.of(recorded.defect), cause)}
        return Answer(f"action_defect_{recorded.action}", cause.reason, more=more)

    return call.write(lambda: work)


def _said(call: ApiCall) -> Callable[..., RecordedDefect]:
    """The verb that the call asks for, with what it gives beside the defect."""
    release = call.reader.get(p.CAUSE_RELEASE)
    flags = [field.name for field in (p.ACCEPT, p.NONE, p.CLEAR) if call.reader.get(field)]
    if len(flags) > 1:
        raise Invalid(flags[1], f"stands beside {flags[0]}", mend="say one thing at a time")
    if flags == [p.ACCEPT.name]:
        return partial(blaming.accept_cause, seen=release)
    if release is not None and flags:
        raise Invalid("release", f"stands beside {flags[0]}", mend="say one thing at a time")
    if release is not None:
        return partial(blaming.name_cause, release_id=release)
    if not flags:
        raise Invalid("release", "is missing, and so are accept, none and clear", mend="give one of them")
    return blaming.deny_cause if flags == [p.NONE.name] else blaming.clear_cause


CAUSE = (
    Operation(
        method="POST",
        action_em="action_name_cause",
        summary="Say which release caused a defect",
        doc="Give one of the four: `release` names it, `accept` agrees to the guess, `none` says that no release caused"
        " it, `clear` takes back what was said. What is said goes before the guess until that release is deleted.",
        run=post_cause,
        fields=(p.CAUSE_RELEASE, p.ACCEPT, p.NONE, p.CLEAR, p.DRY_RUN),
        scope=Scope.DEFECTS_WRITE,
        answers=("defect", "Defect", False),
    ),
)

"""A repository's tags, taken as its releases by the rule that anyone could set in the pages."""

from __future__ import annotations

from shipmend.audit.trail import COMMAND_LINE
from shipmend.catalog.models import Repo
from shipmend.catalog.queries import Place
from shipmend.core.amounts import several
from shipmend.core.tracking import RuleKind, read_rule
from shipmend.db.ids import new_id
from shipmend.delivery.handlers import follow_up_now
from shipmend.delivery.models import PRODUCTION
from shipmend.delivery.rules import preview, was_set
from shipmend.delivery.tracking import add_rule


def take_tags(place: Place, repo: Repo) -> str:
    """Have the repo's tags made its releases, and tell what came of it. A rule that somebody deleted stays deleted."""
    rule = read_rule(new_id(), RuleKind.ANY_TAG, "", PRODUCTION)
    told = preview(place.tenant, rule, [repo])
    was = was_set(place.tenant, rule, place.repo)
    if was is None:
        add_rule(tenant=place.tenant, rule=rule, repo=place.repo, actor=COMMAND_LINE)
    follow_up_now(repo)
    if was is not None and was.is_deleted:
        return "the rule that made its tags releases is deleted"
    tags = several(told.matches, "tag is", "tags are")
    return f"{tags} {several(told.releases, 'release')}, {told.new:,} of them new"

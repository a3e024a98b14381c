"""`shipmend live`: is it live, for people and for scripts.

Exit codes: 0 live, 1 not live, 3 not known; 2 is wrong usage. A refusal ends with 1 as well, and a sentence on
standard error.
"""

from __future__ import annotations

import sys

from shipmend.catalog.queries import Place, every_tenant, find_place, find_tenant
from shipmend.core.live import State
from shipmend.core.values import ResourcePath
from shipmend.delivery.live import LiveAnswer, find_live
from shipmend.delivery.live_words import in_words
from shipmend.delivery.models import PRODUCTION

LIVE = 0
NOT_LIVE = 1
NOT_KNOWN = 3


def run(*, what: str, environment: str | None, path: ResourcePath | None) -> int:
    """Say where it stands, a line for each repo and environment; the exit code speaks of one environment."""
    wanted = environment.lower() if environment else None
    answers = [find_live(place, what, wanted) for place in _places(path)]
    known = [answer for answer in answers if answer.is_known]
    for answer in known or answers:
        for warning in answer.warnings:
            print(f"shipmend: {warning}", file=sys.stderr)
    if not known:
        print(f"{what}: not known")
        return NOT_KNOWN
    for answer in known:
        for row in answer.rows:
            print(f"{row.path}  {row.environment}  {in_words(row)}")
    return LIVE if _is_live(known, wanted or PRODUCTION) else NOT_LIVE


def _places(path: ResourcePath | None) -> list[Place]:
    if path is not None:
        return [find_place(find_tenant(path.entity), path)]
    return [Place(tenant, ResourcePath(tenant.slug)) for tenant in every_tenant()]


def _is_live(answers: list[LiveAnswer], environment: str) -> bool:
    """In every repo that knows it."""
    rows = [row for answer in answers for row in answer.rows]
    there = [row for row in rows if row.environment == environment]
    repos = {row.path for row in rows if row.state is not State.NOT_KNOWN}
    return {row.path for row in there if row.state is State.LIVE} == repos

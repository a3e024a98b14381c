"""`shipmend token create`: an API token for a script."""

from __future__ import annotations

import sys

from shipmend.accounts.tokens import issue
from shipmend.audit.trail import COMMAND_LINE
from shipmend.catalog.queries import find_place, find_tenant
from shipmend.core.values import DEFAULT_SCOPES, ResourcePath, Scope


def run(*, path: ResourcePath, name: str, scope: list[Scope] | None, days: int | None) -> int:
    """Make a token bound to `path`. It stands alone on standard output; about it, on standard error."""
    place = find_place(find_tenant(path.entity), path)
    scopes = frozenset(scope) if scope else DEFAULT_SCOPES
    issued = issue(place=place, name=name, scopes=scopes, days=days, actor=COMMAND_LINE)
    until = "never expires" if days is None else f"expires in {days} days"
    print(f"A token for {path} that {until}; it is shown this once:", file=sys.stderr)
    print(issued.text)
    return 0

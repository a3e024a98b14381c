"""Every operation of the API: the scope that it needs, and good calls of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from uuid import uuid4

from shipmend.core.values import Scope
from tests.security.things import Household
from tests.world import Api, Reply

READ, RELEASES, DEFECTS, IMPORTS = Scope.READ, Scope.RELEASES_WRITE, Scope.DEFECTS_WRITE, Scope.IMPORTS_WRITE


@dataclass(frozen=True)
class Row:
    """An operation: the scope it needs, and a good call of it, with `{things}` that may be somebody else's."""

    scope: Scope | None
    """None: any token may."""
    path: str
    given: Mapping[str, str] = field(default_factory=dict)
    lost: Mapping[str, int] = field(default_factory=dict)
    """What is answered when one of the things is foreign, hidden or absent; 404 unless said."""
    is_line: bool = False
    """Given as the one line of a body of JSON lines: the answer that counts is that line's."""

    @property
    def things(self) -> list[str]:
        """The names in braces."""
        return [thing for thing in THINGS if f"{{{thing}}}" in self.path + "".join(self.given.values())]


THINGS = ("path", "release", "defect", "source", "part")
RELEASE = {"resource_path": "{path}", "release_sha": "{sha}", "released_at": "2024-02-01"}
DEFECT = {"resource_path": "{path}", "defect_key": "OWN-1", "detected_at": "2024-02-01"}
WHERE = {"resource_path": "{path}"}

ROWS: dict[str, tuple[Row, ...]] = {
    "GET api_tokens": (Row(None, "api_tokens"),),
    "POST releases": (Row(RELEASES, "releases", RELEASE), Row(RELEASES, "releases", {**RELEASE, "dry_run": "true"})),
    "GET releases": (Row(READ, "releases", WHERE),),
    "GET releases/<uuid:release_id>": (Row(READ, "releases/{release}"),),
    "DELETE releases/<uuid:release_id>": (Row(RELEASES, "releases/{release}"),),
    "GET releases/<uuid:release_id>/changes": (Row(READ, "releases/{release}/changes"),),
    "GET changes": (
        Row(READ, "changes", {**WHERE, "from": "{sha}", "to": "main"}),
        Row(READ, "changes", {"resource_path": "{own}", "from": "{release}", "to": "main"}, lost={"release": 400}),
    ),
    "GET live": (
        Row(READ, "live", {**WHERE, "sha": "{sha}"}),
        Row(READ, "live", {"resource_path": "{own}", "release": "{release}"}, lost={"release": 200}),
    ),
    "GET waiting": (Row(READ, "waiting", WHERE),),
    "GET reports": (
        Row(READ, "reports", {**WHERE, "segment_em": "commits_waiting,change_fail_rate", "segment_by": "repo"}),
        Row(READ, "reports", {**WHERE, "segment_em": "change_lead_time", "segment_by": "author"}),
    ),
    "GET segment_introspections": (Row(READ, "segment_introspections"),),
    "GET audits": tuple(
        Row(READ, "audits", {**WHERE, "resource_type": kind}) for kind in ("commits", "releases", "defects", "tickets")
    ),
    "GET developers": (Row(READ, "developers", WHERE),),
    "POST critical_defects": (
        Row(DEFECTS, "critical_defects", DEFECT),
        Row(DEFECTS, "critical_defects", {**DEFECT, "fix_released_at": "2024-03-01"}),
    ),
    "GET critical_defects": (Row(READ, "critical_defects", WHERE),),
    "GET critical_defects/<path:defect_key>": (Row(READ, "critical_defects/{defect}"),),
    "DELETE critical_defects/<path:defect_key>": (Row(DEFECTS, "critical_defects/{defect}"),),
    "POST imports": (
        Row(IMPORTS, "imports", WHERE),
        Row(IMPORTS, "imports", {**WHERE, "repo_path": "https://example.org/a.git"}),
        Row(IMPORTS, "imports", {"resource_path": "{part}", "source_path": "{source}", "paths": "src/**"}),
    ),
    "POST critical_defect_causes/<path:defect_key>": (
        Row(DEFECTS, "critical_defect_causes/{defect}", {"none": "true"}),
        Row(DEFECTS, "critical_defect_causes/{defect}", {"release": "{release}"}, {"release": 400}),
    ),
    "POST batch": (
        Row(RELEASES, "batch", {"type": "release", **RELEASE}, is_line=True),
        Row(DEFECTS, "batch", {"type": "defect", **DEFECT}, is_line=True),
    ),
    "GET imports": (Row(READ, "imports", WHERE),),
}
"""By method and path below /api/v1/."""

NEEDS_NO_TOKEN = {"api/v1/openapi.json", "api/v1/", "^api/"}
"""The document, and the answers to addresses that are no operation's."""

CELLS = [(name, row) for name, rows in ROWS.items() for row in rows]


def good_things(home: Household, row: Row) -> dict[str, str]:
    """What a good call names."""
    fresh = uuid4().hex[:8]
    things = {"path": home.path(), "own": home.path(), "sha": home.sha(), "source": home.path(), "part": home.path()}
    if "{part}" in row.given.values():
        things["part"] = home.path(f"part-{fresh}")
    if "release" in row.things:
        things["release"] = home.release()
    if "defect" in row.things:
        things["defect"] = home.defect()
    return things


def send(caller: Api, name: str, row: Row, things: Mapping[str, str]) -> Reply:
    """Make the call with these things in it."""
    path = row.path.format(**things)
    given = {parameter: value.format(**things) for parameter, value in row.given.items()}
    if row.is_line:
        reply = caller.post_json(path, given)
        return replace(reply, status=reply.json.get("status", reply.status))
    if name.startswith("POST"):
        return caller.post(path, given)
    return caller.delete(path) if name.startswith("DELETE") else caller.get(path, **given)

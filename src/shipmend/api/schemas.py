"""What good answers hold, as the OpenAPI document tells it."""

from __future__ import annotations

from typing import Any

from shipmend.api.report_schemas import REPORT_SCHEMAS
from shipmend.core.causes import CauseKind
from shipmend.core.live import State

_WORDS = {
    "action_em": {"type": "string"},
    "response_em": {"type": "string"},
    "response_detail": {"type": "string"},
}
_TIME = {"type": ["string", "null"], "format": "date-time"}
_NAME = {"type": ["string", "null"]}
_COUNT = {"type": "integer"}
_LINES = {"type": ["integer", "null"]}

SCHEMAS: dict[str, Any] = {
    "Envelope": {"type": "object", "required": list(_WORDS), "properties": _WORDS},
    "Release": {
        "type": "object",
        "properties": {
            "id": {"type": "string", "format": "uuid"},
            "resource_path": {"type": "string"},
            "environment": {"type": "string"},
            "name": _NAME,
            "released_at": _TIME,
            "release_sha": _NAME,
            "kind": {"enum": ["baseline", "forward", "rollback", "diverged", "redeploy", None]},
            "status": {"enum": ["succeeded", "failed", "cancelled"]},
            "commit_state": {"enum": ["known", "pending", "unverified", "rejected"]},
            "issue_keys_resolved": {"type": "array", "items": {"type": "string"}},
        },
    },
    "Defect": {
        "type": "object",
        "description": "A critical defect. A token whose reach does not hold it and that adds a fix is told its key and"
        " the fixes within that reach, and no other member.",
        "properties": {
            "defect_key": {"type": "string"},
            "resource_path": {"type": "string"},
            "detected_at": {"type": "string", "format": "date-time"},
            "description": _NAME,
            "severity": {"type": ["integer", "null"]},
            "resolved_at": _TIME,
            "fixes": {"type": "array", "items": {"$ref": "#/components/schemas/Fix"}},
            "cause": {"$ref": "#/components/schemas/Cause"},
        },
    },
    "Cause": {
        "type": "object",
        "description": "The release that caused a defect as far as anybody knows. Answers to reports leave it out.",
        "properties": {
            "kind": {"enum": [str(kind) for kind in CauseKind]},
            "release_id": {"type": ["string", "null"], "format": "uuid"},
            "reason": {"type": "string"},
        },
    },
    "Fix": {
        "type": "object",
        "properties": {
            "resource_path": {"type": "string"},
            "released_at": _TIME,
            "release_sha": _NAME,
            "commit_state": {"enum": ["known", "pending", "unverified", "rejected", None]},
        },
    },
    "Changes": {
        "type": "object",
        "properties": {
            "from": {"oneOf": [{"$ref": "#/components/schemas/End"}, {"type": "null"}]},
            "to": {"$ref": "#/components/schemas/End"},
            "view": {"enum": ["union", "ancestor", None]},
            "reason": _NAME,
            "commits": {"type": "array", "items": {"$ref": "#/components/schemas/ChangedCommit"}},
            "commits_total": _COUNT,
            "commits_withdrawn": _COUNT,
            "authors": {"type": "array", "items": {"$ref": "#/components/schemas/Author"}},
            "authors_total": _COUNT,
            "lines": {"enum": ["counted", "pending", "unreadable"]},
            "files_total": _LINES,
            "insertions": _LINES,
            "deletions": _LINES,
            "files": {"type": "array", "items": {"$ref": "#/components/schemas/ChangedFile"}},
            "places": {"type": "array", "items": {"$ref": "#/components/schemas/ChangedPlace"}},
            "issue_keys": {"type": "array", "items": {"type": "string"}},
            "defects_fixed": {"type": "array", "items": {"$ref": "#/components/schemas/ChangedDefect"}},
            "defects_blamed": {"type": "array", "items": {"$ref": "#/components/schemas/BlamedDefect"}},
        },
    },
    "End": {
        "type": "object",
        "properties": {
            "sha": _NAME,
            "name": _NAME,
            "release_id": {"type": ["string", "null"], "format": "uuid"},
        },
    },
    "ChangedCommit": {
        "type": "object",
        "properties": {
            "sha": {"type": "string"},
            "subject": {"type": "string"},
            "author_name": {"type": "string"},
            "author_email": {"type": "string"},
            "authored_at": _TIME,
        },
    },
    "Author": {
        "type": "object",
        "properties": {"name": {"type": "string"}, "email": {"type": "string"}, "commits": _COUNT},
    },
    "ChangedFile": {
        "type": "object",
        "properties": {
            "path": {"type": "string"},
            "status": {"enum": ["A", "D", "M", "T", ""]},
            "insertions": _LINES,
            "deletions": _LINES,
        },
    },
    "ChangedPlace": {
        "type": "object",
        "properties": {
            "place": {"type": "string"},
            "files": _COUNT,
            "insertions": _LINES,
            "deletions": _LINES,
        },
    },
    "ChangedDefect": {
        "type": "object",
        "properties": {
            "defect_key": {"type": "string"},
            "description": _NAME,
            "detected_at": {"type": "string", "format": "date-time"},
        },
    },
    "BlamedDefect": {
        "description": "A defect whose cause is this release: as somebody said, or by a guess.",
        "allOf": [
            {"$ref": "#/components/schemas/ChangedDefect"},
            {"type": "object", "properties": {"cause": {"enum": ["named", "accepted", "guess"]}}},
        ],
    },
    "Live": {
        "type": "object",
        "properties": {
            "resource_path": {"type": "string"},
            "environment": _NAME,
            "state": {"enum": [str(state) for state in State]},
            "since": _TIME,
            "release": {"oneOf": [{"$ref": "#/components/schemas/NamedRelease"}, {"type": "null"}]},
            "first_live_at": _TIME,
            "commits": _COUNT,
            "commits_live": _COUNT,
            "sha": _NAME,
        },
    },
    "NamedRelease": {
        "type": "object",
        "properties": {
            "id": {"type": "string", "format": "uuid"},
            "name": _NAME,
            "release_sha": _NAME,
            "released_at": _TIME,
        },
    },
    "WaitingCommit": {
        "type": "object",
        "properties": {
            "resource_path": {"type": "string"},
            "sha": {"type": "string"},
            "subject": {"type": "string"},
            "author_name": {"type": "string"},
            "authored_at": _TIME,
            "merged_at": _TIME,
            "merged_by": {"type": "string"},
            "issue_keys": {"type": "array", "items": {"type": "string"}},
        },
    },
    "Import": {
        "type": "object",
        "properties": {
            "resource_path": {"type": "string"},
            "repo_path": _NAME,
            "state": {"enum": ["none", "waiting", "running", "ready", "failed"]},
            "progress": _NAME,
            "error": _NAME,
            "commits": {"type": "integer"},
            "indexed_at": _TIME,
            "source_path": _NAME,
            "paths": {"type": "array", "items": {"type": "string"}},
        },
    },
    **REPORT_SCHEMAS,
}

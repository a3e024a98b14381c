"""What the answers of reports and audits hold, as the OpenAPI document tells it."""

from __future__ import annotations

from typing import Any

from shipmend.api.parameters import ResourceType
from shipmend.core.causes import CauseKind
from shipmend.core.dora import Aside
from shipmend.core.facts import Reason
from shipmend.core.metrics import Dimension, Metric, RowKind, Unit
from shipmend.core.releases import CommitState, Kind, Status
from shipmend.reports.listing import CountsAs

_TEXT = {"type": "string"}
_NAME = {"type": ["string", "null"]}
_COUNT = {"type": "integer"}
_SECONDS = {"type": ["integer", "null"]}
_NUMBER = {"type": ["number", "null"]}
_TIME = {"type": ["string", "null"], "format": "date-time"}
_PATHS = {"type": "array", "items": _TEXT}
_EXCLUDED = {"enum": [*map(str, Reason), None]}
_COUNTS_AS = {"enum": [*map(str, CountsAs), None], "description": "Null without segment_em."}

_ROWS: dict[ResourceType, dict[str, Any]] = {
    ResourceType.COMMITS: {
        "sha": _TEXT,
        "resource_path": _TEXT,
        "subject": _TEXT,
        "author_name": _TEXT,
        "author_email": _TEXT,
        "authored_at": _TIME,
        "is_merge": {"type": "boolean"},
        "release_id": {"type": "string", "format": "uuid"},
        "released_at": _TIME,
        "lead_seconds": _SECONDS,
        "excluded_because": _EXCLUDED,
        "counts_as": _COUNTS_AS,
        "issue_keys": _PATHS,
    },
    ResourceType.RELEASES: {
        "id": {"type": "string", "format": "uuid"},
        "resource_path": _TEXT,
        "environment": _TEXT,
        "name": _NAME,
        "released_at": _TIME,
        "release_sha": _NAME,
        "kind": {"enum": [*map(str, Kind), None]},
        "status": {"enum": [*map(str, Status)]},
        "commit_state": {"enum": [*map(str, CommitState)]},
        "is_counted": {"type": "boolean"},
        "excluded_because": _EXCLUDED,
        "counts_as": _COUNTS_AS,
        "undone_by": {"type": ["string", "null"], "format": "uuid"},
        "caused_defects": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"defect_key": _TEXT, "kind": {"enum": [*map(str, CauseKind)]}},
            },
        },
        "carried_fixes": {**_PATHS, "description": "The keys of the defects, one for each fix."},
        "commits": _COUNT,
        "commits_with_lead_time": _COUNT,
    },
    ResourceType.DEFECTS: {
        "defect_key": _TEXT,
        "resource_path": _TEXT,
        "repos": _PATHS,
        "severity": {"type": ["integer", "null"]},
        "detected_at": _TIME,
        "first_fix_at": _TIME,
        "resolved_at": _TIME,
        "time_to_first_fix_seconds": _SECONDS,
        "recovery_seconds": _SECONDS,
        "excluded_because": _EXCLUDED,
        "counts_as": _COUNTS_AS,
        "cause": {"$ref": "#/components/schemas/Cause"},
        "cause_counts": {
            "type": ["boolean", "null"],
            "description": "Whether the release blamed counts as a deployment to the environment; null where none is.",
        },
        "fixes": {
            "type": "array",
            "items": {
                "allOf": [
                    {"$ref": "#/components/schemas/Fix"},
                    {
                        "type": "object",
                        "properties": {
                            "carried_by": {"type": ["string", "null"], "format": "uuid"},
                            "is_holding": {"type": "boolean"},
                        },
                    },
                ]
            },
        },
    },
    ResourceType.TICKETS: {
        "issue_key": _TEXT,
        "commits": _COUNT,
        "repos": _PATHS,
        "release_id": {"type": "string", "format": "uuid"},
        "released_at": _TIME,
    },
}

ROW_COLUMNS = {kind: tuple(properties) for kind, properties in _ROWS.items()}
"""The members of each kind of row, in their order."""

REPORT_SCHEMAS: dict[str, Any] = {
    "AuditRow": {"anyOf": [{"type": "object", "title": kind, "properties": row} for kind, row in _ROWS.items()]},
    "Developer": {
        "type": "object",
        "properties": {
            "name": _TEXT,
            "email": _TEXT,
            "commits": _COUNT,
            "commits_with_lead_time": _COUNT,
            "median_lead_seconds": _NUMBER,
            "first_released_at": _TIME,
            "last_released_at": _TIME,
        },
    },
    "SeriesSegments": {
        "type": "object",
        "description": "By the name of each segment its points, in the order of time.",
        "additionalProperties": {"type": "array", "items": {"$ref": "#/components/schemas/Point"}},
    },
    "Point": {
        "type": "object",
        "properties": {
            "url": {"type": "string", "format": "uri"},
            "x": _TEXT,
            "y": _NUMBER,
            "date": {"type": "string", "format": "date"},
            "n": _COUNT,
            "numerator": _COUNT,
            "denominator": _COUNT,
        },
    },
    "Segments": {
        "type": "array",
        "items": {
            "type": "object",
            "properties": {
                "name": _TEXT,
                "segment_em": {"enum": [str(metric) for metric in Metric]},
                "unit": {"enum": [str(unit) for unit in Unit]},
                "resource_path": _TEXT,
                "value": _NAME,
            },
        },
    },
    "SummaryStats": {
        "type": "object",
        "description": "By the name of each segment its figure over the whole window.",
        "additionalProperties": {"$ref": "#/components/schemas/Summary"},
    },
    "Summary": {
        "allOf": [
            {"$ref": "#/components/schemas/Figure"},
            {
                "type": "object",
                "properties": {
                    "definition": _TEXT,
                    "previous": {"oneOf": [{"$ref": "#/components/schemas/Figure"}, {"type": "null"}]},
                },
            },
        ]
    },
    "Figure": {
        "type": "object",
        "properties": {
            "start_date": {"type": ["string", "null"], "format": "date"},
            "end_date": {"type": ["string", "null"], "format": "date"},
            "value": _NUMBER,
            "unit": {"enum": [str(unit) for unit in Unit]},
            "n": _COUNT,
            "numerator": _COUNT,
            "denominator": _COUNT,
            "mean": _NUMBER,
            "median": _NUMBER,
            "p75": _NUMBER,
            "p90": _NUMBER,
            "interval": {"type": ["array", "null"], "items": {"type": "number"}, "minItems": 2, "maxItems": 2},
            "is_enough": {"type": "boolean"},
            "excluded": {"type": "array", "items": {"$ref": "#/components/schemas/Excluded"}},
            "beside": {"type": "array", "items": {"$ref": "#/components/schemas/Aside"}},
            "rows_url": {"type": "string", "format": "uri"},
        },
    },
    "Excluded": {
        "type": "object",
        "properties": {"reason": {"enum": [*map(str, Reason)]}, "words": _TEXT, "count": _COUNT},
    },
    "Aside": {
        "type": "object",
        "properties": {"aside": {"enum": [*map(str, Aside)]}, "words": _TEXT, "count": _COUNT},
    },
    "Introspection": {
        "type": "object",
        "properties": {
            "segment_em": {"enum": [str(metric) for metric in Metric]},
            "name": _TEXT,
            "definition": _TEXT,
            "unit": {"enum": [str(unit) for unit in Unit]},
            "dimensions": {"type": "array", "items": {"enum": [str(dimension) for dimension in Dimension]}},
            "rows": {"enum": [str(kind) for kind in RowKind]},
            "aliases": {"type": "array", "items": _TEXT},
            "is_better_low": {"type": "boolean"},
        },
    },
}

"""The shape of every answer: three words of the contract's, the object, and what to be warned of."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse

from shipmend.core import errors
from shipmend.core.causes import Cause
from shipmend.core.moments import iso
from shipmend.delivery.views import DefectView, FixView, ReleaseView
from shipmend.reports.defect_rows import AuditedFix
from shipmend.reports.release_rows import AuditedRelease

SUCCESS = "response_success"
PENDING = "response_pending"
NDJSON = "application/x-ndjson"
"""JSON, one value a line."""


_encode = json.JSONEncoder(ensure_ascii=False).encode
"""As json.dumps, which makes an encoder for each call."""


@dataclass(frozen=True, slots=True)
class Document:
    """A text that is no envelope, in UTF-8."""

    media_type: str
    text: str = ""
    parts: Iterable[str] | None = None
    """In the place of `text`, what is made while it is sent."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a call is answered: an HTTP status, the three words, and further members of the JSON object."""

    action_em: str
    detail: str
    status: int = 200
    response_em: str = SUCCESS
    more: dict[str, Any] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    document: Document | None = None
    """What is answered instead of JSON, to a call that asked for it."""

    def text(self) -> str:
        """The answer's JSON, or its document."""
        return self.document.text if self.document else _encode(self._members())

    def line(self, number: int) -> str:
        """The answer as one of many: its JSON, with the number of what it answers and the HTTP status."""
        return _encode({"line": number, "status": self.status, **self._members()})

    def _members(self) -> dict[str, Any]:
        words = {"action_em": self.action_em, "response_em": self.response_em, "response_detail": self.detail}
        return {**words, **self.more}


_REFUSALS: tuple[tuple[type[errors.Refused], int, str], ...] = (
    (errors.Invalid, 400, "response_invalid_params"),
    (errors.Unauthorized, 401, "response_unauthorized"),
    (errors.Forbidden, 403, "response_forbidden"),
    (errors.NotFound, 404, "response_not_found"),
    (errors.MethodNotAllowed, 405, "response_invalid_request"),
    (errors.TooLarge, 413, "response_invalid_request"),
    (errors.KeyReused, 422, "response_invalid_request"),
    (errors.BadRequest, 400, "response_invalid_params"),
    (errors.Throttled, 429, "response_throttled"),
    (errors.Unavailable, 503, "response_unavailable"),
)
"""DESIGN's table of answers; the first class that fits counts."""


def refusal(action_em: str, refused: errors.Refused) -> Answer:
    """The answer to a call that was refused."""
    status, response_em = next((row[1], row[2]) for row in _REFUSALS if isinstance(refused, row[0]))
    return Answer(action_em, refused.detail, status, response_em, headers=_refusal_headers(refused))


def fault(action_em: str) -> Answer:
    """The answer when we are at fault: nothing was stored, and the log tells more."""
    return Answer(action_em, "Something broke on our side and nothing was stored.", 500, "response_error")


def respond(answer: Answer) -> HttpResponseBase:
    """An answer as an HTTP response."""
    document = answer.document
    response = _sent(document, answer.status) if document else json_response(answer.text(), answer.status)
    for name, value in answer.headers.items():
        response[name] = value
    return response


def json_response(text: str, status: int) -> HttpResponseBase:
    """JSON that no cache keeps."""
    # JSON is UTF-8 by itself, and says no charset.
    return _uncached(HttpResponse(text, content_type="application/json", status=status))


def _sent(document: Document, status: int) -> HttpResponseBase:
    kind = f"{document.media_type}; charset=utf-8"
    if document.parts is None:
        return _uncached(HttpResponse(document.text, content_type=kind, status=status))
    return _uncached(StreamingHttpResponse(document.parts, content_type=kind, status=status))


def _uncached(response: HttpResponseBase) -> HttpResponseBase:
    response["Cache-Control"] = "no-store"
    return response


def _refusal_headers(refused: errors.Refused) -> dict[str, str]:
    if isinstance(refused, errors.Unauthorized):
        return {"WWW-Authenticate": 'Bearer realm="shipmend"'}
    if isinstance(refused, errors.MethodNotAllowed):
        return {"Allow": ", ".join(refused.allowed)}
    if isinstance(refused, errors.Throttled | errors.Unavailable):
        return {"Retry-After": str(refused.retry_after)}
    return {}


def release_json(view: ReleaseView) -> dict[str, Any]:
    """A release as the API shows it."""
    return {**release_members(view), "issue_keys_resolved": list(view.issue_keys)}


def release_members(release: ReleaseView | AuditedRelease) -> dict[str, Any]:
    """What every answer tells of a release."""
    return {
        "id": str(release.id),
        "resource_path": str(release.path),
        "environment": release.environment,
        "name": release.name or None,
        "released_at": time_json(release.released_at),
        "release_sha": release.release_sha or None,
        "kind": release.kind,
        "status": release.status,
        "commit_state": release.commit_state,
    }


def defect_json(view: DefectView) -> dict[str, Any]:
    """A defect as the API shows it, with its fixes, earliest first."""
    return {
        "defect_key": view.key,
        "resource_path": str(view.path),
        "detected_at": time_json(view.detected_at),
        "description": view.description or None,
        "severity": view.severity,
        "resolved_at": time_json(view.resolved_at),
        "fixes": [fix_members(fix) for fix in view.fixes],
    }


def foreign_defect_json(key: str, fixes: Iterable[FixView]) -> dict[str, Any]:
    """A defect as who may only add a fix to it sees it. What is left out is not null: that would say there is none."""
    return {"defect_key": key, "fixes": [fix_members(fix) for fix in fixes]}


def judged_defect_json(view: DefectView, cause: Cause) -> dict[str, Any]:
    """A defect with its cause, which answers to reports leave out: they are kept free of further questions."""
    return {**defect_json(view), "cause": cause_json(cause)}


def cause_json(cause: Cause) -> dict[str, Any]:
    """A cause as the API shows it."""
    release_id = str(cause.release_id) if cause.release_id else None
    return {"kind": cause.kind, "release_id": release_id, "reason": cause.reason}


def fix_members(fix: FixView | AuditedFix) -> dict[str, Any]:
    """What every answer tells of a fix."""
    return {
        "resource_path": str(fix.path),
        "released_at": time_json(fix.released_at),
        "release_sha": fix.release_sha or None,
        "commit_state": fix.commit_state if fix.release_sha else None,
    }


def time_json(epoch: int | None) -> str | None:
    """A stored time as ISO 8601, UTC."""
    return None if epoch is None else iso(epoch)

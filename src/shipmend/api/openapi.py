"""The OpenAPI document, printed from the very specs that validate."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.urls import URLPattern, get_resolver

from shipmend import __version__
from shipmend.api.endpoint import Operation
from shipmend.api.envelope import NDJSON, json_response
from shipmend.api.fields import Field
from shipmend.api.schemas import SCHEMAS

BASE = "/api/v1"

_REFUSALS = {
    "400": "A parameter is missing or can't be read; the detail names it, shows the value and says what would be right",
    "401": "No token, or one that can't be used",
    "403": "The token lacks the scope, or may only add a fix to the defect",
    "404": "Nothing there, or out of the token's reach",
    "405": "The path does not serve this method",
    "413": "The body is too large",
    "422": "The Idempotency-Key was used for another call",
    "429": "Too many calls; Retry-After says when to come back",
    "503": "The database can't be used now; Retry-After says when to come back",
}


@dataclass(frozen=True, slots=True)
class Route:
    """One operation at its place."""

    path: str
    operation: Operation

    @property
    def ids(self) -> list[str]:
        """The names in braces in the path."""
        return [part.strip("{}") for part in self.path.split("/") if part.startswith("{")]

    @property
    def slug(self) -> str:
        """Names the operation: in the document, and as an anchor on the reference page."""
        words = [part.strip("{}") for part in self.path.strip("/").split("/")]
        return "-".join([self.operation.method.lower(), *words])


def routes() -> Iterator[Route]:
    """Every operation that is mounted, in the order of urls.py."""
    for pattern in get_resolver("shipmend.api.urls").url_patterns:
        if isinstance(pattern, URLPattern):
            for operation in getattr(pattern.callback, "operations", ()):
                yield Route("/" + _braces(str(pattern.pattern)), operation)


def document(_: HttpRequest) -> HttpResponseBase:
    """GET /api/v1/openapi.json."""
    return json_response(_text(), 200)


@cache
def _text() -> str:
    paths: dict[str, dict[str, Any]] = {}
    for route in routes():
        paths.setdefault(route.path, {})[route.operation.method.lower()] = _operation(route)
    return json.dumps(
        {
            "openapi": "3.1.0",
            "info": {"title": "Shipmend", "version": __version__, "description": "Speaks the GitClear Public API."},
            "servers": [{"url": BASE}],
            "security": [{"token": []}],
            "paths": paths,
            "components": {
                "schemas": SCHEMAS,
                "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            },
        },
        ensure_ascii=False,
        indent=1,
    )


def _operation(route: Route) -> dict[str, Any]:
    operation = route.operation
    told: dict[str, Any] = {
        "operationId": route.slug,
        "summary": operation.summary,
        "description": operation.doc,
        "parameters": [_id(name) for name in route.ids],
        "responses": _responses(operation),
    }
    if operation.method == "GET" or operation.lines:
        told["parameters"] += [_query(field) for field in operation.fields]
    if operation.lines:
        told["requestBody"] = _lines(operation)
    elif operation.method != "GET" and operation.fields:
        told["requestBody"] = _body(operation)
    if operation.method == "POST":
        told["parameters"].append(
            {
                "name": "Idempotency-Key",
                "in": "header",
                "required": False,
                "description": "The same key again gets the first answer again, for a week.",
                "schema": {"type": "string", "maxLength": 255},
            }
        )
    return told


def _id(name: str) -> dict[str, Any]:
    schema = {"type": "string", "format": "uuid"} if name == "release_id" else {"type": "string", "minLength": 1}
    return {"name": name, "in": "path", "required": True, "schema": schema}


def _query(field: Field[Any]) -> dict[str, Any]:
    told = {"name": field.name, "in": "query", "required": field.required, "description": field.doc}
    return {**told, "schema": field.schema, "example": field.example}


def _lines(operation: Operation) -> dict[str, Any]:
    """The schema is that of one line: OpenAPI 3.1 has no word for a stream of them.

    What the query string may say for all lines, none has to say.
    """
    elsewhere = frozenset(field.name for field in operation.fields)
    kinds = [_object(line, elsewhere) for line in operation.lines]
    return {"required": True, "content": {NDJSON: {"schema": {"anyOf": kinds}}}}


def _object(fields: tuple[Field[Any], ...], elsewhere: frozenset[str] = frozenset()) -> dict[str, Any]:
    return {
        "type": "object",
        "required": [field.name for field in fields if field.required and field.name not in elsewhere],
        "properties": {field.name: _property(field) for field in fields},
    }


def _body(operation: Operation) -> dict[str, Any]:
    schema = _object(operation.fields)
    kinds = ("application/x-www-form-urlencoded", "application/json")
    return {"required": True, "content": {kind: {"schema": schema} for kind in kinds}}


def _property(field: Field[Any]) -> dict[str, Any]:
    return {**field.schema, "description": field.doc, "examples": [field.example]}


def _responses(operation: Operation) -> dict[str, Any]:
    done: dict[str, Any] = {"allOf": [{"$ref": "#/components/schemas/Envelope"}]}
    if operation.answers:
        name, schema, is_list = operation.answers
        reference = {"$ref": f"#/components/schemas/{schema}"}
        member = {"type": "array", "items": reference} if is_list else reference
        further = {name: {"$ref": f"#/components/schemas/{schema}"} for name, schema in operation.beside}
        done["allOf"].append({"type": "object", "properties": {name: member, **further}})
    told = {"200": _response("Done", done)}
    documents = {kind: {"schema": {"type": "string"}} for kind in operation.documents}
    told["200"]["content"] = documents if operation.lines else told["200"]["content"] | documents
    if operation.may_wait:
        told["202"] = _response("Accepted; its commit has not been seen yet", done)
    envelope = {"$ref": "#/components/schemas/Envelope"}
    return told | {status: _response(doc, envelope) for status, doc in _REFUSALS.items()}


def _response(doc: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": doc, "content": {"application/json": {"schema": schema}}}


def _braces(pattern: str) -> str:
    """Django's `<uuid:release_id>` as OpenAPI's `{release_id}`."""
    return "/".join(
        "{" + part[1:-1].partition(":")[2] + "}" if part[:1] == "<" else part for part in pattern.split("/")
    )

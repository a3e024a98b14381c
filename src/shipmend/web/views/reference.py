"""The references: of the API, printed from the specs that validate, with calls to copy; and of what is measured."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from shipmend.accounts.models import Membership
from shipmend.api.envelope import NDJSON
from shipmend.api.openapi import BASE, Route, routes
from shipmend.api.origin import origin
from shipmend.catalog.models import Repo
from shipmend.core.values import ResourcePath
from shipmend.web.definitions import definitions

TOKEN = "$SHIPMEND_TOKEN"  # noqa: S105 -- the name of a variable in the calls that readers copy
NOWHERE = ResourcePath("your_entity", "your_organization", "your_repo")


@dataclass(frozen=True, slots=True)
class Section:
    """One operation on the page."""

    route: Route
    curl: str
    json_curl: str


def reference(request: HttpRequest) -> HttpResponse:
    """GET /api_reference. A signed-in reader's calls carry a path of their own."""
    address, path = origin(request), _readers_path(request)
    sections = [_section(route, address, path) for route in routes()]
    return render(request, "reference.html", {"sections": sections, "base": f"{address}{BASE}", "path": path})


def metrics_reference(request: HttpRequest) -> HttpResponse:
    """GET /metrics_reference."""
    return render(request, "metrics_reference.html", {"definitions": definitions()})


def _readers_path(request: HttpRequest) -> ResourcePath:
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return NOWHERE
    entities = Membership.objects.filter(user=user).values("entity_id")
    repo = Repo.objects.select_related("entity", "organization").filter(entity_id__in=entities).order_by("id").first()
    return repo.path if repo else NOWHERE


def _section(route: Route, address: str, path: ResourcePath) -> Section:
    values = {field.name: field.example for field in route.operation.fields if _is_in_example(route, field.name)}
    values = {name: str(path) if name == "resource_path" else value for name, value in values.items()}
    url = f"{address}{BASE}{route.path}"
    return Section(route, _curl(route, url, values), _json_curl(route, url, values))


def _is_in_example(route: Route, name: str) -> bool:
    """A call to copy holds what is needed and what is usual, and nothing that contradicts itself."""
    usual = {
        "post-releases": {"resource_path", "release_sha", "released_at", "name"},
        "post-critical_defects": {"defect_key", "resource_path", "detected_at", "description", "severity"},
        "post-imports": {"resource_path", "repo_path"},
        "get-critical_defects": {"resource_path", "open"},
        "get-changes": {"resource_path", "from", "to"},
        "get-live": {"resource_path", "ticket"},
    }
    return name in usual.get(route.slug, {"resource_path"})


def _curl(route: Route, url: str, values: Mapping[str, object]) -> str:
    if route.operation.lines:
        return _lines_curl(url)
    lines = [f"curl {shlex.quote(url)}", f'-H "Authorization: Bearer {TOKEN}"']
    if route.operation.method == "GET":
        lines[0] = f"curl -G {shlex.quote(url)}" if values else lines[0]
    lines += [f"-d {shlex.quote(f'{name}={_form(value)}')}" for name, value in values.items()]
    if route.operation.method != "GET":
        lines.append(f"-X {route.operation.method}")
    return " \\\n  ".join(lines)


def _lines_curl(url: str) -> str:
    lines = [
        f"curl {shlex.quote(url)}",
        f'-H "Authorization: Bearer {TOKEN}"',
        f'-H "Content-Type: {NDJSON}"',
        "--data-binary @lines.ndjson",
    ]
    return " \\\n  ".join(lines)


def _json_curl(route: Route, url: str, values: Mapping[str, object]) -> str:
    if route.operation.method != "POST" or route.operation.lines:
        return ""
    body = json.dumps(values, ensure_ascii=False)
    lines = [
        f"curl {shlex.quote(url)}",
        f'-H "Authorization: Bearer {TOKEN}"',
        '-H "Content-Type: application/json"',
        f"-d {shlex.quote(body)}",
    ]
    return " \\\n  ".join(lines)


def _form(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)

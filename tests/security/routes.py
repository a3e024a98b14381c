"""Every route of the service, read from the URL configuration itself, so that none can be forgotten."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.urls import URLPattern, URLResolver, get_resolver

from shipmend.api.endpoint import Operation


@dataclass(frozen=True)
class Route:
    """One entry of the configuration."""

    path: str
    """As the configuration spells it, from the root: `api/v1/releases/<uuid:release_id>`."""
    pattern: URLPattern

    @property
    def name(self) -> str:
        """What pages call it; its path where it has no name."""
        return self.pattern.name or self.path

    @property
    def operations(self) -> tuple[Operation, ...]:
        """Those of the API that it serves."""
        found: tuple[Operation, ...] = getattr(self.pattern.callback, "operations", ())
        return found

    @property
    def arguments(self) -> tuple[str, ...]:
        """The names of its changeable parts, from left to right."""
        return tuple(self.pattern.pattern.converters)


def all_routes() -> list[Route]:
    """Every route, in the order in which they are tried."""
    return list(_below(get_resolver(), ""))


def _below(resolver: URLResolver, prefix: str) -> Iterator[Route]:
    for pattern in resolver.url_patterns:
        path = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _below(pattern, path)
        else:
            yield Route(path, pattern)

"""The addresses of pages, kept: to work one out takes as long as to write the rest of a row."""

from __future__ import annotations

from functools import lru_cache
from uuid import UUID

from django.urls import reverse

from shipmend.core.values import ResourcePath

KEPT = 10_000


@lru_cache(KEPT)
def address(name: str, *steps: str | UUID) -> str:
    """The address of the page of that name."""
    return reverse(name, args=steps)


def place_address(name: str, path: ResourcePath, *more: str) -> str:
    """The address of a page that entities, organizations and repos have alike: `place`, `waiting` and others."""
    steps = [step for step in (path.entity, path.organization, path.repo) if step]
    if name == "place":
        return address("place" if path.level == "entity" else path.level, *steps)
    return address(name if path.level == "entity" else f"{path.level}-{name}", *steps, *more)


def defect_address(entity: str, key: str) -> str:
    """The page of a defect."""
    return address("defect", entity, key)


def release_address(path: ResourcePath, release_id: UUID) -> str:
    """The page of a release."""
    return address("release", path.entity, path.organization, path.repo, release_id)

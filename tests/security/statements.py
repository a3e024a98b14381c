"""What is said to the database, in any thread: by the ORM and by statements of our own."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any
from uuid import UUID

import pytest
from django.apps import apps
from django.db.backends.utils import CursorWrapper

from shipmend.accounts.calls import calls
from shipmend.db.sql import Statement
from tests.serving import SOURCE as ROOT

ELSEWHERE = "elsewhere"
SOURCE = ROOT / "shipmend"
TENANT_TABLES = frozenset(
    model._meta.db_table
    for model in apps.get_models()
    if any(column.column == "entity_id" for column in model._meta.concrete_fields)
)
_TABLE = re.compile(r"\b(?:FROM|JOIN|INTO|UPDATE)\s+\"?(\w+)\"?", re.IGNORECASE)


@dataclass(frozen=True)
class Said:
    """A statement and the values bound in it."""

    text: str
    values: tuple[object, ...]
    place: str
    """Whose code says it: file and function, of ours the innermost that is not db.sql."""

    @property
    def tables(self) -> frozenset[str]:
        """The tables of tenants that it reads or writes."""
        return TENANT_TABLES.intersection(_TABLE.findall(self.text))

    @property
    def is_ours(self) -> bool:
        """Whether the product says it, and not the test, and of a tenant's table."""
        return bool(self.tables) and self.place != ELSEWHERE

    def binds(self, entity_id: UUID, slug: str) -> bool:
        """Whether it speaks of this entity's rows alone: binds the entity to its column, or the slug to the entity."""
        if "entity_id" in self.text and any(value in (entity_id, entity_id.bytes) for value in self.values):
            return True
        return '"catalog_entity"."slug" = ' in self.text and slug in self.values


@contextmanager
def listening() -> Iterator[list[Said]]:
    """All that is said until the block ends."""
    calls.flush()  # a test before may have called for another entity, and that is stored from a thread of its own
    heard: list[Said] = []
    execute, run_many = Statement._execute, Statement.run_many
    ask, ask_many = CursorWrapper.execute, CursorWrapper.executemany

    def our_execute(self: Statement, database: Any, parameters: Sequence[object]) -> Any:
        heard.append(Said(self._sqlite, _plain(parameters), _place()))
        return execute(self, database, parameters)

    def our_run_many(self: Statement, parameters: Iterable[Sequence[object]]) -> None:
        sets = [tuple(each) for each in parameters]
        heard.extend(Said(self._sqlite, _plain(each), _place()) for each in sets)
        run_many(self, sets)

    def their_execute(self: CursorWrapper, sql: Any, params: Any = None) -> Any:
        heard.append(Said(str(sql), _plain(params or ()), _place()))
        return ask(self, sql, params)

    def their_execute_many(self: CursorWrapper, sql: Any, param_list: Any) -> Any:
        sets = [tuple(each) for each in param_list]
        heard.extend(Said(str(sql), _plain(each), _place()) for each in sets)
        return ask_many(self, sql, sets)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Statement, "_execute", our_execute)
        patch.setattr(Statement, "run_many", our_run_many)
        patch.setattr(CursorWrapper, "execute", their_execute)
        patch.setattr(CursorWrapper, "executemany", their_execute_many)
        yield heard


def _plain(values: Sequence[object]) -> tuple[object, ...]:
    return tuple(bytes(value) if isinstance(value, memoryview) else value for value in values)


def _place() -> str:
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        file = Path(frame.f_code.co_filename)
        if SOURCE in file.parents and file.parent.name != "db":
            return f"{file.relative_to(SOURCE)} {frame.f_code.co_name}"
        frame = frame.f_back
    return ELSEWHERE

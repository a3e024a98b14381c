"""The primary key of every table."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID, SafeUUID

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper

from shipmend.db.ids import new_id

_UNKNOWN = SafeUUID.unknown  # looking up a member of an enum costs as much as all the rest


def read_id(stored: bytes, new: Any = object.__new__, put: Any = object.__setattr__) -> UUID:
    """A UUID of 16 bytes, without the checks of its constructor: a report reads thousands, at a third of the time."""
    made: UUID = new(UUID)
    put(made, "int", int.from_bytes(stored))
    put(made, "is_safe", _UNKNOWN)
    return made


# SQLite has no UUID type. Declaring the column `uuid` and teaching the driver both directions stores 16 bytes
# where Django's own field stores 32 characters, and raw statements read and write UUIDs on both databases.
sqlite3.register_adapter(UUID, lambda value: value.bytes)
sqlite3.register_converter("uuid", read_id)


_ST_contra = TypeVar("_ST_contra", contravariant=True)
_GT_co = TypeVar("_GT_co", covariant=True)

if TYPE_CHECKING:
    _UUIDField = models.UUIDField[_ST_contra, _GT_co]
else:  # Django's fields take no type parameters at run time
    _UUIDField = {(_ST_contra, _GT_co): models.UUIDField}


class IdField(_UUIDField[_ST_contra, _GT_co]):
    """A UUIDv7, stored as 16 bytes on either database."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if kwargs.get("primary_key"):
            kwargs.setdefault("default", new_id)
            kwargs.setdefault("editable", False)
        super().__init__(*args, **kwargs)

    def db_type(self, connection: BaseDatabaseWrapper) -> str:
        """The column's type, the same word on SQLite and PostgreSQL."""
        return "uuid"

    def get_internal_type(self) -> str:
        """Not Django's UUIDField: its SQLite converter expects characters."""
        return "IdField"

    def get_db_prep_value(self, value: Any, connection: BaseDatabaseWrapper, prepared: bool = False) -> Any:
        """A UUID for the driver, whatever form it was given in."""
        return value if value is None or isinstance(value, UUID) else self.to_python(value)

    def from_db_value(self, value: Any, expression: object, connection: BaseDatabaseWrapper) -> UUID | None:
        """SQLite's converter works on plain columns only; an aggregate or subquery still hands over bytes."""
        return read_id(value) if isinstance(value, bytes) else value

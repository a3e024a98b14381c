"""Identifiers that sort by the time they were made."""

from __future__ import annotations

from uuid import UUID

from uuid_utils.compat import uuid7


def new_id() -> UUID:
    """A fresh UUIDv7: unique without asking the database, and ascending, so an index grows at its end."""
    return uuid7()


def first_id_at(epoch: int) -> UUID:
    """What every id made at or after that second comes behind, and every earlier one before.

    None was made before 1970.
    """
    return UUID(int=max(0, epoch) * 1000 << 80)

"""Changing a stored row of a tenant."""

from __future__ import annotations

from typing import Any

from django.db import models


def change(row: models.Model, **values: Any) -> None:
    """Give fields of a stored row new values, inside write().

    Unlike Django's save(), it names the row by its entity as well as its id, as every statement on a tenant's table
    does: no mistake elsewhere can then reach another tenant's row, and a partitioned table is asked in one place.
    """
    for name, value in values.items():
        setattr(row, name, value)
    rows = type(row)._default_manager
    rows.filter(pk=row.pk, entity_id=row.entity_id).update(**values)  # type: ignore[attr-defined]  # every tenant's has

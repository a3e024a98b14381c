"""`shipmend migrate`: for those who want the tables changed at a moment of their own choosing."""

from __future__ import annotations


def run() -> int:
    """Say so: opening the instance has done it."""
    print("The tables are up to date.")
    return 0

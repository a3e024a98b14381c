#!/usr/bin/env python3
"""`bench/verify_attribution.py REPO`, from anywhere and with any Python: see bench/attribution.py."""

from __future__ import annotations

import sys
from pathlib import Path


def main() -> None:
    """What it imports of Shipmend needs the standard library alone, so nothing has to be installed for it."""
    home = Path(__file__).resolve().parents[1]
    sys.path[:0] = [str(home / "src"), str(home)]
    from bench.attribution import main as compare

    compare()


if __name__ == "__main__":
    main()

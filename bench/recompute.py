#!/usr/bin/env python3
"""`bench/recompute.py BASE_URL TOKEN PATH`, from anywhere and with any Python: see bench/recomputing.py."""

from __future__ import annotations

import sys
from pathlib import Path


def main() -> None:
    """What it imports needs the standard library alone, and nothing of Shipmend."""
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    from bench.recomputing import main as compare

    compare()


if __name__ == "__main__":
    main()

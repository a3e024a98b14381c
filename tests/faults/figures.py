"""What the faults came to: noted by the tests, printed as one table by `make faults`.

python -m tests.faults.figures FILE...
"""

from __future__ import annotations

import json
import os
import platform
import sys
from pathlib import Path

FILE = os.environ.get("SHIPMEND_FAULTS_FIGURES", "")
DATABASE = os.environ.get("SHIPMEND_TEST_DATABASE", "sqlite")


def note(fault: str, how_much: str, came_to: str) -> None:
    """One line of the table, for this run's database."""
    if FILE:
        with Path(FILE).open("a") as file:
            file.write(json.dumps([fault, DATABASE, how_much, came_to]) + "\n")


def main(files: list[str]) -> None:
    """Print what all runs noted."""
    rows = [json.loads(line) for name in files for line in Path(name).read_text().splitlines()]
    print(f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}\n")
    print("| fault | database | how much | came to |")
    print("|---|---|---|---|")
    for fault, database, how_much, came_to in sorted(rows):
        print(f"| {fault} | {database} | {how_much} | {came_to} |")


if __name__ == "__main__":
    main(sys.argv[1:])

"""`shipmend doctor`: what is wrong with an instance, and the command that mends it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from importlib import import_module
from pathlib import Path

from shipmend.bootstrap import open_instance
from shipmend.cli import doctor_machine
from shipmend.cli.findings import Finding, command, fault
from shipmend.cli.program import DONE, REFUSED
from shipmend.config import Config, ConfigError


def run(*, data: Path | None) -> int:
    """Print one line for each thing looked at, and under each fault what mends it. 1 when there is a fault."""
    if data is not None:
        os.environ["SHIPMEND_DATA"] = str(data)
    faults = _told(_findings())
    print(f"{faults} to mend." if faults else "All is well.")
    return REFUSED if faults else DONE


def _findings() -> Iterator[Finding]:
    try:
        config = Config.load(os.environ)
        config.database()
    except ConfigError as error:
        yield fault(str(error), "docs/settings.md lists the settings")
        return
    yield from doctor_machine.findings(config)
    if not config.data.is_dir():
        yield fault(f"there is no instance in {config.data}", command("serve", config))
    elif not any(doctor_machine.closed_to_us(config.data)):
        open_instance(migrate=False)
        # Now and not above: it knows models, which can't be loaded before their settings.
        yield from import_module("shipmend.cli.doctor_instance").findings(config)


def _told(findings: Iterable[Finding]) -> int:
    faults = 0
    for finding in findings:
        print(f"{'fault' if finding.mend else 'ok':5}  {finding.what}")
        if finding.mend:
            faults += 1
            print(f"       mend: {finding.mend}")
    return faults

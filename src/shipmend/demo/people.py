"""Who works at the grocer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class Person:
    """Someone who commits, on the clock of their own zone."""

    name: str
    mail: str
    zone: ZoneInfo

    def signed(self, at: int) -> str:
        """Name, address, instant and offset, as git writes them."""
        return f"{self.name} <{self.mail}@larder.example> {at} {datetime.fromtimestamp(at, self.zone):%z}"


_HERE = ZoneInfo("Europe/Berlin")

INES = Person("Ines Carvalho", "ines", _HERE)
JONAS = Person("Jonas Weber", "jonas", _HERE)
PRIYA = Person("Priya Raman", "priya", ZoneInfo("Asia/Kolkata"))
TOMASZ = Person("Tomasz Zieliński", "tomasz", _HERE)
AMARA = Person("Amara Okafor", "amara", ZoneInfo("Africa/Lagos"))
LENA = Person("Lena Sørensen", "lena", _HERE)
MATEO = Person("Mateo Rivas", "mateo", ZoneInfo("America/Bogota"))
YUKI = Person("Yuki Tanaka", "yuki", _HERE)

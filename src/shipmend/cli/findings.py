"""What `shipmend doctor` finds."""

from __future__ import annotations

from dataclasses import dataclass
from shlex import quote

from shipmend.config import Config


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. With `mend`, the command or deed that puts it right, it is a fault."""

    what: str
    mend: str = ""


def fine(what: str) -> Finding:
    """All is well with this."""
    return Finding(what)


def fault(what: str, mend: str) -> Finding:
    """This is wrong."""
    return Finding(what, mend)


def command(words: str, config: Config) -> str:
    """`shipmend …` on this instance, to be pasted."""
    return f"shipmend {words} --data {quote(str(config.data))}"

"""Opening the instance that a command works on."""

from __future__ import annotations

from pathlib import Path

from django.db import DatabaseError, InterfaceError

from shipmend.bootstrap import open_instance
from shipmend.config import ConfigError


def open_for_command(data: Path | None) -> None:
    """Make the instance ready, tables and all. Raises ConfigError where its folder or database can't be used."""
    try:
        open_instance(data)
    except OSError as error:
        where = error.filename or data
        mend = "choose another data folder with --data, or give this one to the user who runs shipmend"
        raise ConfigError(f"{where} can't be used ({error.strerror}): {mend}.") from error
    except (DatabaseError, InterfaceError) as error:
        raise ConfigError(f"The database can't be used: {first_line(error)}. Run: shipmend doctor") from error


def first_line(error: BaseException) -> str:
    """What a database says, without the lines that repeat it."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")

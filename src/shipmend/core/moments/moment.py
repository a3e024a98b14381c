"""What the date reader gives back: a moment, or the reason why there is none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - naive on purpose: it counts wall clock seconds at a known offset
EXAMPLE = "2021-02-03T14:40:15Z"
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class DateOrder(StrEnum):
    """How to read A/B/YYYY when A and B could both be the month. `NONE` refuses it, naming both."""

    NONE = ""
    DAY_FIRST = "dmy"
    MONTH_FIRST = "mdy"


class Precision(StrEnum):
    """The finest part of the time that the caller wrote."""

    DAY = "day"
    MINUTE = "minute"
    SECOND = "second"
    FRACTION = "fraction"


class UnreadableMoment(ValueError):
    """The text is no moment, or more than one.

    `because` and `mend` are phrases that fit `Invalid(parameter, because, mend=mend, value=text)`.
    """

    def __init__(self, because: str, mend: str) -> None:
        super().__init__(f"{because}: {mend}")
        self.because = because
        self.mend = mend


def either(choices: Sequence[str]) -> str:
    """`a`, `a or b`, `a, b or c`."""
    return " or ".join(part for part in (", ".join(choices[:-1]), choices[-1]) if part)


def wall_at(seconds: int) -> datetime:
    """The wall clock `seconds` after 1970-01-01 00:00. OverflowError outside the years 1 to 9999."""
    return EPOCH + timedelta(seconds=seconds)


def iso(epoch: int) -> str:
    """`YYYY-MM-DDTHH:MM:SSZ` for any stored instant, in seconds since 1970 UTC.

    OverflowError outside the years 1 to 9999.
    """
    return wall_at(epoch).isoformat() + "Z"


def _month_day(wall: datetime) -> str:
    return f"{_MONTHS[wall.month - 1]} {wall.day}"


def _twelve(wall: datetime) -> str:
    return f"{wall.hour % 12 or 12}:{wall.minute:02}"


def _half(wall: datetime) -> str:
    return "pm" if wall.hour >= 12 else "am"


@dataclass(frozen=True, slots=True)
class Moment:
    """One instant, and how it came to be read.

    `epoch` is in whole seconds since 1970 UTC, a fraction cut off downwards: identity is to the second.
    `offset` is the seconds east of UTC at which the text was read. `text` is the caller's text, trimmed.
    `shape` is the grammar's name for its form.
    """

    epoch: int
    offset: int
    text: str
    shape: str
    precision: Precision

    def as_iso(self) -> str:
        """The instant as `YYYY-MM-DDTHH:MM:SSZ`."""
        return iso(self.epoch)

    def wall_clock(self) -> str:
        """The caller's own wall clock, `Jan 1, 2021 5:40pm`: the contract's answer to a defect."""
        wall = wall_at(self.epoch + self.offset)
        return f"{_month_day(wall)}, {wall.year} {_twelve(wall)}{_half(wall)}"

    def wall_clock_release(self) -> str:
        """The caller's own wall clock, `May 25 at 4:20 pm`: the contract's answer to a release."""
        wall = wall_at(self.epoch + self.offset)
        return f"{_month_day(wall)} at {_twelve(wall)} {_half(wall)}"

"""Writing SVG, so that whatever stands in it is escaped."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from html import escape

from django.utils.safestring import SafeString

Value = str | float | int


def tag(name: str, *children: SafeString, text: str = "", **attributes: Value | None) -> SafeString:
    """An element. `class_` is written class, `data_say` data-say; what is None or empty is left out."""
    written = "".join(
        [f' {_name(key)}="{_value(value)}"' for key, value in attributes.items() if value is not None and value != ""]
    )
    inside = "".join(children)
    if text:
        inside += escape(text, quote=False)
    # Children are safe, everything else is escaped above.
    if inside or name in _NEVER_EMPTY:
        return SafeString(f"<{name}{written}>{inside}</{name}>")
    return SafeString(f"<{name}{written}/>")


def text(words: str) -> SafeString:
    """Words, escaped."""
    return SafeString(escape(words, quote=False))


def joined(parts: Iterable[SafeString]) -> SafeString:
    """Elements in a row."""
    return SafeString("".join(parts))


def across(share: float) -> str:
    """A place or a width as per cent of the picture's."""
    return f"{round(share * 100, 2):g}%"


def at(share: float, down: float, *children: SafeString) -> SafeString:
    """Elements drawn in pixels around a point that lies a share of the width across."""
    return tag("svg", *children, x=across(share), y=down, class_="at")


def stretched(height: float, *children: SafeString) -> SafeString:
    """Elements drawn in thousandths of the width across and in pixels down: for lines that paths alone can draw."""
    return tag(
        "svg",
        *children,
        viewBox=f"0 0 1000 {height:g}",
        preserveAspectRatio="none",
        width="100%",
        height=height,
        class_="at",
    )


_NEVER_EMPTY = {"td", "th", "tbody", "a", "title", "desc"}
"""What HTML closes with a tag of its own even when there is nothing in it."""


@cache
def _name(key: str) -> str:
    return key if key in _MIXED else key.rstrip("_").replace("_", "-")


_UNSAFE = re.compile("[&<>\"']").search  # most values are numbers: to look is quicker than to replace

_MIXED = {"viewBox", "preserveAspectRatio"}


def _value(value: Value) -> str:
    if isinstance(value, str):
        return escape(value) if _UNSAFE(value) else value
    return str(value) if isinstance(value, int) else f"{round(value, 2):g}"

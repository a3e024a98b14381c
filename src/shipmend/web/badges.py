"""Badges: small pictures of a label and a word, for pages elsewhere."""

from __future__ import annotations

from enum import StrEnum
from html import escape
from math import ceil

LONGEST = 40
HEIGHT = 20
_PADDING = 7

# Widths at 11 px in the sans-serif fonts that browsers have, in pixels: `textLength` then makes the text fit.
_WIDTHS = {
    character: width
    for width, group in ((3.4, "iljI.,:;'|! "), (4.6, 'ftr()[]{}-/\\"'), (9.8, "mwMW@%"))
    for character in group
}
_CAPITAL, _OTHER = 7.6, 6.6


class Tone(StrEnum):
    """What a word is about; the word itself says it, too."""

    GOOD = "#2a6a43"
    BAD = "#b0321a"
    PLAIN = "#1c5d7d"
    QUIET = "#5c636b"


def badge(label: str, message: str, tone: Tone) -> str:
    """An SVG picture."""
    label, message = _short(label), _short(message)
    left, right = (_width(text) + 2 * _PADDING for text in (label, message))
    title = f"{escape(label)}: {escape(message)}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + right}" height="{HEIGHT}" role="img"'
        f' aria-label="{title}"><title>{title}</title>'
        f'<path fill="#3a3f44" d="M3 0h{left - 3}v{HEIGHT}H3a3 3 0 0 1-3-3V3a3 3 0 0 1 3-3z"/>'
        f'<path fill="{tone}" d="M{left} 0h{right - 3}a3 3 0 0 1 3 3v14a3 3 0 0 1-3 3H{left}z"/>'
        '<g fill="#fff" text-anchor="middle" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11">'
        f"{_text(label, left / 2)}{_text(message, left + right / 2)}</g></svg>\n"
    )


def _text(text: str, middle: float) -> str:
    return (
        f'<text x="{middle:g}" y="14" textLength="{_width(text)}" lengthAdjust="spacingAndGlyphs">{escape(text)}</text>'
    )


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def _width(text: str) -> int:
    return ceil(sum(_WIDTHS.get(each, _CAPITAL if each.isupper() else _OTHER) for each in text))

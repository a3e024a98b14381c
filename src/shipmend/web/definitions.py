"""What the numbers mean: docs/metrics.md as a page, each definition with an anchor of its own."""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from pathlib import Path

from django.utils.safestring import SafeString, mark_safe
from django.utils.text import slugify
from markdown_it import MarkdownIt
from markdown_it.token import Token

from shipmend.core.metrics import MetricInfo

_INSTALLED = Path(__file__).parent / "metrics.md"
"""Where the wheel has it, which is built from the file below."""
_SOURCE = Path(__file__).parents[3] / "docs" / "metrics.md"


@cache
def definitions() -> SafeString:
    """The text below its title, as HTML."""
    text = (_INSTALLED if _INSTALLED.exists() else _SOURCE).read_text(encoding="utf-8")
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    _, _, _, *tokens = _with_anchors(parser.parse(text))  # the title is three: opened, written, closed
    markup: SafeString = mark_safe(parser.renderer.render(tokens, parser.options, {}))  # noqa: S308 -- a text of ours
    return markup


def anchor_of(info: MetricInfo) -> str:
    """The id of a metric's definition on the page."""
    return slugify(info.name)


def _with_anchors(tokens: list[Token]) -> list[Token]:
    """An id for each heading, and for each paragraph that begins with what it defines, in bold."""
    for block, inline in pairwise(tokens):
        if block.type == "heading_open":
            block.attrSet("id", slugify(inline.content))
        elif block.type == "paragraph_open":
            words = [each for each in inline.children or () if each.type != "text" or each.content]
            if words[0].type == "strong_open":
                block.attrSet("id", slugify(words[1].content))
    return tokens

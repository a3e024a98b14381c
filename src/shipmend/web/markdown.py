"""Notes in Markdown as HTML: no HTML of the writer's own, no images, and links that vouch for nothing."""

from __future__ import annotations

from collections.abc import MutableMapping, Sequence
from typing import Any

from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import OptionsDict

DEEPEST = 6
SHIFT = 2
"""What people write as a first heading stands below the page's own and the section's."""


def as_html(text: str) -> SafeString:
    """Markdown (CommonMark, with tables and strike-through) as HTML that is safe to put on a page."""
    found: SafeString = mark_safe(_parser.render(text))  # noqa: S308 -- raw HTML is off, and the rest comes escaped
    return found


def _heading(
    renderer: RendererHTML, tokens: Sequence[Token], at: int, options: OptionsDict, env: MutableMapping[str, Any]
) -> str:
    token = tokens[at]
    token.tag = f"h{min(int(token.tag[1:]) + SHIFT, DEEPEST)}"
    return renderer.renderToken(tokens, at, options, env)


def _link(
    renderer: RendererHTML, tokens: Sequence[Token], at: int, options: OptionsDict, env: MutableMapping[str, Any]
) -> str:
    tokens[at].attrSet("rel", "nofollow noopener noreferrer")
    return renderer.renderToken(tokens, at, options, env)


def _cell(
    renderer: RendererHTML, tokens: Sequence[Token], at: int, options: OptionsDict, env: MutableMapping[str, Any]
) -> str:
    tokens[at].attrs.pop("style", None)  # how a column is aligned; the policy of the pages takes no inline style
    return renderer.renderToken(tokens, at, options, env)


def _made() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"]).disable("image")
    for rule in ("heading_open", "heading_close"):
        parser.add_render_rule(rule, _heading)
    for rule in ("th_open", "td_open"):
        parser.add_render_rule(rule, _cell)
    parser.add_render_rule("link_open", _link)
    return parser


_parser = _made()

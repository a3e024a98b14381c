"""Tags and filters that every template has without asking: times, shas, states, assets."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, tzinfo
from functools import cache, lru_cache
from pathlib import Path

from django import template
from django.conf import settings
from django.http import QueryDict
from django.template import Context
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from shipmend.core.change_texts import STATUSES
from shipmend.core.moments import iso
from shipmend.core.values import ResourcePath, is_addressable
from shipmend.db.clock import epoch_now
from shipmend.web.addresses import KEPT, defect_address, place_address, release_address
from shipmend.web.amounts import MINUTE, duration

register = template.Library()
register.filter(duration)
register.simple_tag(place_address, name="place_url")
register.simple_tag(defect_address, name="defect_url")
register.simple_tag(release_address, name="release_url")

STATIC = Path(__file__).parent.parent / "static"
SHORT_SHA = 8


@register.simple_tag
@cache
def asset(name: str) -> str:
    """The address of a static file, with a hash of its content, so that browsers may keep it for ever."""
    file = Path(f"{STATIC}/{name}")  # not STATIC / name: pathlib takes no subclass of str, as a template's text is
    address = f"{settings.STATIC_URL}{name}"
    return f"{address}?v={hashlib.sha256(file.read_bytes()).hexdigest()[:12]}" if file.exists() else address


@register.filter
def moment(epoch: int | None, zone: tzinfo = UTC) -> str | SafeString:
    """An instant on the clock of `zone`, the UTC instant in its title; nothing for None."""
    if epoch is None:
        return ""
    local = datetime.fromtimestamp(epoch, zone)
    utc = datetime.fromtimestamp(epoch, UTC)
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        iso(epoch),
        f"{utc:%Y-%m-%d %H:%M:%S} UTC",
        f"{local:%Y-%m-%d %H:%M}",
    )


@register.simple_tag
@lru_cache(KEPT)
def place_link(path: ResourcePath) -> SafeString:
    """A link to what a path names, by its name."""
    name = format_html("{}/<wbr>{}", path.organization, path.repo) if path.repo else path.organization or path.entity
    return format_html('<a href="{}">{}</a>', place_address("place", path), name)


@register.simple_tag
def ticket_link(entity: str, key: str) -> SafeString:
    """A link to a ticket, by its key; of a key that would lead a browser elsewhere only the key."""
    if not is_addressable(key):
        return format_html("{}", key)
    return format_html('<a href="{}">{}</a>', reverse("ticket", args=[entity, key]), key)


@register.simple_tag(takes_context=True)
def page_address(context: Context, parameter: str, number: int) -> str:
    """This page's own address with another page of one of its lists."""
    query: QueryDict = context["request"].GET.copy()
    query[parameter] = str(number)
    return f"?{query.urlencode()}"


@register.filter
def utc(at: datetime | None) -> int | None:
    """A datetime as epoch seconds, for `moment`."""
    return None if at is None else int(at.timestamp())


@register.filter
def ago(epoch: int | None) -> str:
    """How long ago an instant was, in words; nothing for None."""
    if epoch is None:
        return ""
    seconds = epoch_now() - epoch
    if abs(seconds) < MINUTE:
        return "just now"
    return f"{duration(seconds)} ago" if seconds > 0 else f"in {duration(-seconds)}"


@register.filter
def minus(later: int, earlier: int) -> int:
    """Seconds between two instants."""
    return later - earlier


@register.filter
def at_slashes(text: str) -> SafeString:
    """A text that may go on in the next line behind each slash, as paths best do."""
    return format_html_join(mark_safe("/<wbr>"), "{}", ((part,) for part in text.split("/")))


@register.filter
def short(sha: str) -> str:
    """A sha as people quote it."""
    return sha[:SHORT_SHA]


@register.filter
def change_word(status: str) -> str:
    """git's letter for what became of a file, as a word."""
    return STATUSES.get(status, "changed")


SHAPES = {
    # Releases
    "failed": "bad",
    "cancelled": "off",
    "pending": "wait",
    "rejected": "bad",
    "unverified": "unsure",
    "baseline": "start",
    "forward": "on",
    "rollback": "back",
    "diverged": "fork",
    "redeploy": "same",
    # What is live
    "live": "done",
    "partly_live": "half",
    "withdrawn": "back",
    "merged_not_released": "wait",
    "not_merged": "fork",
    "not_known": "unsure",
    "off_branch": "off",
    # Defects
    "open": "open",
    "resolved": "done",
    # What became of a row in a figure
    "in_numerator": "half",
    "counted": "done",
    "left_out": "off",
    # The causes of defects
    "named": "done",
    "accepted": "done",
    "guess": "unsure",
    "unattributed": "off",
    # A repo's index
    "none": "off",
    "waiting": "wait",
    "running": "half",
    "ready": "done",
    # Tokens
    "active": "done",
    "expired": "off",
    "revoked": "off",
    "replaced": "wait",
}
"""Which shape stands before which word: a state is never told by colour alone. The style sheet draws them."""


@register.simple_tag
def mark(state: str, word: str = "") -> SafeString:
    """A state as a shape and a word, the state's own name unless `word` says it better."""
    return format_html('<span class="mark {}">{}</span>', SHAPES[state], word or state)

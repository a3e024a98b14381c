"""Links into an instance's pages, for people at a terminal."""

from __future__ import annotations

from django.urls import reverse

from shipmend.accounts.models import User
from shipmend.accounts.people import make_login_link, nobody_yet
from shipmend.cli.arguments import DEFAULT_HOST, DEFAULT_PORT
from shipmend.settings import CONFIG


def origin(address: str = f"http://{DEFAULT_HOST}:{DEFAULT_PORT}") -> str:
    """Where people reach this instance: the public address, or the one that the server listens on."""
    return CONFIG.public_url or address


def login_path(user: User) -> str:
    """The path of a new link that signs `user` in, once, within a day."""
    return reverse("login-link", args=[make_login_link(user)])


def setup_path() -> str | None:
    """The path of a new link to the first set-up; None once that was done."""
    return reverse("setup", args=[make_login_link(None)]) if nobody_yet() else None

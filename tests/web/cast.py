"""People at the pages, in process: Django's own client, signed in."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, field

from django.http import HttpResponse, HttpResponseBase
from django.test import Client

from shipmend.accounts.models import User
from shipmend.core.values import Role
from tests.world import World


def words_of(markup: str) -> str:
    """What people read in it, every run of white space as one blank."""
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]*>", " ", markup.replace("<wbr>", "")))).strip()


@dataclass(frozen=True)
class Person:
    """Someone signed in, or nobody in particular."""

    user: User | None = None
    client: Client = field(default_factory=Client)

    @classmethod
    def of(cls, world: World, role: Role) -> Person:
        """A new member of the world's entity."""
        person = cls(world.user(role))
        assert person.user
        person.client.force_login(person.user)
        return person

    def get(self, path: str, **query: str) -> Seen:
        """Look at a page."""
        return Seen.of(self.client.get(path, query))

    def post(self, path: str, **form: object) -> Seen:
        """Send a form."""
        return Seen.of(self.client.post(path, form))


@dataclass(frozen=True)
class Seen:
    """A page as it came."""

    status: int
    text: str
    """What stands on the page, without markup."""
    html: str
    to: str
    """Where it leads on to, for a redirect."""
    headers: dict[str, str]

    @classmethod
    def of(cls, response: HttpResponseBase) -> Seen:
        """A response, read."""
        assert isinstance(response, HttpResponse)
        markup = response.content.decode()
        headers = dict(response.headers)
        return cls(response.status_code, words_of(markup), markup, headers.get("Location", ""), headers)

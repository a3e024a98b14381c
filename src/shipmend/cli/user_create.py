"""`shipmend user create`: someone who can sign in."""

from __future__ import annotations

import sys
from getpass import getpass

from shipmend.accounts.people import create_user, set_role
from shipmend.audit.trail import COMMAND_LINE
from shipmend.catalog.actions import ensure_entity
from shipmend.catalog.queries import tenant_of
from shipmend.cli import links
from shipmend.core.errors import Invalid
from shipmend.core.values import Role


def run(*, email: str | None, name: str, owner_of: list[str], password_stdin: bool, link: bool) -> int:
    """Make a user, who owns the entities named; those that are missing are made."""
    email = email or _line("Mail address: ")
    if not email:
        raise Invalid("email", "is missing", mend="give the mail address to sign in with")
    password = None if link else _password(from_stdin=password_stdin)
    user = create_user(email=email, password=password, name=name)
    for slug in owner_of:
        tenant = tenant_of(ensure_entity(slug=slug, actor=COMMAND_LINE))
        set_role(tenant=tenant, email=user.email, role=Role.OWNER, actor=COMMAND_LINE)
    if link:
        print(links.origin() + links.login_path(user))
    else:
        owned = f", owner of {', '.join(owner_of)}" if owner_of else ""
        print(f"{user.email} can sign in{owned}.")
    return 0


def _password(*, from_stdin: bool) -> str:
    """Asked for without echo on a terminal, else the next line of standard input."""
    if from_stdin or not sys.stdin.isatty():
        password = _line("")
    else:
        password = getpass("Password: ")
        if getpass("Once more: ") != password:
            raise Invalid("password", "was typed in two ways", mend="type the same twice")
    if not password:
        raise Invalid("password", "is missing", mend="give one, or take --link for a link that signs in")
    return password


def _line(prompt: str) -> str:
    """The next line of standard input, asked for on a terminal."""
    if sys.stdin.isatty():
        print(prompt, end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().rstrip("\r\n")

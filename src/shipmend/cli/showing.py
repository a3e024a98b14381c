"""Serving an instance to somebody who has just arrived: how they sign in, and calls of theirs that work when pasted."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from shipmend.accounts import tokens
from shipmend.accounts.models import User
from shipmend.accounts.people import create_user, find_user, set_role, tenant_for
from shipmend.audit.trail import COMMAND_LINE
from shipmend.catalog.queries import Tenant, find_place
from shipmend.cli import links
from shipmend.cli.arguments import DEFAULT_PORT
from shipmend.cli.serving import serve_until_stopped
from shipmend.core.errors import Forbidden, NotFound, Unauthorized
from shipmend.core.values import ResourcePath, Role
from shipmend.db.clock import epoch_now
from shipmend.server import CannotListen
from shipmend.settings import CONFIG
from shipmend.web.snippets import check_call, release_now_call

ADMINISTRATOR = "admin@localhost"
PORTS_TRIED = 100


def show(tenant: Tenant, *, host: str, port: int | None, page: ResourcePath, repo: ResourcePath, made_by: str) -> None:
    """Serve until stopped, and print where `page` is seen, a login link, and calls about `repo` with a token."""
    administrator, token = _administrator(tenant), _token(tenant, made_by)
    login = links.login_path(administrator)
    _serve(host, port, lambda here: print(_welcome(links.origin(here), page, repo, token, login), flush=True))


def _administrator(tenant: Tenant) -> User:
    """Somebody who owns the entity and signs in by link."""
    try:
        user = find_user(ADMINISTRATOR)
    except NotFound:
        user = create_user(email=ADMINISTRATOR, password=None, name="Administrator")
    try:
        tenant_for(user, tenant.slug, Role.OWNER)
    except (NotFound, Forbidden):
        set_role(tenant=tenant, email=user.email, role=Role.OWNER, actor=COMMAND_LINE)
    return user


def _token(tenant: Tenant, made_by: str) -> str:
    """A token for the entity. It is kept in the data folder, so that a call once pasted works the next time too."""
    kept = CONFIG.data / "try" / f"{tenant.slug}.token"
    text = kept.read_text().strip() if kept.exists() else ""
    try:
        tokens.check(text, now=epoch_now())
    except Unauthorized:
        home = find_place(tenant, ResourcePath(tenant.slug))
        text = tokens.issue(place=home, name=made_by, actor=COMMAND_LINE).text
        _keep(kept, text)
    return text


def _keep(file: Path, text: str) -> None:
    file.parent.mkdir(mode=0o700, exist_ok=True)
    file.touch(mode=0o600)
    file.write_text(text + "\n")


def _serve(host: str, port: int | None, announce: Callable[[str], None]) -> None:
    """On the port given, or on the first free one."""
    last = DEFAULT_PORT + PORTS_TRIED if port is None else port
    for tried in range(DEFAULT_PORT if port is None else port, last + 1):
        try:
            serve_until_stopped(host, tried, with_worker=True, announce=announce)
        except CannotListen:
            if tried == last:
                raise
        else:
            return


def _welcome(origin: str, page: ResourcePath, repo: ResourcePath, token: str, login: str) -> str:
    return f"""
Shipmend is running at {origin}

Sign in, once within a day (run this again for another link):
  {origin}{login}

See the releases of {page}:
  {origin}/entities/{page}

Paste this, to check the token and to record a release:

{check_call(origin, token)}

{release_now_call(origin, repo, token)}

Stop with Ctrl-C. The data stays in {CONFIG.data}
"""

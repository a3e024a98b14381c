"""`shipmend try`: Shipmend on a repository of one's own, from nothing to a call that works, in one command.

Run again it finds everything made, fetches what is new, and serves.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from itertools import count
from pathlib import Path

from shipmend.accounts import tokens
from shipmend.accounts.models import User
from shipmend.accounts.people import create_user, find_user, set_role, tenant_for
from shipmend.audit.trail import COMMAND_LINE
from shipmend.catalog.models import Repo
from shipmend.catalog.queries import Place, Tenant, find_place, find_repo, tenant_of
from shipmend.cli import links
from shipmend.cli.arguments import DEFAULT_PORT
from shipmend.cli.program import REFUSALS, sentence
from shipmend.cli.repo_add import read_address, register
from shipmend.cli.repo_index import index
from shipmend.cli.serving import serve_until_stopped
from shipmend.cli.trial_names import numbered, trial_path
from shipmend.cli.trial_rule import take_tags
from shipmend.core.errors import Forbidden, NotFound, Unauthorized
from shipmend.core.values import ResourcePath, Role
from shipmend.db.clock import epoch_now
from shipmend.git.remotes import Remote
from shipmend.server import CannotListen
from shipmend.settings import CONFIG
from shipmend.web.snippets import check_call, release_now_call

ADMINISTRATOR = "admin@localhost"
PORTS_TRIED = 100


def run(*, address: str, host: str, port: int | None) -> int:
    """Mirror the repository at `address`, take its tags as releases, and serve it until stopped."""
    remote = read_address(address)
    repo = register(_free_path(remote), remote)
    tenant = tenant_of(repo.entity)
    administrator = _administrator(tenant)
    _index(repo)
    place = find_place(tenant, repo.path)
    print(f"{repo.path}: {repo.commit_count:,} commits; {take_tags(place, repo)}")
    token, login = _token(place), links.login_path(administrator)
    _serve(host, port, lambda here: print(_welcome(links.origin(here), repo.path, token, login), flush=True))
    return 0


def _free_path(remote: Remote) -> ResourcePath:
    """Where this repository is, or where it may go: another one may have taken the path that its address gives."""
    path = trial_path(remote)
    for number in count(2):
        try:
            if find_repo(path).remote_url == remote.url:
                break
        except NotFound:
            break
        path = numbered(trial_path(remote), number)
    return path


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


def _index(repo: Repo) -> None:
    try:
        index(repo)
    except REFUSALS as refusal:
        if repo.indexed_at is None:
            raise
        print(f"{repo.path}: {sentence(refusal)} Going on with what was fetched before.", file=sys.stderr)


def _token(place: Place) -> str:
    """A token for the entity. It is kept in the data folder, so that a call once pasted works at the next trial too."""
    kept = CONFIG.data / "try" / f"{place.tenant.slug}.token"
    text = kept.read_text().strip() if kept.exists() else ""
    try:
        tokens.check(text, now=epoch_now())
    except Unauthorized:
        home = find_place(place.tenant, ResourcePath(place.tenant.slug))
        text = tokens.issue(place=home, name="make try", actor=COMMAND_LINE).text
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


def _welcome(origin: str, path: ResourcePath, token: str, login: str) -> str:
    return f"""
Shipmend is running at {origin}

Sign in, once within a day (run this again for another link):
  {origin}{login}

See the releases of {path}:
  {origin}/entities/{path}

Paste this, to check the token and to record a release:

{check_call(origin, token)}

{release_now_call(origin, path, token)}

Stop with Ctrl-C. The data stays in {CONFIG.data}
"""

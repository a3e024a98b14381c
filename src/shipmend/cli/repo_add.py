"""`shipmend repo add`: the operator's way to register a repository. Here, and only here, it may be a local path."""

from __future__ import annotations

import sys
from pathlib import Path

from shipmend.audit.trail import COMMAND_LINE
from shipmend.catalog.actions import ensure_entity, ensure_part, ensure_repo
from shipmend.catalog.models import Repo
from shipmend.cli.findings import command
from shipmend.core.errors import Invalid
from shipmend.core.values import ResourcePath
from shipmend.db.writes import write
from shipmend.git.errors import HostNotFound
from shipmend.git.remotes import Remote, check_address, parse_remote
from shipmend.history.actions import request_index
from shipmend.settings import CONFIG


def run(*, path: ResourcePath, address: str | None, source: ResourcePath | None, paths: list[str] | None) -> int:
    """Register the repo and ask for its index. The same command again changes nothing and indexes anew."""
    if path.level != "repo":
        raise Invalid("the path", "does not name a repo", value=str(path), mend="give entity/organization/repo")
    if source is not None or paths is not None:
        return _add_part(path, address, source, paths)
    repo = register(path, read_address(address) if address else None)
    if not repo.home.remote_url:
        print(f"{path} is registered by name: without a git address, releases of it need a whole sha and a time.")
        return 0
    request_index(repo, reason="asked on the command line")
    print(
        f"{path} is registered, from {repo.home.remote_url}."
        " A running `shipmend serve` or `shipmend worker` indexes it;\n"
        f"to do it here and now: {command(f'repo index {path}', CONFIG)}"
    )
    return 0


def _add_part(path: ResourcePath, address: str | None, source: ResourcePath | None, paths: list[str] | None) -> int:
    if source is None or paths is None:
        missing, there = ("--of", "--paths") if source is None else ("--paths", "--of")
        raise Invalid(missing, "is missing", mend=f"give it with {there}: they say what the repo is part of, and which")
    if address is not None:
        raise Invalid("the repository", "and --of contradict each other", value=address, mend="give one of them")
    repo = ensure_part(path=path, source=source, globs=paths, actor=COMMAND_LINE)
    if repo.home.remote_url:
        request_index(repo, reason="asked on the command line")
    print(
        f"{path} is part of {source}: commits that touch {' '.join(repo.globs)} count for it.\n"
        f"A running `shipmend serve` or `shipmend worker` finds them;"
        f" to do it here and now: {command(f'repo index {path}', CONFIG)}"
    )
    return 0


def register(path: ResourcePath, remote: Remote | None) -> Repo:
    """The repo at `path`, with all that was missing above it."""

    def work() -> Repo:
        ensure_entity(slug=path.entity, actor=COMMAND_LINE)
        return ensure_repo(path=path, remote=remote, actor=COMMAND_LINE)

    return write(work)


def read_address(text: str) -> Remote:
    """The remote at an address or a local path. Raises RemoteRefused, and Invalid for a path where nothing is."""
    remote = parse_remote(text, allow_local=True)
    if remote.kind == "local":
        if not Path(remote.url).exists():
            mend = "give a git URL, or a path that exists"
            raise Invalid("the repository", "is not there", value=remote.url, mend=mend)
        return remote
    try:
        check_address(remote, allow_private=CONFIG.allow_private_remotes)
    except HostNotFound as missing:
        # Perhaps only for now.
        print(f"shipmend: {missing.for_people} It is registered all the same.", file=sys.stderr)
    return remote

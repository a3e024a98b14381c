"""Registering repositories through the API."""

from __future__ import annotations

from typing import Any

from shipmend.accounts.idempotency import KeptAnswer
from shipmend.api import parameters as p
from shipmend.api.endpoint import ApiCall
from shipmend.api.envelope import Answer, time_json
from shipmend.catalog.actions import ensure_part, ensure_repo
from shipmend.catalog.models import Repo
from shipmend.catalog.queries import find_repo, nothing_there, repos_of
from shipmend.core.amounts import several
from shipmend.core.errors import Invalid
from shipmend.core.values import ResourcePath, is_slug
from shipmend.git.remotes import Remote, RemoteRefused
from shipmend.history.actions import request_index
from shipmend.history.mirrors import address_to_register


def post_import(call: ApiCall) -> Answer | KeptAnswer:
    """Register a repo or a part of one, or index a registered one again."""
    path = call.reader.need(p.RESOURCE_PATH)
    if call.reader.get(p.SOURCE_PATH) or call.reader.get(p.PATHS):
        return _post_part(call, path)
    address = call.reader.get(p.REPO_PATH)
    remote = _remote(address) if address else None
    target = _target(path, remote)
    if not call.caller.reaches(target):
        raise nothing_there(path)

    def work() -> Answer:
        actor = call.caller.actor
        repo = ensure_repo(path=target, remote=remote, actor=actor) if remote else find_repo(target)
        if not repo.home.remote_url:
            raise Invalid("repo_path", "is missing, and this repo has no git remote yet", mend="give its git address")
        return _queued(repo)

    return call.write(lambda: work)


def _post_part(call: ApiCall, path: ResourcePath) -> Answer | KeptAnswer:
    source = call.reader.need(p.SOURCE_PATH)
    for each in (path, source):
        if not call.caller.reaches(each):
            raise nothing_there(each)
    if call.reader.get(p.REPO_PATH):
        raise Invalid("repo_path", "and source_path contradict each other", mend="give one of them")
    globs = call.reader.get(p.PATHS) or ()

    def work() -> Answer:
        repo = ensure_part(path=path, source=source, globs=globs, actor=call.caller.actor)
        if not repo.home.remote_url:
            mend = "give it its git address first"
            raise Invalid("source_path", "has no git remote yet", value=str(source), mend=mend)
        return _queued(repo)

    return call.write(lambda: work)


def _queued(repo: Repo) -> Answer:
    request_index(repo, reason="asked by the API")
    return Answer("action_import_created", f"Import of '{repo.path}' is queued.", more={"import": _import_json(repo)})


def list_imports(call: ApiCall) -> Answer:
    """The repos at or below a resource, with the state of their index."""
    place = call.place(call.reader.need(p.RESOURCE_PATH))
    repos = repos_of(place)
    context = {"entity": place.tenant.slug, "resource_path": str(place.path)}
    more = {"context": context, "imports": [_import_json(repo) for repo in repos]}
    return Answer("action_get_resource", f"{several(len(repos), 'repo')} found.", more=more)


def _remote(address: str) -> Remote:
    try:
        return address_to_register(address)
    except RemoteRefused as refused:
        raise Invalid("repo_path", refused.because, value=refused.shown, mend=refused.mend) from refused


def _target(path: ResourcePath, remote: Remote | None) -> ResourcePath:
    """The repo meant: as named, or named after the last parts of its address."""
    if path.repo:
        return path
    names = _names(remote) if remote else ()
    parts = [path.entity, path.organization or (names[-2] if len(names) > 1 else ""), names[-1] if names else ""]
    if not all(is_slug(part) for part in parts):
        raise Invalid("resource_path", "does not name a repo", value=str(path), mend="give entity/organization/repo")
    return ResourcePath(*parts)


def _names(remote: Remote) -> list[str]:
    """The parts of an address's path, the last without `.git`."""
    path = remote.url.partition("://")[2].partition("/")[2] or remote.url.partition(":")[2]
    return path.strip("/").removesuffix(".git").split("/")


def _import_json(repo: Repo) -> dict[str, Any]:
    return {
        "resource_path": str(repo.path),
        # A folder of the server is the operator's own business.
        "repo_path": None if repo.is_local else repo.remote_url or None,
        "state": repo.index_state,
        "progress": repo.index_progress or None,
        "error": repo.index_error or None,
        "commits": repo.commit_count,
        "indexed_at": time_json(repo.indexed_at),
        "source_path": str(repo.source.path) if repo.source else None,
        "paths": repo.globs,
    }

"""Is it live, and what waits for a release."""

from __future__ import annotations

from typing import Any

from shipmend.api import parameters as p
from shipmend.api.endpoint import ApiCall, Operation
from shipmend.api.envelope import Answer, time_json
from shipmend.core.errors import Invalid
from shipmend.delivery.live import LiveAnswer, LiveView, live_of_release, live_of_sha, live_of_ticket
from shipmend.delivery.live_words import summary
from shipmend.delivery.models import PRODUCTION
from shipmend.delivery.views import NamedRelease
from shipmend.delivery.waiting import WaitingCommit, WaitingRepo, list_waiting

GET_RESOURCE = "action_get_resource"


def is_live(call: ApiCall) -> Answer:
    """Where a commit, a ticket or a release stands."""
    reader = call.reader
    place = call.place(reader.need(p.RESOURCE_PATH))
    environment = reader.get(p.ONE_ENVIRONMENT)
    environment = environment.lower() if environment else None
    sha, ticket, release = reader.get(p.SHA), reader.get(p.TICKET), reader.get(p.RELEASE)
    given = [name for name, value in (("sha", sha), ("ticket", ticket), ("release", release)) if value]
    if len(given) > 1:
        raise Invalid(given[1], f"stands beside {given[0]}", mend="ask about one thing at a time")
    if sha:
        return _answer(call, live_of_sha(place, sha, environment))
    if ticket:
        return _answer(call, live_of_ticket(place, ticket, environment))
    if release:
        return _answer(call, live_of_release(place, release, environment))
    raise Invalid("sha", "is missing, and so are ticket and release", mend="give one of them")


def _answer(call: ApiCall, answer: LiveAnswer) -> Answer:
    more = {
        "context": {
            "entity": call.caller.tenant.slug,
            "resource_path": str(call.reader.need(p.RESOURCE_PATH)),
            str(answer.kind): answer.asked,
        },
        "live": [_live_json(row) for row in answer.rows],
        "warnings": list(answer.warnings),
    }
    return Answer(GET_RESOURCE, summary(answer.rows), more=more)


def _live_json(row: LiveView) -> dict[str, Any]:
    return {
        "resource_path": str(row.path),
        "environment": row.environment,
        "state": row.state,
        "since": time_json(row.since),
        "release": _release_json(row.release) if row.release else None,
        "first_live_at": time_json(row.first_live_at),
        "commits": row.commits,
        "commits_live": row.live,
        "sha": row.sha or None,
    }


def _release_json(release: NamedRelease) -> dict[str, Any]:
    return {
        "id": str(release.id),
        "name": release.name or None,
        "release_sha": release.release_sha or None,
        "released_at": time_json(release.released_at),
    }


def waiting(call: ApiCall) -> Answer:
    """What is merged and not released."""
    place = call.place(call.reader.need(p.RESOURCE_PATH))
    environment = (call.reader.get(p.WAITING_ENVIRONMENT) or PRODUCTION).lower()
    found = list_waiting(place, environment=environment, page=call.reader.get(p.PAGE) or 1)
    more = {
        "context": {"entity": place.tenant.slug, "resource_path": str(place.path), "environment": environment},
        "waiting": [_commit_json(item) for item in found.page.items],
        "repos": [_repo_json(repo) for repo in found.repos],
        "page": found.page.number,
        "pages": found.page.count,
        "per_page": found.page.size,
        "total": found.page.total,
        "warnings": [repo.sentence for repo in found.unseen],
    }
    return Answer(GET_RESOURCE, f"{found.page.total} wait, page {found.page.number} of {found.page.count}.", more=more)


def _commit_json(item: WaitingCommit) -> dict[str, Any]:
    return {
        "resource_path": str(item.path),
        "sha": item.commit.sha,
        "subject": item.commit.subject,
        "author_name": item.commit.author,
        "authored_at": time_json(item.commit.authored_at),
        "merged_at": time_json(item.since),
        "merged_by": item.brought_by.sha,
        "issue_keys": list(item.commit.tickets),
    }


def _repo_json(repo: WaitingRepo) -> dict[str, Any]:
    return {
        "resource_path": str(repo.path),
        "commits": repo.commits,
        "merges": repo.merges,
        "since": time_json(repo.since),
        "was_released": repo.was_released,
    }


LIVE = (
    Operation(
        method="GET",
        action_em=GET_RESOURCE,
        summary="Is it live?",
        doc="Where a commit, a ticket or a release (give one of the three) stands in each repo at or below a resource"
        " that knows it, and in each environment. `state` is `live`, `partly_live` (some of a ticket's commits are),"
        " `withdrawn`, `merged_not_released`, `not_merged` (known, and not on the release branch) or `not_known`."
        " `since` is when it came to that state, `release` what brought it there.",
        run=is_live,
        fields=(p.RESOURCE_PATH, p.SHA, p.TICKET, p.RELEASE, p.ONE_ENVIRONMENT),
        answers=("live", "Live", True),
    ),
)
WAITING = (
    Operation(
        method="GET",
        action_em=GET_RESOURCE,
        summary="What is merged and not released",
        doc="The commits of the release branches that no succeeded release of an environment contains: by repo, and in"
        " each what waits longest first. `merged_by` is the commit that brought it to the branch (itself, or a merge)."
        " Merges are only counted, in `repos`. Where nothing was ever released, all of the branch waits."
        " `warnings` names each repo that could not be looked at, and why: it is in none of the other members.",
        run=waiting,
        fields=(p.RESOURCE_PATH, p.WAITING_ENVIRONMENT, p.PAGE),
        answers=("waiting", "WaitingCommit", True),
    ),
)

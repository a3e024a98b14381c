"""What changed: in a release, and between any two commits of a repo."""

from __future__ import annotations

from typing import Any

from shipmend.api import parameters as p
from shipmend.api.endpoint import ApiCall, Operation
from shipmend.api.envelope import Answer, Document, time_json
from shipmend.api.parameters import Layout
from shipmend.catalog.queries import RepoRef
from shipmend.core.change_texts import MEDIA_TYPES, Form, as_text, headline
from shipmend.core.changes import ChangedDefect, Changes, End, View
from shipmend.core.errors import Invalid
from shipmend.delivery.actions import standing_release
from shipmend.delivery.changes import EVERYTHING, PAGE_SIZE, Part, changes_between, changes_of_release

GET_RESOURCE = "action_get_resource"


def of_release(call: ApiCall) -> Answer:
    """What a release changed."""
    tenant, release_id = call.caller.tenant, call.ids["release_id"]
    _, repo = standing_release(tenant, release_id, call.caller.reach)
    view = call.reader.get(p.VIEW) or View.UNION
    return _answer(call, repo, changes_of_release(tenant, repo, release_id, view, _part(call)))


def between(call: ApiCall) -> Answer:
    """What leads from one commit to another."""
    path = call.reader.need(p.RESOURCE_PATH)
    repo = call.place(path).repo
    if repo is None:
        mend = "give entity/organization/repo"
        raise Invalid("resource_path", f"names an {path.level}, and commits are a repo's", value=str(path), mend=mend)
    start, end = call.reader.need(p.FROM), call.reader.need(p.TO)
    return _answer(call, repo, changes_between(call.caller.tenant, repo, start, end, _part(call)))


def _layout(call: ApiCall) -> Layout:
    return call.reader.get(p.FORMAT) or Layout.JSON


def _part(call: ApiCall) -> Part:
    return Part.page(call.reader.get(p.PAGE) or 1) if _layout(call) is Layout.JSON else EVERYTHING


def _answer(call: ApiCall, repo: RepoRef, changes: Changes) -> Answer:
    layout = _layout(call)
    detail = changes.reason or f"{headline(changes)}."
    if layout is not Layout.JSON:
        form = Form(layout)
        return Answer(GET_RESOURCE, detail, document=Document(MEDIA_TYPES[form], as_text(changes, form)))
    more = {
        "context": {"entity": call.caller.tenant.slug, "resource_path": str(repo.path)},
        "changes": changes_json(changes),
        "page": call.reader.get(p.PAGE) or 1,
        "pages": max(1, -(-changes.commit_total // PAGE_SIZE)),
        "per_page": PAGE_SIZE,
        "total": changes.commit_total,
        "warnings": [changes.gap] if changes.gap else [],
    }
    return Answer(GET_RESOURCE, detail, more=more)


def changes_json(changes: Changes) -> dict[str, Any]:
    """What changed as the API shows it."""
    return {
        "from": _end_json(changes.before),
        "to": _end_json(changes.after),
        "view": changes.view,
        "reason": changes.reason or None,
        "commits": [
            {
                "sha": commit.sha,
                "subject": commit.subject,
                "author_name": commit.author,
                "author_email": commit.email,
                "authored_at": time_json(commit.authored_at),
            }
            for commit in changes.commits
        ],
        "commits_total": changes.commit_total,
        "commits_withdrawn": changes.withdrawn,
        "authors": [author._asdict() for author in changes.authors],
        "authors_total": changes.author_total,
        **_files_json(changes),
        "issue_keys": list(changes.tickets),
        "defects_fixed": [_defect_json(defect) for defect in changes.fixed],
        "defects_blamed": [{**_defect_json(defect), "cause": defect.cause} for defect in changes.blamed],
    }


def _files_json(changes: Changes) -> dict[str, Any]:
    found = changes.files
    counts = found.are_counted
    return {
        "lines": found.lines,
        "files_total": found.total.files if found.total else None,
        "insertions": found.total.insertions if found.total and counts else None,
        "deletions": found.total.deletions if found.total and counts else None,
        "files": [file._asdict() for file in found.files],
        "places": [
            {
                "place": place,
                "files": amount.files,
                "insertions": amount.insertions if counts else None,
                "deletions": amount.deletions if counts else None,
            }
            for place, amount in found.places
        ],
    }


def _end_json(end: End | None) -> dict[str, Any] | None:
    if end is None:
        return None
    release = str(end.release) if end.release else None
    return {"sha": end.sha or None, "name": end.name or None, "release_id": release}


def _defect_json(defect: ChangedDefect) -> dict[str, Any]:
    return {
        "defect_key": defect.key,
        "description": defect.description or None,
        "detected_at": time_json(defect.detected_at),
    }


_DOCUMENTS = tuple(MEDIA_TYPES.values())

RELEASE_CHANGES = (
    Operation(
        method="GET",
        action_em=GET_RESOURCE,
        summary="What a release changed",
        doc="Commits, authors, files with their lines, where they are, and the defects fixed. Files are compared with"
        " the nearest earlier release among its ancestors. Lines are counted in the background: until then `lines` is"
        ' "pending".',
        run=of_release,
        fields=(p.VIEW, p.PAGE, p.FORMAT),
        answers=("changes", "Changes", False),
        documents=_DOCUMENTS,
    ),
)
CHANGES = (
    Operation(
        method="GET",
        action_em=GET_RESOURCE,
        summary="What changed between any two commits",
        doc="The same between two commits of a repo, each named by a sha, a tag, a branch or a release's id. Commits"
        " that only the first one has are counted as withdrawn.",
        run=between,
        fields=(p.RESOURCE_PATH, p.FROM, p.TO, p.PAGE, p.FORMAT),
        answers=("changes", "Changes", False),
        documents=_DOCUMENTS,
    ),
)

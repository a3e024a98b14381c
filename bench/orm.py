"""The same endpoint as one would write it with Django's ORM: as much asked, stored and answered, in its plain way."""

from __future__ import annotations

import time
from zoneinfo import ZoneInfo

from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse

from shipmend.accounts.models import ApiToken
from shipmend.api.endpoint import bearer
from shipmend.api.envelope import release_json
from shipmend.audit.models import AuditEvent
from shipmend.catalog.models import Repo
from shipmend.core import tokens
from shipmend.core.moments import DateOrder, read_moment
from shipmend.core.values import ResourcePath
from shipmend.delivery.models import Release
from shipmend.delivery.views import ReleaseView

_UTC = ZoneInfo("UTC")


def post_release(request: HttpRequest) -> HttpResponse:
    """Record a release of a repo without a remote."""
    token = (
        ApiToken.objects.select_related("entity", "organization", "repo__organization")
        .filter(digest=tokens.digest(bearer(request)), revoked_at=None)
        .get()
    )
    path = ResourcePath.parse(request.POST["resource_path"])
    repo = Repo.objects.select_related("source").get(
        entity_id=token.entity_id, organization__slug=path.organization, slug=path.repo
    )
    moment = read_moment(request.POST["released_at"], zone=_UTC, date_order=DateOrder.NONE, now=int(time.time()))
    with transaction.atomic():
        release = _recorded(repo, request.POST["release_sha"], moment.epoch, moment.text, request.POST["name"])
        AuditEvent.objects.create(
            entity_id=token.entity_id,
            actor=f"token {token.hint}",
            action="release_created",
            subject=f"{path} {release.name}",
            subject_id=release.id,
        )
    shown = ReleaseView(
        id=release.id,
        path=path,
        environment=release.environment,
        name=release.name,
        released_at=release.released_at,
        release_sha=release.release_sha,
        kind=release.kind,
        status=release.status,
        commit_state=release.commit_state,
        issue_keys=(),
    )
    detail = f"Release ensured to exist at {moment.wall_clock_release()} in '{path}'"
    words = {"action_em": "action_release_created", "response_em": "response_success", "response_detail": detail}
    return JsonResponse({**words, "release": release_json(shown), "warnings": []})


def _recorded(repo: Repo, sha: str, at: int, text: str, name: str) -> Release:
    stream = Release.objects.filter(entity_id=repo.entity_id, repo=repo, environment="production")
    same = stream.filter(released_at=at, release_sha=sha).first()
    if same is not None:
        return same
    live = stream.filter(status="succeeded", deleted_at=None, commit_state__in=["known", "unverified"])
    before = live.filter(released_at__lte=at).order_by("-released_at", "-release_sha").first()
    after = live.filter(released_at__gt=at).order_by("released_at", "release_sha").first()
    release = Release.objects.create(
        entity_id=repo.entity_id,
        repo=repo,
        environment="production",
        release_sha=sha,
        commit_state="unverified",
        released_at=at,
        released_text=text,
        name=name,
        kind=None if before else "baseline",
    )
    if after is not None and after.kind == "baseline":
        Release.objects.filter(id=after.id).update(kind=None)
    return release


post_release.csrf_exempt = True  # type: ignore[attr-defined]  # as the endpoint it is compared with

"""Badges: what is live in an environment of a repo, for anybody, where the entity has switched them on."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from shipmend.catalog.queries import Place, entity_of, find_place, find_tenant
from shipmend.core.errors import Invalid, NotFound
from shipmend.core.live import State
from shipmend.core.values import ResourcePath, Sha
from shipmend.delivery.live import live_of_sha
from shipmend.delivery.live_words import SHORT
from shipmend.delivery.queries import live_release
from shipmend.web.badges import Tone, badge
from shipmend.web.visits import PAGE

TONES = {State.LIVE: Tone.GOOD, State.WITHDRAWN: Tone.BAD}
KEPT = 60
"""Seconds for which others may keep a badge."""


def live_badge(request: HttpRequest, entity: str, organization: str, repo: str, environment: str) -> HttpResponse:
    """What release is live; with `?sha=`, whether that commit is. One answer for all that may not be seen."""
    if request.method not in PAGE:
        return HttpResponse(status=405, headers={"Allow": ", ".join(PAGE)})
    try:
        place = _open_place(ResourcePath(entity, organization, repo))
    except NotFound:
        return HttpResponse("There is no badge here.\n", status=404, content_type="text/plain")
    sha = request.GET.get("sha")
    picture = _release(place, environment) if sha is None else _commit(place, environment, sha)
    response = HttpResponse(picture, content_type="image/svg+xml")
    response["Cache-Control"] = f"public, max-age={KEPT}"
    # It is made to be shown by pages elsewhere.
    response["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


def _open_place(path: ResourcePath) -> Place:
    tenant = find_tenant(path.entity)
    if not entity_of(tenant).public_badges:
        raise NotFound("badges are off")
    return find_place(tenant, path)


def _release(place: Place, environment: str) -> str:
    release = live_release(place, environment)
    if release is None:
        return badge(environment, "nothing released", Tone.QUIET)
    return badge(environment, release.title, Tone.PLAIN)


def _commit(place: Place, environment: str, text: str) -> str:
    try:
        row = live_of_sha(place, Sha.parse(text, parameter="sha"), environment).rows[0]
    except Invalid:
        return badge(environment, SHORT[State.NOT_KNOWN], Tone.QUIET)
    return badge(environment, SHORT[row.state], TONES.get(row.state, Tone.QUIET))

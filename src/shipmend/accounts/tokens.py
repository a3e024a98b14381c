"""API tokens: issue, check, rotate, revoke."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from uuid import UUID

from shipmend.accounts.models import ApiToken, User
from shipmend.audit import trail
from shipmend.audit.trail import Actor
from shipmend.catalog.queries import Place, Tenant
from shipmend.core import tokens
from shipmend.core.errors import Forbidden, Invalid, NotFound, Unauthorized
from shipmend.core.moments import DateOrder
from shipmend.core.values import DEFAULT_SCOPES, ResourcePath, Scope
from shipmend.db.clock import epoch_now
from shipmend.db.rows import change
from shipmend.db.sql import Statement
from shipmend.db.writes import write

DAY = 24 * 3600
DEFAULT_DAYS = 365
ROTATION_OVERLAP = DAY
"""Seconds for which a rotated token still works beside its successor."""
USE_NOTED_EVERY = 3600
"""Seconds between two notes of a token's last use: a call must not cost a write."""

REFUSAL = (
    "This call needs a valid API token: send it as 'Authorization: Bearer {your token}'. "
    "Tokens are made in Settings → API Dashboard; an expired or revoked one no longer works."
)


@dataclass(frozen=True, slots=True)
class Caller:
    """A token that has been checked, and what it may do."""

    token_id: UUID
    tenant: Tenant
    reach: ResourcePath
    scopes: frozenset[Scope]
    hint: str
    last_used_at: int | None

    @property
    def actor(self) -> Actor:
        """The caller as the audit trail names it."""
        return Actor.token(self.hint)

    def require(self, scope: Scope) -> None:
        """Raises Forbidden where the token lacks `scope`."""
        if scope not in self.scopes:
            held = ", ".join(sorted(self.scopes)) or "none"
            raise Forbidden(f'This token lacks the scope "{scope}" (it has: {held}): use one that was made with it.')

    def reaches(self, path: ResourcePath) -> bool:
        """Whether `path` is at or below what the token is bound to."""
        return self.reach.holds(path)


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """A new token: the only moment its text is known."""

    row: ApiToken
    text: str


_CHECK = Statement(
    "SELECT t.id, t.entity_id, e.slug, e.time_zone, e.date_order, o.slug, ro.slug, r.slug, t.scopes, t.hint,"
    " t.expires_at, t.revoked_at, t.last_used_at"
    " FROM accounts_apitoken t JOIN catalog_entity e ON e.id = t.entity_id"
    " LEFT JOIN catalog_organization o ON o.id = t.organization_id"
    " LEFT JOIN catalog_repo r ON r.id = t.repo_id LEFT JOIN catalog_organization ro ON ro.id = r.organization_id"
    " WHERE t.digest = ?"
)
_NOTE_USE = Statement("UPDATE accounts_apitoken SET last_used_at = ? WHERE entity_id = ? AND id = ?")


def check(text: str, *, now: int) -> Caller:
    """Who this token stands for. Raises Unauthorized, with one and the same sentence for every reason."""
    row = _CHECK.row(tokens.digest(text)) if tokens.is_well_formed(text) else None
    if row is None:
        raise Unauthorized(REFUSAL)
    token_id, entity_id, entity, zone, order, organization, repo_organization, repo, scopes, hint, *times = row
    expires_at, revoked_at, last_used_at = times
    if revoked_at is not None or (expires_at is not None and expires_at <= now):
        raise Unauthorized(REFUSAL)
    return Caller(
        token_id=token_id,
        tenant=Tenant(entity_id, entity, zone, DateOrder(order)),
        reach=ResourcePath(entity, organization or repo_organization or "", repo or ""),
        scopes=_scopes(scopes),
        hint=hint,
        last_used_at=last_used_at,
    )


@lru_cache(maxsize=256)
def _scopes(stored: str) -> frozenset[Scope]:
    return frozenset(Scope(scope) for scope in stored.split())


def note_use(caller: Caller, *, at: int) -> None:
    """Remember that the token was used, at most once an hour; inside write()."""
    if caller.last_used_at is None or at - caller.last_used_at >= USE_NOTED_EVERY:
        _NOTE_USE.run(at, caller.tenant.id, caller.token_id)


def issue(
    *,
    place: Place,
    name: str,
    scopes: frozenset[Scope] = DEFAULT_SCOPES,
    days: int | None = DEFAULT_DAYS,
    actor: Actor,
    created_by: User | None = None,
) -> IssuedToken:
    """Make a token bound to `place`; `days=None` for one that never expires. Raises Invalid."""
    if not name.strip():
        raise Invalid("name", "is missing", mend="say what the token is for, so that it can be told from others")
    if not scopes:
        raise Invalid("scope", "is missing", mend=f"choose at least one of {', '.join(Scope)}")
    if days is not None and not 1 <= days <= 3660:
        raise Invalid("days", "is out of range", value=days, mend="give 1 to 3660, or none for no expiry")
    text = tokens.mint()

    def work() -> ApiToken:
        row = ApiToken.objects.create(
            entity_id=place.tenant.id,
            organization_id=None if place.repo else place.organization_id,
            repo_id=place.repo.id if place.repo else None,
            name=name.strip()[:200],
            digest=tokens.digest(text),
            hint=tokens.hint(text),
            scopes=" ".join(sorted(scopes)),
            created_by=created_by,
            expires_at=None if days is None else epoch_now() + days * DAY,
        )
        trail.record(place.tenant.id, actor, "token_created", row.name, subject_id=row.id)
        return row

    return IssuedToken(write(work), text)


def rotate(*, tenant: Tenant, token_id: UUID, actor: Actor) -> IssuedToken:
    """A successor with the same binding, scopes and lifetime; the old token works for another day.

    Raises NotFound, and Invalid for a token that has a successor already or no longer works.
    """
    text = tokens.mint()

    def work() -> ApiToken:
        old = token_in(tenant, token_id)
        now = epoch_now()
        _check_can_rotate(old, now)
        lifetime = None if old.expires_at is None else (old.expires_at - old.created_at)
        successor = ApiToken.objects.create(
            entity_id=old.entity_id,
            organization_id=old.organization_id,
            repo_id=old.repo_id,
            name=old.name,
            digest=tokens.digest(text),
            hint=tokens.hint(text),
            scopes=old.scopes,
            created_by=old.created_by,
            expires_at=None if lifetime is None else now + lifetime,
        )
        ends_at = min(old.expires_at or now + ROTATION_OVERLAP, now + ROTATION_OVERLAP)
        change(old, replaced_by=successor, expires_at=ends_at)
        trail.record(tenant.id, actor, "token_rotated", old.name, subject_id=old.id)
        return successor

    return IssuedToken(write(work), text)


def _check_can_rotate(token: ApiToken, now: int) -> None:
    mend = "make a new token"
    if token.revoked_at is not None:
        raise Invalid("token", "has been revoked", value=token.name, mend=mend)
    if token.replaced_by_id is not None:
        raise Invalid("token", "has been rotated already", value=token.name, mend=f"rotate its successor, or {mend}")
    if token.expires_at is not None and token.expires_at <= now:
        raise Invalid("token", "has expired", value=token.name, mend=mend)


def revoke(*, tenant: Tenant, token_id: UUID, actor: Actor) -> None:
    """End a token at once: its next call is refused. Raises NotFound."""

    def work() -> None:
        token = token_in(tenant, token_id)
        if token.revoked_at is None:
            change(token, revoked_at=epoch_now())
            trail.record(tenant.id, actor, "token_revoked", token.name, subject_id=token.id)

    write(work)


def token_in(tenant: Tenant, token_id: UUID) -> ApiToken:
    """One token of an entity. Raises NotFound."""
    rows = ApiToken.objects.filter(entity_id=tenant.id, id=token_id)
    token = rows.select_related("organization", "repo__organization").first()
    if token is None:
        raise NotFound("There is no such token in this entity.")
    return token


def tokens_of(tenant: Tenant) -> list[ApiToken]:
    """Every token of an entity, newest first."""
    rows = ApiToken.objects.filter(entity_id=tenant.id)
    return list(rows.select_related("organization", "repo__organization", "created_by").order_by("-id"))

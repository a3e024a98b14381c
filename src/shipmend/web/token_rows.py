"""API tokens as the dashboard lists them."""

from __future__ import annotations

from dataclasses import dataclass

from shipmend.accounts.models import ApiToken
from shipmend.accounts.tokens import tokens_of
from shipmend.catalog.queries import Tenant
from shipmend.core.values import ResourcePath, Scope
from shipmend.db.clock import epoch_now
from shipmend.web.visits import Visit


@dataclass(frozen=True, slots=True)
class TokenRow:
    """A token, what it reaches, how it stands, and whether the reader may end it."""

    token: ApiToken
    path: ResourcePath
    scopes: tuple[str, ...]
    state: str
    """`active`, `replaced` (rotated, its last day), `expired` or `revoked`."""
    is_yours: bool

    @property
    def may_all(self) -> bool:
        """Whether no scope is kept from it."""
        return set(self.scopes) == set(Scope)

    @property
    def works(self) -> bool:
        """Whether a call with it would be let in."""
        return self.state in ("active", "replaced")


def token_rows(visit: Visit) -> list[TokenRow]:
    """The entity's tokens, those that work first, each group newest first."""
    now = epoch_now()
    rows = [
        TokenRow(
            token=token,
            path=reach_of(token, visit.tenant),
            scopes=tuple(token.scopes.split()),
            state=_state(token, now),
            is_yours=visit.is_owner or (visit.is_member and token.created_by_id == visit.user.id),
        )
        for token in tokens_of(visit.tenant)
    ]
    return sorted(rows, key=lambda row: not row.works)


def reach_of(token: ApiToken, tenant: Tenant) -> ResourcePath:
    """What a token is bound to."""
    if token.repo is not None:
        return ResourcePath(tenant.slug, token.repo.organization.slug, token.repo.slug)
    return ResourcePath(tenant.slug, token.organization.slug if token.organization else "")


def _state(token: ApiToken, now: int) -> str:
    if token.revoked_at is not None:
        return "revoked"
    if token.expires_at is not None and token.expires_at <= now:
        return "expired"
    return "active" if token.replaced_by_id is None else "replaced"

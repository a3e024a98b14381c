"""People: users, their roles in an entity, and the links that sign them in from a terminal."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from uuid import UUID

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from shipmend.accounts.models import LoginLink, Membership, User
from shipmend.audit import trail
from shipmend.audit.trail import Actor
from shipmend.catalog.actions import create_entity
from shipmend.catalog.models import Entity
from shipmend.catalog.queries import Tenant, tenant_of
from shipmend.core.errors import Forbidden, Invalid, NotFound, shown
from shipmend.core.values import ResourcePath, Role
from shipmend.db.clock import epoch_now
from shipmend.db.rows import change
from shipmend.db.writes import write

LINK_SECONDS = 24 * 3600


def nobody_yet() -> bool:
    """Whether this instance still waits for its first user."""
    return not User.objects.exists()


def find_user(email: str) -> User:
    """A user by their mail address. Raises NotFound."""
    user = User.objects.filter(email=email.strip().lower()).first()
    if user is None:
        raise NotFound(f"There is no user {shown(email)}.")
    return user


def create_user(*, email: str, password: str | None, name: str = "") -> User:
    """A new user; without a password, one who can sign in by a link only. Raises Invalid."""
    user = _prepared(email, password, name)
    return write(lambda: _add(user))


def set_up(*, secret: str, email: str, password: str, entity: str, time_zone: str) -> User:
    """Make the first user and the first entity, which they own, with the secret of a set-up link.

    Raises Invalid, and NotFound where the secret can't be used or there is a user already.
    """
    user = _prepared(email, password)

    def work() -> User:
        link = open_login_link(secret)
        if link is None or link.user is not None or not nobody_yet() or not use_login_link(link):
            raise NotFound("This set-up link can't be used: it is wrong or old, or this instance is set up already.")
        _add(user)
        actor = Actor.user(user.email)
        made = create_entity(slug=entity, time_zone=time_zone, actor=actor)
        set_role(tenant=tenant_of(made), email=user.email, role=Role.OWNER, actor=actor)
        return user

    return write(work)


@dataclass(frozen=True, slots=True)
class Invitation:
    """A new member, and the secret of the login link to hand to them; None for someone who had an account before."""

    membership: Membership
    secret: str | None


def invite(*, tenant: Tenant, email: str, role: Role, actor: Actor) -> Invitation:
    """Make someone a member: a user, or a newcomer who signs in by a link first. Raises Invalid."""
    newcomer = _prepared(email, None)

    def work() -> Invitation:
        is_known = User.objects.filter(email=newcomer.email).exists()
        if not is_known:
            _add(newcomer)
        membership = set_role(tenant=tenant, email=newcomer.email, role=role, actor=actor)
        return Invitation(membership, None if is_known else make_login_link(newcomer))

    return write(work)


def invite_again(*, tenant: Tenant, membership_id: UUID, actor: Actor) -> Invitation:
    """Another login link for a member who has never signed in. Raises NotFound and Invalid.

    Nobody else's: whoever holds the link is that person, also in the other entities they belong to.
    """

    def work() -> Invitation:
        membership = _membership(tenant, membership_id)
        user = membership.user
        if user.last_login is not None or user.memberships.count() > 1:
            mend = "whoever runs this instance can make a new link on its command line"
            raise Invalid("email", "belongs to someone who can sign in already", value=user.email, mend=mend)
        trail.record(tenant.id, actor, "member_invited_again", user.email, subject_id=user.id)
        return Invitation(membership, make_login_link(user))

    return write(work)


def change_password(*, user: User, password: str) -> None:
    """Give a user a new password; Django then ends their other sessions. Raises Invalid."""
    _check_password(password, user)
    user.set_password(password)
    write(lambda: user.save(update_fields=["password"]))


def set_role(*, tenant: Tenant, email: str, role: Role, actor: Actor) -> Membership:
    """Make a user a member, or change what a member may do. Raises Invalid; an entity keeps one owner at least."""

    def work() -> Membership:
        user = User.objects.filter(email=email.strip().lower()).first()
        if user is None:
            raise Invalid("email", "belongs to no user", value=email, mend="create the user first")
        membership = Membership.objects.filter(entity_id=tenant.id, user=user).first()
        if membership is None:
            membership = Membership.objects.create(entity_id=tenant.id, user=user, role=role)
        else:
            if role is not Role.OWNER:
                _keep_an_owner(tenant, membership)
            change(membership, role=role)
        trail.record(tenant.id, actor, f"member_made_{role}", user.email, subject_id=user.id)
        return membership

    return write(work)


def remove_member(*, tenant: Tenant, membership_id: UUID, actor: Actor) -> None:
    """End a membership. Raises NotFound, or Invalid for the last owner."""

    def work() -> None:
        membership = _membership(tenant, membership_id)
        _keep_an_owner(tenant, membership)
        Membership.objects.filter(entity_id=tenant.id, id=membership.id).delete()
        trail.record(tenant.id, actor, "member_removed", membership.user.email, subject_id=membership.user_id)

    write(work)


def members_of(tenant: Tenant) -> list[Membership]:
    """Every member of an entity, by mail address."""
    return list(Membership.objects.select_related("user").filter(entity_id=tenant.id).order_by("user__email"))


def has_owner(tenant: Tenant) -> bool:
    """Whether somebody may do everything in this entity; one made on the command line has nobody at first."""
    return Membership.objects.filter(entity_id=tenant.id, role=Role.OWNER).exists()


def entities_of(user: User) -> list[Entity]:
    """The entities a user is a member of, by slug."""
    return list(Entity.objects.filter(memberships__user=user).order_by("slug"))


def tenant_for(user: User, slug: str, needed: Role) -> tuple[Tenant, Role]:
    """The entity at `slug` as this user may see it, and their role there.

    Raises NotFound where they are no member (one answer with an unknown slug), Forbidden where the role is too low.
    """
    membership = Membership.objects.select_related("entity").filter(user=user, entity__slug=slug).first()
    if membership is None:
        raise NotFound(f'"{ResourcePath(slug)}" names nothing that you can reach.')
    role = Role(membership.role)
    if not role.includes(needed):
        raise Forbidden(f"You are a {role} of {slug}, and this takes a {needed}: ask an owner of the entity.")
    return tenant_of(membership.entity), role


def make_login_link(user: User | None) -> str:
    """The secret of a new link that signs `user` in once, or opens the first-run set-up when there is nobody yet."""
    secret = secrets.token_urlsafe(32)
    digest = hashlib.sha256(secret.encode()).digest()
    write(lambda: LoginLink.objects.create(user=user, digest=digest, expires_at=epoch_now() + LINK_SECONDS))
    return secret


def open_login_link(secret: str) -> LoginLink | None:
    """The link that this secret belongs to, if it can still be used."""
    digest = hashlib.sha256(secret.encode()).digest()
    link = LoginLink.objects.select_related("user").filter(digest=digest, used_at=None).first()
    return link if link and link.expires_at > epoch_now() else None


def use_login_link(link: LoginLink) -> bool:
    """Use a link up. False if someone else was quicker."""
    return write(lambda: LoginLink.objects.filter(id=link.id, used_at=None).update(used_at=epoch_now())) == 1


def _prepared(email: str, password: str | None, name: str = "") -> User:
    """A user checked and not stored yet: hashing a password takes too long to be done inside a write."""
    email = email.strip().lower()
    try:
        User.email.field.clean(email, None)
    except ValidationError as error:
        raise Invalid("email", "is not a mail address", value=email, mend="write name@example.org") from error
    user = User(email=email, name=name.strip())
    if password is not None:
        _check_password(password, user)
    user.set_password(password)
    return user


def _add(user: User) -> User:
    if User.objects.filter(email=user.email).exists():
        raise Invalid("email", "is taken", value=user.email, mend="sign in with it, or use another")
    user.save(force_insert=True)
    return user


def _membership(tenant: Tenant, membership_id: UUID) -> Membership:
    membership = Membership.objects.select_related("user").filter(entity_id=tenant.id, id=membership_id).first()
    if membership is None:
        raise NotFound("There is no such member in this entity.")
    return membership


def _check_password(password: str, user: User) -> None:
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise Invalid("password", "is too weak", mend=" ".join(error.messages).rstrip(".")) from error


def _keep_an_owner(tenant: Tenant, leaving: Membership) -> None:
    owners = Membership.objects.filter(entity_id=tenant.id, role=Role.OWNER).exclude(id=leaving.id)
    if leaving.role == Role.OWNER and not owners.exists():
        raise Invalid("role", "can't be taken from the last owner", mend="make someone else an owner first")

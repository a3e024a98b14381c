"""People and the tokens that scripts carry."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.db import models

from shipmend.catalog.models import Entity, Organization, Repo
from shipmend.core.values import Role, Scope
from shipmend.db.clock import epoch_now
from shipmend.db.fields import IdField


class UserManager(BaseUserManager["User"]):
    """Makes users by their mail address."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        """A user who signs in with `email`; without a password, only by a login link."""
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user


class User(AbstractBaseUser):
    """A person who signs in."""

    id = IdField(primary_key=True)
    email = models.EmailField(unique=True)
    name = models.CharField(max_length=200, blank=True)
    is_active = models.BooleanField(default=True)
    created_at = models.BigIntegerField(default=epoch_now)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    def __str__(self) -> str:
        return self.name or self.email


class Membership(models.Model):
    """What a person may do in an entity."""

    id = IdField(primary_key=True)
    entity = models.ForeignKey(Entity, models.CASCADE, related_name="memberships")
    user = models.ForeignKey(User, models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=10, choices=[(role, role.value) for role in Role])
    created_at = models.BigIntegerField(default=epoch_now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["entity", "user"], name="membership_user"),
        ]


class ApiToken(models.Model):
    """A secret that stands for its maker in an entity, or in one organization or repo of it."""

    id = IdField(primary_key=True)
    entity = models.ForeignKey(Entity, models.CASCADE, related_name="tokens")
    organization = models.ForeignKey(Organization, models.CASCADE, null=True, blank=True)
    repo = models.ForeignKey(Repo, models.CASCADE, null=True, blank=True)
    name = models.CharField(max_length=200)
    digest = models.BinaryField(max_length=32)
    """SHA-256 of the whole token; the token itself is shown once and never kept."""
    hint = models.CharField(max_length=40)
    """Prefix and last four characters, for people to tell their tokens apart."""
    scopes = models.CharField(max_length=200, default=" ".join(Scope))
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True)
    created_at = models.BigIntegerField(default=epoch_now)
    expires_at = models.BigIntegerField(null=True, blank=True)
    revoked_at = models.BigIntegerField(null=True, blank=True)
    last_used_at = models.BigIntegerField(null=True, blank=True)
    replaced_by = models.ForeignKey("self", models.SET_NULL, null=True, blank=True, related_name="replaces")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["entity", "digest"], name="token_digest"),
        ]
        indexes = [
            # A call names no entity: its token is what tells which one it belongs to.
            models.Index(fields=["digest"], name="token_by_digest"),
        ]

    def __str__(self) -> str:
        return self.name


class LoginLink(models.Model):
    """A link that signs one person in, once: printed by the operator's command line."""

    id = IdField(primary_key=True)
    user = models.ForeignKey(User, models.CASCADE, null=True, blank=True)
    """Nobody yet: the link opens the first-run set-up."""
    digest = models.BinaryField(max_length=32, unique=True)
    expires_at = models.BigIntegerField()
    used_at = models.BigIntegerField(null=True, blank=True)


class ApiCall(models.Model):
    """One call that a token made and how it was answered: for the API Dashboard, without any secret."""

    id = IdField(primary_key=True)
    entity = models.ForeignKey(Entity, models.CASCADE, db_index=False)
    token = models.ForeignKey(ApiToken, models.CASCADE, db_index=False)
    at = models.BigIntegerField()
    method = models.CharField(max_length=7)
    path = models.CharField(max_length=200)
    status = models.SmallIntegerField()
    response_em = models.CharField(max_length=40)
    detail = models.CharField(max_length=400)
    milliseconds = models.IntegerField()

    class Meta:
        indexes = [models.Index(fields=["entity", "-id"], name="call_latest")]


class IdempotencyKey(models.Model):
    """The answer given to a POST that carried this Idempotency-Key, for whoever sends it again."""

    id = IdField(primary_key=True)
    entity = models.ForeignKey(Entity, models.CASCADE, db_index=False)
    token = models.ForeignKey(ApiToken, models.CASCADE, db_index=False)
    key = models.CharField(max_length=255)
    request = models.BinaryField(max_length=32)
    """SHA-256 of the method, the path and the parameters."""
    status = models.SmallIntegerField()
    answer = models.TextField()
    created_at = models.BigIntegerField(default=epoch_now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["entity", "token", "key"], name="idempotency_key"),
        ]
        indexes = [models.Index(fields=["entity", "created_at"], name="idempotency_age")]

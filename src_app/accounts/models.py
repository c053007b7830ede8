"""Accounts: made by an administrator, never by sign-up."""

from typing import Any

import pghistory
from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone

from src_app.accounts.roles import PERMISSIONS, Permission, Role
from src_app.choices import NamedChoices
from src_app.database import one_line

SYSTEM_USERNAME = "system"


class UserManager(BaseUserManager["User"]):
    """Makes accounts."""

    @staticmethod
    def normalised(username: str) -> str:
        """The name as accounts have it, however it was typed: phones begin it with a capital letter."""
        return username.strip().lower()

    def get_by_natural_key(self, username: str | None) -> "User":
        """The account that signs in under that name; raises User.DoesNotExist."""
        return self.get(username=self.normalised(username or ""))

    def create_user(self, username: str, password: str | None = None, **fields: Any) -> "User":
        """A new account; without a password nobody can sign in to it."""
        user = self.model(username=username, **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def system(self) -> "User":
        """The named actor of tasks and commands; nobody can sign in as it."""
        user = self.filter(username=SYSTEM_USERNAME).first()
        return user or self.create_user(
            SYSTEM_USERNAME, role=Role.SYSTEM, display_name="This system", is_active=False
        )


class ClosedBecause(NamedChoices):
    """Why an account was closed."""

    LEFT = "left", "Left the force"
    MOVED = "moved", "Moved to other work"
    AWAY = "away", "Away for long"
    REVIEW = "review", "No longer needed, as the access review found"
    OTHER = "other", "Another reason"


@pghistory.track(exclude=["password", "last_login", "email", "first_password_until"], model_name="UserEvent")
class User(AbstractBaseUser):
    """A member of police staff. ``display_name`` is rank and shoulder number: no personal name is needed.

    ``email``: the work address, in small letters; NULL where an older account has none.
    ``first_password_until``: how long the password that an administrator handed over signs in; NULL once its
    owner has chosen another.
    """

    username = models.CharField(max_length=150, unique=True)
    display_name = models.CharField(max_length=100)
    role = models.CharField(max_length=20, choices=Role.as_choices)
    email = models.EmailField(null=True)  # noqa: DJ001 - so that several may have none
    is_active = models.BooleanField(default=True)
    closed_because = models.CharField(
        max_length=20, choices=ClosedBecause.as_choices, blank=True, default="", db_default=""
    )
    created_at = models.DateTimeField(default=timezone.now)
    first_password_until = models.DateTimeField(null=True)

    objects = UserManager()

    USERNAME_FIELD = "username"
    REQUIRED_FIELDS = ["display_name", "role"]

    class Meta:
        constraints = [
            *one_line("user", "username", "display_name", "email"),
            models.UniqueConstraint(Lower("email"), name="user_email_once"),
            models.CheckConstraint(
                condition=models.Q(is_active=False) | models.Q(closed_because=""),
                name="user_closed_because_of_closed",
            ),
            models.CheckConstraint(condition=~models.Q(email=""), name="user_email_or_none"),
            models.CheckConstraint(condition=models.Q(role__in=Role.values), name="user_role_is_known"),
        ]
        indexes = [models.Index(fields=["display_name", "id"], name="user_by_name")]

    def __str__(self) -> str:
        return self.display_name

    def can(self, permission: Permission) -> bool:
        """Whether this account's role holds the permission."""
        return permission in PERMISSIONS.get(self.role, frozenset())

"""Changes of accounts."""

import re
from datetime import datetime

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.contrib.sessions.models import Session
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from src_app.accounts.guards import check_authority
from src_app.accounts.models import User
from src_app.accounts.roles import Permission, Role
from src_app.audit.models import Action, Purpose
from src_app.audit.record import record
from src_app.fields import is_one_line
from src_app.refused import Refused

_USERNAME = re.compile(r"[a-z0-9][a-z0-9._-]{1,59}")


class AccountRefused(Refused):
    """The account cannot be made or changed so; its text is one sentence that says what to do."""


def make_account(
    *, username: str, display_name: str, role: Role, email: str, password: str, by: User, at: datetime
) -> User:
    """A new account that can sign in with that password; it belongs nowhere yet."""
    check_authority(by, Permission.MANAGE_ACCOUNTS)
    if not _USERNAME.fullmatch(username):
        raise AccountRefused(
            "A user name has 2 to 60 small letters, digits, dots, hyphens or underscores: choose another."
        )
    if not display_name.strip():
        raise AccountRefused("Say what the person is called on pages: rank and shoulder number.")
    if not is_one_line(display_name):
        raise AccountRefused("The name on pages has a line end or a control character in it: leave it out.")
    if role == Role.SYSTEM:
        raise AccountRefused("Nobody signs in as the system: choose the role of a person.")
    user = User(username=username, display_name=display_name.strip(), role=role, created_at=at)
    user.email = checked_email(email)
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise AccountRefused(" ".join(error.messages)) from error
    with transaction.atomic():
        if User.objects.filter(username=username).exists():
            raise AccountRefused(f"There is an account {username} already: choose another user name.")
        _refuse_taken(user)
        user.set_password(password)
        user.save()
        _record(Action.ACCOUNT_MADE, user, by, ["username", "display_name", "role", "email"])
    return user


def checked_email(email: str) -> str:
    """The address in small letters; raises :class:`AccountRefused` for one that is not of the force."""
    address = email.strip().lower()
    try:
        validate_email(address)
    except ValidationError:
        address = ""
    if address.rpartition("@")[2] not in settings.WORK_EMAIL_DOMAINS:
        allowed = " or ".join(f"@{domain}" for domain in settings.WORK_EMAIL_DOMAINS)
        raise AccountRefused(f"Give a work e-mail address that ends in {allowed}.")
    return address


def _refuse_taken(user: User) -> None:
    """Two who do so at once are told apart by the database."""
    if User.objects.filter(email=user.email).exclude(pk=user.pk).exists():
        raise AccountRefused("Another account has this e-mail address: give the person's own.")


def close_account(*, user: User, by: User) -> None:
    """Closes the account: nobody can sign in with it, and whoever is signed in is out with the next page."""
    check_authority(by, Permission.MANAGE_ACCOUNTS)
    with transaction.atomic():
        user = User.objects.select_for_update().get(pk=user.pk)
        if not user.is_active:
            raise AccountRefused(f"{user.username} is closed already: there is nothing more to do.")
        user.is_active = False
        user.save(update_fields=["is_active"])
        _record(Action.ACCOUNT_CLOSED, user, by, ["is_active"])


def reset_sign_in(*, user: User, password: str, by: User) -> None:
    """Gives the account a new first password and no second factor, and ends its sessions."""
    check_authority(by, Permission.MANAGE_ACCOUNTS)
    if user.role == Role.SYSTEM:
        raise AccountRefused("Nobody signs in as the system: choose the account of a person.")
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise AccountRefused(" ".join(error.messages)) from error
    with transaction.atomic():
        user = User.objects.select_for_update().get(pk=user.pk)
        user.is_active = True
        user.set_password(password)
        user.save(update_fields=["is_active", "password"])
        Authenticator.objects.filter(user=user).delete()
        _record(Action.SIGN_IN_RESET, user, by, ["is_active", "password", "second_factor"])


def clear_expired_sessions(*, at: datetime, batch: int = 10_000) -> int:
    """Deletes the sessions that have ended; returns how many.

    In batches, oldest first, so that no statement takes long however many there are.
    """
    cleared = 0
    while True:
        ended = Session.objects.filter(expire_date__lt=at).order_by("expire_date").values("pk")[:batch]
        deleted, _ = Session.objects.filter(pk__in=ended).delete()
        if not deleted:
            return cleared
        cleared += deleted


def _record(action: Action, user: User, by: User, fields: list[str]) -> None:
    record(
        action,
        by=by,
        purpose=Purpose.ADMINISTRATION,
        subject="account",
        references=[user.username],
        fields=fields,
    )

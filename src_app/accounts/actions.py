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
from django.db.models import Q

from src_app.accounts.guards import check_authority
from src_app.accounts.models import ClosedBecause, User
from src_app.accounts.passwords import hash_of_drawn
from src_app.accounts.roles import Permission, Role
from src_app.audit.models import Action, Purpose
from src_app.audit.record import record
from src_app.fields import is_one_line
from src_app.refused import Refused

_OPEN_ADMINISTRATOR = Q(role=Role.ADMINISTRATOR, is_active=True)
_USERNAME = re.compile(r"[a-z0-9][a-z0-9._-]{1,59}")


class AccountRefused(Refused):
    """The account cannot be made or changed so; its text is one sentence that says what to do."""


def make_account(
    *,
    username: str,
    display_name: str,
    role: Role,
    email: str,
    password: str,
    is_drawn: bool = False,
    is_own: bool = False,
    by: User,
    at: datetime,
) -> User:
    """A new account that can sign in with that password; it belongs nowhere yet.

    ``is_drawn``: the password is of :func:`first_password`. ``is_own``: its owner chose it, and keeps it.
    """
    check_authority(by, Permission.MANAGE_ACCOUNTS)
    user = User(username=checked_username(username), role=_of_a_person(role), created_at=at)
    user.first_password_until = None if is_own else at + settings.FIRST_PASSWORD_HOLDS
    user.display_name, user.email = checked_name(display_name), checked_email(email)
    _check_password(password, user)
    with transaction.atomic():
        _lock_administrators()
        if User.objects.filter(username=username).exists():
            raise AccountRefused(f"There is an account {username} already: choose another user name.")
        _refuse_taken(user)
        if is_drawn:
            user.password = hash_of_drawn(password)
        else:
            user.set_password(password)
        user.save()
        _record(Action.ACCOUNT_MADE, user, by, ["username", "display_name", "role", "email"])
    return user


def change_details(*, user: User, display_name: str, email: str, by: User) -> bool:
    """Another name on pages, another e-mail address; says whether anything changed."""
    check_authority(by, Permission.MANAGE_ACCOUNTS)
    given = {"display_name": checked_name(display_name), "email": checked_email(email)}
    with transaction.atomic():
        user = _lock(user)
        changed = [name for name, value in given.items() if getattr(user, name) != value]
        if not changed:
            return False
        for name in changed:
            setattr(user, name, given[name])
        _refuse_taken(user)
        user.save(update_fields=changed)
        _record(Action.ACCOUNT_CHANGED, user, by, changed)
    return True


def set_role(*, user: User, role: Role, by: User) -> bool:
    """Another role, from the next page on; says whether it is another. Places stay as they are."""
    check_authority(by, Permission.MANAGE_ACCOUNTS)
    if user == by:
        raise AccountRefused("Nobody changes their own role: ask another administrator.")
    _of_a_person(role)
    with transaction.atomic():
        user = _lock(user)
        _refuse_closed(user)
        if user.role == role:
            return False
        _keep_an_administrator(user)
        user.role = role
        user.save(update_fields=["role"])
        _record(Action.ACCOUNT_CHANGED, user, by, ["role"])
    return True


def checked_username(username: str) -> str:
    """The user name as it is; raises :class:`AccountRefused` for one that is none."""
    if not _USERNAME.fullmatch(username):
        raise AccountRefused(
            "A user name has 2 to 60 small letters, digits, dots, hyphens or underscores: choose another."
        )
    return username


def checked_name(display_name: str) -> str:
    """The name without blanks around it; raises :class:`AccountRefused`."""
    if not display_name.strip():
        raise AccountRefused("Say what the person is called on pages: rank and shoulder number.")
    if not is_one_line(display_name):
        raise AccountRefused("The name on pages has a line end or a control character in it: leave it out.")
    return display_name.strip()


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
    if User.objects.filter(email=user.email).exclude(pk=user.pk).exists():
        raise AccountRefused("Another account has this e-mail address: give the person's own.")


def close_account(*, user: User, because: ClosedBecause, by: User) -> None:
    """Closes the account: nobody can sign in with it, and whoever is signed in is out with the next page."""
    check_authority(by, Permission.MANAGE_ACCOUNTS)
    if user == by:
        raise AccountRefused("Nobody closes their own account: another administrator has to.")
    with transaction.atomic():
        user = _lock(user)
        if not user.is_active:
            raise AccountRefused(f"{user.username} is closed already: there is nothing more to do.")
        _keep_an_administrator(user)
        user.is_active, user.closed_because = False, because
        user.save(update_fields=["is_active", "closed_because"])
        _record(Action.ACCOUNT_CLOSED, user, by, ["is_active", "closed_because"])


def reopen_account(*, user: User, password: str, by: User, at: datetime) -> None:
    """Opens a closed account again, with a new first password and no second factor."""
    check_authority(by, Permission.MANAGE_ACCOUNTS)
    _of_a_person(Role(user.role))
    _check_password(password, user)
    with transaction.atomic():
        user = _lock(user)
        if user.is_active:
            raise AccountRefused(f"{user.username} is open already: there is nothing more to do.")
        user.is_active, user.closed_because = True, ""
        _sign_in_anew(user, password, at)
        _record(Action.ACCOUNT_REOPENED, user, by, ["is_active", "password", "second_factor"])


def reset_sign_in(*, user: User, password: str, by: User, at: datetime) -> None:
    """Gives the account a new first password and no second factor, and ends its sessions."""
    check_authority(by, Permission.MANAGE_ACCOUNTS)
    _of_a_person(Role(user.role))
    if user == by:
        raise AccountRefused("Nobody resets their own sign-in: another administrator has to.")
    _check_password(password, user)
    with transaction.atomic():
        user = _lock(user)
        _refuse_closed(user)
        _sign_in_anew(user, password, at)
        _record(Action.SIGN_IN_RESET, user, by, ["password", "second_factor"])


def _sign_in_anew(user: User, password: str, at: datetime) -> None:
    user.set_password(password)
    user.first_password_until = at + settings.FIRST_PASSWORD_HOLDS
    user.save(update_fields=["is_active", "closed_because", "password", "first_password_until"])
    Authenticator.objects.filter(user=user).delete()


def _lock_administrators() -> None:
    """So that whoever asks for a name or an address that is taken at this moment is told so."""
    list(User.objects.select_for_update(no_key=True).filter(_OPEN_ADMINISTRATOR).order_by("pk"))


def _lock(user: User) -> User:
    """The account as it is, locked with every open administrator's, in one order.

    So two people do not take the last two administrators away at once.
    """
    wanted = Q(pk=user.pk) | _OPEN_ADMINISTRATOR
    locked = User.objects.select_for_update(no_key=True).filter(wanted).order_by("pk")
    return {each.pk: each for each in locked}[user.pk]


def _keep_an_administrator(user: User) -> None:
    """Raises :class:`AccountRefused` where the locked account is the last that may keep accounts."""
    administrators = set(User.objects.filter(_OPEN_ADMINISTRATOR))
    if administrators == {user}:
        raise AccountRefused(f"{user} is the last administrator: add another one first.")


def _refuse_closed(user: User) -> None:
    if not user.is_active:
        raise AccountRefused(f"{user.username} is closed: open the account again first.")


def _of_a_person(role: Role) -> Role:
    if role == Role.SYSTEM:
        raise AccountRefused("Nobody signs in as the system: choose the account or the role of a person.")
    return role


def _check_password(password: str, user: User) -> None:
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise AccountRefused(" ".join(error.messages)) from error


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

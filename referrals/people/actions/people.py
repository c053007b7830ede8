"""Somebody joins, changes role or leaves: the account and where it belongs, in one."""

from collections.abc import Collection
from datetime import datetime

from django.db import transaction

from referrals.mail.outbox import queue
from referrals.models import Bcu, MailKind, Team
from referrals.places.actions.membership import IN_BCUS, IN_TEAMS, join_bcu, join_team, move
from referrals.scope import today
from src_app.accounts.actions import (
    change_details,
    close_account,
    make_account,
    reopen_account,
    reset_sign_in,
    set_role,
)
from src_app.accounts.models import ClosedBecause, User
from src_app.accounts.roles import Role


def add_person(
    *,
    username: str,
    display_name: str,
    role: Role,
    email: str,
    password: str,
    is_drawn: bool = False,
    teams: Collection[Team],
    bcus: Collection[Bcu],
    by: User,
    at: datetime,
) -> User:
    """A new account that belongs to these places from today on; raises :class:`Refused`.

    ``is_drawn``: the password is of :func:`~src_app.accounts.passwords.first_password`.
    """
    with transaction.atomic():
        user = make_account(
            username=username,
            display_name=display_name,
            role=role,
            email=email,
            password=password,
            is_drawn=is_drawn,
            by=by,
            at=at,
        )
        for team in teams:
            join_team(user=user, team=team, starts_on=today(), by=by)
        for bcu in bcus:
            join_bcu(user=user, bcu=bcu, starts_on=today(), by=by)
    return user


def change_name_or_address(*, user: User, display_name: str, email: str, by: User, at: datetime) -> bool:
    """Another name on pages, another e-mail address; says whether anything changed.

    At an address that is theirs no more the owner is told so.
    """
    with transaction.atomic():
        before = User.objects.select_for_update(no_key=True).get(pk=user.pk).email
        if not change_details(user=user, display_name=display_name, email=email, by=by):
            return False
        if before and not User.objects.filter(pk=user.pk, email=before).exists():
            _tell_owner(MailKind.ADDRESS_CHANGED, user, before, at)
    return True


def change_role(*, user: User, role: Role, by: User) -> bool:
    """Another role; the person leaves what the new one cannot belong to. Says whether it is another."""
    with transaction.atomic():
        if not set_role(user=user, role=role, by=by):
            return False
        move(
            user=user,
            teams=None if role in IN_TEAMS else [],
            bcus=None if role in IN_BCUS else [],
            on=today(),
            by=by,
        )
    return True


def give_new_sign_in(*, user: User, password: str, by: User, at: datetime) -> None:
    """A new first password and no second factor; the owner is told at their own address."""
    with transaction.atomic():
        reset_sign_in(user=user, password=password, by=by, at=at)
        _tell_owner(MailKind.SIGN_IN_RESET, user, user.email, at)


def reopen_person(*, user: User, password: str, by: User, at: datetime) -> None:
    """Opens a closed account again, with a new first password; the owner is told at their own address."""
    with transaction.atomic():
        reopen_account(user=user, password=password, by=by, at=at)
        _tell_owner(MailKind.SIGN_IN_RESET, user, user.email, at)


def _tell_owner(kind: MailKind, user: User, address: str | None, at: datetime) -> None:
    if address:
        queue(kind=kind, recipient=address, unique_key=f"{kind}:{user.pk}:{at.isoformat()}", at=at)


def close_person(*, user: User, because: ClosedBecause, by: User) -> None:
    """Closes the account; the person belongs nowhere from today on."""
    with transaction.atomic():
        close_account(user=user, because=because, by=by)
        move(user=user, teams=[], bcus=[], on=today(), by=by)

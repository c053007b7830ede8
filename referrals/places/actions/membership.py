"""Who belongs where, from a day on.

Where somebody belongs decides which victims they read about: so it is part of their account.
"""

from datetime import date
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from referrals.models import Bcu, BcuMembership, Team, TeamMembership
from src_app.accounts.guards import check_authority
from src_app.accounts.models import User
from src_app.accounts.roles import Permission, Role
from src_app.audit.models import Action, Purpose
from src_app.audit.record import record
from src_app.refused import Refused

IN_TEAMS = (Role.OFFICER, Role.SUPERVISOR)
IN_BCUS = (Role.HCOP, Role.SUPERVISOR, Role.TRIAL_LEAD, Role.LEADER)


def join_team(*, user: User, team: Team, starts_on: date, by: User) -> TeamMembership:
    """Puts an officer or supervisor in a team; raises :class:`Refused` for others, and for one in it."""
    check_authority(by, Permission.MANAGE_ACCOUNTS)
    if user.role not in IN_TEAMS:
        raise Refused("Only officers and supervisors belong to a team: leave the team out.")
    with transaction.atomic():
        _lock(user)
        if TeamMembership.objects.filter(TeamMembership.current(starts_on), user=user, team=team).exists():
            raise Refused(f"{user} belongs to {team} already: leave the team out.")
        membership = TeamMembership.objects.create(user=user, team=team, starts_on=starts_on)
        _record(user, "team", by)
    return membership


def join_bcu(*, user: User, bcu: Bcu, starts_on: date, by: User) -> BcuMembership:
    """Puts somebody in a BCU; raises :class:`Refused` for roles that see none, and for one in it."""
    check_authority(by, Permission.MANAGE_ACCOUNTS)
    if user.role not in IN_BCUS:
        raise Refused("Only HCOPs, supervisors, trial leads and leaders belong to a BCU: leave it out.")
    with transaction.atomic():
        _lock(user)
        if BcuMembership.objects.filter(BcuMembership.current(starts_on), user=user, bcu=bcu).exists():
            raise Refused(f"{user} belongs to {bcu} already: leave the BCU out.")
        membership = BcuMembership.objects.create(user=user, bcu=bcu, starts_on=starts_on)
        _record(user, "bcu", by)
    return membership


def leave_team(*, user: User, team: Team, on: date, by: User) -> None:
    """Takes somebody out of a team from that day on; raises :class:`Refused` for one who is not in it."""
    _leave(user, TeamMembership.objects.filter(TeamMembership.current(on), team=team), team, on, by)


def leave_bcu(*, user: User, bcu: Bcu, on: date, by: User) -> None:
    """Takes somebody out of a BCU from that day on; raises :class:`Refused` for one who is not in it."""
    _leave(user, BcuMembership.objects.filter(BcuMembership.current(on), bcu=bcu), bcu, on, by)


def _leave(user: User, memberships: QuerySet[Any], place: Team | Bcu, on: date, by: User) -> None:
    check_authority(by, Permission.MANAGE_ACCOUNTS)
    kind = "team" if isinstance(place, Team) else "bcu"
    with transaction.atomic():
        _lock(user)
        if not memberships.filter(user=user).update(ends_on=on):
            raise Refused(f"{user} does not belong to {place}: leave it out.")
        _record(user, kind, by, ended=True)


def _lock(user: User) -> None:
    """Two who put one person somewhere take turns."""
    User.objects.select_for_update().get(pk=user.pk)


def _record(user: User, place: str, by: User, *, ended: bool = False) -> None:
    record(
        Action.MEMBERSHIP_ENDED if ended else Action.MEMBERSHIP_MADE,
        by=by,
        purpose=Purpose.ADMINISTRATION,
        subject="account",
        references=[user.username],
        fields=[place, "ends_on" if ended else "starts_on"],
    )

"""Who belongs where, from a day on.

Where somebody belongs decides which victims they read about: so it is part of their account.
"""

from collections.abc import Collection
from datetime import date
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import F, Q, QuerySet

from referrals.models import Bcu, BcuMembership, Team, TeamMembership
from referrals.scope import today
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
        # Read anew, and held: it may be closed at this moment.
        team = Team.objects.select_for_update(no_key=True).get(pk=team.pk)
        if team.closed_at is not None:
            raise Refused(f"{team} is closed: choose another team.")
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


def move(
    *, user: User, teams: Collection[Team] | None, bcus: Collection[Bcu] | None, on: date, by: User
) -> bool:
    """Puts somebody in these places, and in no others, from that day on; says whether that is a change.

    None in place of teams or BCUs: those stay as they are. What was before that day stays, and what was
    planned for after it is dropped. Raises :class:`Refused` for a day that has passed.
    """
    check_authority(by, Permission.MANAGE_ACCOUNTS)
    if user == by:
        raise Refused("Nobody moves themselves: ask another administrator.")
    if on < today():
        raise Refused("Choose today or a later day: where somebody belonged before stays as it was.")
    with transaction.atomic():
        _lock(user)
        new_teams = _stay(TeamMembership, "team", user, teams, on, by)
        new_bcus = _stay(BcuMembership, "bcu", user, bcus, on, by)
        for team in new_teams.joined:
            join_team(user=user, team=team, starts_on=on, by=by)
        for bcu in new_bcus.joined:
            join_bcu(user=user, bcu=bcu, starts_on=on, by=by)
    return any([*new_teams, *new_bcus])


class _Stayed(NamedTuple):
    """What a move leaves to be joined, and whether it ended or prolonged something."""

    joined: list[Any]
    changed: bool


def _stay(
    model: type[TeamMembership | BcuMembership],
    kind: str,
    user: User,
    places: Collection[Any] | None,
    on: date,
    by: User,
) -> _Stayed:
    """Ends, from that day on, each membership of a place that is not wanted.

    A membership of a wanted place loses its end. Returns the wanted places that are still to be joined.
    """
    if places is None:
        return _Stayed([], changed=False)
    wanted = {place.pk: place for place in places}
    later = Q(ends_on__isnull=True) | Q(ends_on__gt=on)
    kept, changed = [], False
    for membership in model.objects.filter(later, user=user):
        if membership.starts_on <= on and getattr(membership, f"{kind}_id") in wanted:
            kept.append(membership)
            continue
        membership.ends_on = max(on, membership.starts_on)
        membership.save(update_fields=["ends_on"])
        _record(user, kind, by, ended=True)
        changed = True
    for membership in kept:
        del wanted[getattr(membership, f"{kind}_id")]
        if membership.ends_on is not None:
            membership.ends_on = None
            membership.save(update_fields=["ends_on"])
            _record(user, kind, by)
            changed = True
    return _Stayed(list(wanted.values()), changed)


def _leave(user: User, memberships: QuerySet[Any], place: Team | Bcu, on: date, by: User) -> None:
    check_authority(by, Permission.MANAGE_ACCOUNTS)
    kind = "team" if isinstance(place, Team) else "bcu"
    with transaction.atomic():
        _lock(user)
        if not memberships.filter(user=user).update(ends_on=on):
            raise Refused(f"{user} does not belong to {place}: leave it out.")
        _record(user, kind, by, ended=True)


def end_memberships(*, team: Team, on: date, by: User) -> None:
    """Takes everybody out of a team from that day on; who was to come later does not come."""
    check_authority(by, Permission.MANAGE_ACCOUNTS)
    with transaction.atomic():
        for membership in _lasting(team, on):
            _lock(membership.user)
            membership.ends_on = max(on, membership.starts_on)
            membership.save(update_fields=["ends_on"])
            _record(membership.user, "team", by, ended=True)


def move_members(*, from_team: Team, to_team: Team, on: date, by: User) -> None:
    """Moves everybody from one team to another from that day on.

    Somebody who was to leave the first team on a day leaves the other on that day. Somebody who was to join
    the first later joins the other then.
    """
    check_authority(by, Permission.MANAGE_ACCOUNTS)
    with transaction.atomic():
        for membership in _lasting(from_team, on):
            _lock(membership.user)
            first, last = max(on, membership.starts_on), membership.ends_on
            _belong(membership.user, to_team, first, last)
            membership.ends_on = first
            membership.save(update_fields=["ends_on"])
            _record(membership.user, "team", by)


def _lasting(team: Team, on: date) -> QuerySet[TeamMembership]:
    """Of people who are in the team on that day or later."""
    lasting = TeamMembership.objects.filter(Q(ends_on__isnull=True) | Q(ends_on__gt=on), team=team)
    return lasting.exclude(ends_on=F("starts_on")).select_related("user").order_by("user", "pk")


def _belong(user: User, team: Team, first: date, last: date | None) -> None:
    """Puts the person in the team from the first day to the last.

    Memberships of that team which overlap those days become one with them.
    """
    overlapping = TeamMembership.objects.filter(
        Q(ends_on__isnull=True) | Q(ends_on__gte=first), user=user, team=team
    ).exclude(ends_on=F("starts_on"))
    if last is not None:
        overlapping = overlapping.filter(starts_on__lte=last)
    kept, *others = [*overlapping.order_by("starts_on", "pk")] or [
        TeamMembership(user=user, team=team, starts_on=first, ends_on=last)
    ]
    for other in others:
        last = _later(last, other.ends_on)
        other.ends_on = other.starts_on
        other.save(update_fields=["ends_on"])
    kept.starts_on = min(kept.starts_on, first)
    kept.ends_on = _later(last, kept.ends_on)
    kept.save()


def _later(one: date | None, other: date | None) -> date | None:
    """The later of two ends; none is later than any."""
    return max(one, other) if one and other else None


def _lock(user: User) -> None:
    """Locks the account, so that its places are changed by one person at a time."""
    User.objects.select_for_update(no_key=True).get(pk=user.pk)


def _record(user: User, place: str, by: User, *, ended: bool = False) -> None:
    record(
        Action.MEMBERSHIP_ENDED if ended else Action.MEMBERSHIP_MADE,
        by=by,
        purpose=Purpose.ADMINISTRATION,
        subject="account",
        references=[user.username],
        fields=[place, "ends_on" if ended else "starts_on"],
    )

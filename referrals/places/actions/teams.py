"""A team begins, is called something else, or is closed."""

from datetime import datetime

from django.db import transaction
from django.db.models import Q

from referrals.models import Borough, Decision, FollowUp, PlaceMove, Referral, ReferralStatus, Team
from referrals.places.actions.mailboxes import drop_test, send_test
from referrals.places.actions.membership import end_memberships
from referrals.scope import today
from src_app.accounts.actions import checked_email
from src_app.accounts.guards import check_authority
from src_app.accounts.models import User
from src_app.accounts.roles import Permission
from src_app.audit.models import Action, Purpose
from src_app.audit.record import record
from src_app.database import PLACES_LOCK, wait_for_advisory_lock
from src_app.refused import Refused
from src_app.templatetags.words import counted


def add_team(*, name: str, borough: Borough, mailbox: str, by: User, at: datetime) -> Team:
    """A new team without wards; its mailbox gets a test mail, and its mail from the first day on."""
    check_authority(by, Permission.MANAGE_PLACES)
    address = checked_email(mailbox)
    with transaction.atomic():
        wait_for_advisory_lock(PLACES_LOCK)
        _refuse_taken(name, borough)
        team = Team.objects.create(name=name, borough=borough, mailbox=address)
        _record(Action.TEAM_ADDED, team, by, ["borough", "mailbox", "name"])
        send_test(team=team, address=address, by=by, at=at)
    return team


def rename_team(*, team: Team, name: str, by: User) -> bool:
    """Calls the team something else; says whether that is a change."""
    check_authority(by, Permission.MANAGE_PLACES)
    with transaction.atomic():
        wait_for_advisory_lock(PLACES_LOCK)
        team = open_team(team.pk)
        if team.name == name:
            return False
        _refuse_taken(name, team.borough, but=team)
        team.name = name
        team.save(update_fields=["name"])
        _record(Action.TEAM_CHANGED, team, by, ["name"])
    return True


def close_team(*, team: Team, by: User, at: datetime) -> None:
    """Closes a team that has nothing left to do; whoever is in it leaves it today.

    Raises :class:`Refused` while it covers a ward, has work, or a move to it or from it is planned.
    """
    check_authority(by, Permission.MANAGE_PLACES)
    with transaction.atomic():
        wait_for_advisory_lock(PLACES_LOCK)
        team = open_team(team.pk)
        if why := why_not_close_team(team):
            raise Refused(why)
        end_memberships(team=team, on=today(), by=by)
        drop_test(team)
        team.closed_at, team.closed_by = at, by
        team.save(update_fields=["closed_at", "closed_by"])
        _record(Action.TEAM_CLOSED, team, by, ["closed_at", "closed_by"])


def open_team(team_id: int) -> Team:
    """The team, held until the transaction ends; raises :class:`Refused` for one that is closed."""
    team = Team.objects.select_related("borough").select_for_update(of=("self",), no_key=True).get(pk=team_id)
    if team.closed_at is not None:
        raise Refused(f"{team} is closed: nothing of it can be changed.")
    return team


def why_not_close_team(team: Team) -> str:
    """What the team still has, in one sentence that says what to do; empty where it can be closed."""
    wards = team.wards.count()
    if wards:
        return f"{team} covers {counted(wards, 'ward,wards')}: move them, or merge the team into another."
    if referrals := Referral.objects.filter(team=team, status=ReferralStatus.OPEN).count():
        has = counted(referrals, "open referral,open referrals")
        return f"{team} has {has}: merge the team into another, which gets them."
    is_its_work = Q(referral__team=team) | Q(referral__team__merged_into=team)
    if follow_ups := FollowUp.objects.filter(is_its_work, done_at__isnull=True).count():
        has = counted(follow_ups, "follow-up that is,follow-ups that are")
        return f"{team} has {has} not done: merge the team into another, which gets them."
    if Decision.objects.filter(team=team, submission__isnull=True).exists():
        return f"A case of the overnight review is marked for {team}: close it once the day is submitted."
    moves = PlaceMove.objects.filter(PlaceMove.waits())
    if moves.filter(to_team=team).exists() or moves.filter(from_team=team).exists():
        return f"A move to {team} or from it is planned: drop it first."
    return ""


def _refuse_taken(name: str, borough: Borough, but: Team | None = None) -> None:
    taken = Team.objects.filter(borough=borough, name__iexact=name, closed_at__isnull=True).first()
    if taken not in (None, but):
        raise Refused(f"{borough} has a team called {name}: choose another name.")


def _record(action: Action, team: Team, by: User, fields: list[str]) -> None:
    record(
        action,
        by=by,
        purpose=Purpose.ADMINISTRATION,
        subject="team",
        references=[f"team {team.pk}"],
        fields=fields,
    )

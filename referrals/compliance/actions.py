"""A dated change, a goal of a team, and a view by name."""

from datetime import date, datetime

from django.db import transaction

from referrals.models import Bcu, NotedChange, SavedView, Team, TeamGoal
from referrals.scope import bcus_of, teams_led_by, today
from src_app.accounts.guards import NotAllowed, check_authority
from src_app.accounts.models import User
from src_app.accounts.roles import Permission
from src_app.audit.models import Action, Purpose
from src_app.audit.record import record
from src_app.refused import Refused

MOST_VIEWS = 20


def note_change(*, happened_on: date, text: str, place: Bcu | Team, by: User, at: datetime) -> NotedChange:
    """A day from which a run chart may start anew; raises :class:`Refused`."""
    check_authority(by, Permission.CHASE_REFERRALS)
    places = bcus_of(by) if isinstance(place, Bcu) else teams_led_by(by)
    if not places.filter(pk=place.pk).exists():
        raise NotAllowed
    if happened_on > today():
        raise Refused("Note a change once it has happened: give today or an earlier day.")
    of = {"bcu": place} if isinstance(place, Bcu) else {"team": place}
    with transaction.atomic():
        noted = NotedChange.objects.create(happened_on=happened_on, text=text, noted_at=at, noted_by=by, **of)
        record(Action.CHANGE_NOTED, by=by, purpose=Purpose.SUPERVISION, subject="compliance", references=[])
    return noted


def set_goal(*, team_id: int, percent: int, by_day: date, by: User, at: datetime) -> TeamGoal:
    """The goal that a team has from now on; raises :class:`Refused`."""
    check_authority(by, Permission.CHASE_REFERRALS)
    team = teams_led_by(by).filter(pk=team_id, closed_at__isnull=True).first()
    if team is None:
        raise NotAllowed
    if by_day <= today():
        raise Refused("Give a day that is still to come.")
    with transaction.atomic():
        goal = TeamGoal.objects.create(team=team, percent=percent, by_day=by_day, set_at=at, set_by=by)
        record(Action.GOAL_SET, by=by, purpose=Purpose.SUPERVISION, subject="team", references=[team.name])
    return goal


def save_view(*, name: str, asked: str, by: User) -> SavedView:
    """A view of the compliance page by that name, in place of an earlier one; raises :class:`Refused`."""
    check_authority(by, Permission.VIEW_COMPLIANCE)
    with transaction.atomic():
        others = SavedView.objects.filter(user=by).exclude(name=name)
        if others.count() >= MOST_VIEWS:
            raise Refused(f"You have {MOST_VIEWS} views: remove one first.")
        view, _ = SavedView.objects.update_or_create(user=by, name=name, defaults={"asked": asked})
        _record_view(by)
    return view


def drop_view(*, view_id: int, by: User) -> None:
    """Removes one of the account's own; nothing where it is gone."""
    check_authority(by, Permission.VIEW_COMPLIANCE)
    with transaction.atomic():
        SavedView.objects.filter(pk=view_id, user=by).delete()
        _record_view(by)


def _record_view(by: User) -> None:
    record(Action.VIEW_SAVED, by=by, purpose=Purpose.SUPERVISION, subject="compliance", references=[])

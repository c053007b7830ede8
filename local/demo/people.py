"""The demo's accounts, one for each role, and the trials they work in."""

import secrets
from collections.abc import Iterable
from datetime import date, datetime

from django.conf import settings

from local.demo.sign_ins import PEOPLE, sign_ins
from local.demo.trials import begin_trial
from referrals.models import Bcu, Mode, Team, Ward
from referrals.places.actions.membership import join_bcu, join_team
from referrals.trial.actions.ward_modes import set_ward_mode
from src_app.accounts.actions import make_account
from src_app.accounts.models import User
from src_app.accounts.roles import Role

OFFICERS_WARDS = ("Tooting Bec", "Tooting Broadway", "Balham", "Furzedown")
# Name, boroughs, target and days of follow-up.
TRIALS = (
    ("Secondary reassurance contact, Merton and Wandsworth", ("Merton", "Wandsworth"), 1_000, 60),
    ("Secondary reassurance contact, Richmond upon Thames", ("Richmond upon Thames",), 16, 21),
)
NOT_STARTED_IN = "Kingston upon Thames"


def make_people(*, bcu: Bcu, starts_on: date, by: User, at: datetime) -> None:
    """Makes the accounts that are not there yet."""
    passwords = {person.username: person.password for person in sign_ins(settings.SECRET_KEY)}
    for username, name, role in PEOPLE:
        if User.objects.filter(username=username).exists():
            continue
        user = _account(username, name, role, passwords[username], by, at)
        if role == Role.OFFICER:
            _join(user, Team.objects.filter(wards__name__in=OFFICERS_WARDS), starts_on, by)
        elif role == Role.SUPERVISOR:
            _join(user, Team.objects.filter(borough__name="Wandsworth"), starts_on, by)
        elif role in (Role.HCOP, Role.TRIAL_LEAD, Role.LEADER):
            join_bcu(user=user, bcu=bcu, starts_on=starts_on, by=by)


def make_crews(*, starts_on: date, by: User, at: datetime) -> dict[int, User]:
    """An officer for each borough, who made the past contacts there; nobody can sign in as one."""
    crews = {}
    boroughs = Team.objects.order_by("borough__name").values_list("borough", "borough__name").distinct()
    for number, (borough, name) in enumerate(boroughs):
        username = f"crew-{name.split()[0].lower()}"
        crews[borough] = _account(
            username, f"PC {3310 + number}SW", Role.OFFICER, secrets.token_urlsafe(32), by, at
        )
        _join(crews[borough], Team.objects.filter(borough=borough), starts_on, by)
    return crews


def make_trials(*, bcu: Bcu, starts_on: date, by: User, at: datetime) -> None:
    """The demo's two trials with their wards, and some wards that have not started.

    The small one reaches its target in some weeks; the other goes on.
    """
    lead, leader = (User.objects.get(username=name) for name in ("triallead", "leader"))
    for name, boroughs, target, follow_up_days in TRIALS:
        trial = begin_trial(
            bcu=bcu,
            name=name,
            target=target,
            boroughs=boroughs,
            follow_up_days=follow_up_days,
            lead=lead,
            leader=leader,
            at=at,
        )
        set_ward_mode(
            wards=Ward.objects.filter(borough__name__in=boroughs),
            mode=Mode.TRIAL,
            trial=trial,
            starts_on=starts_on,
            by=lead,
        )
    set_ward_mode(
        wards=Ward.objects.filter(borough__name=NOT_STARTED_IN).order_by("name")[:5],
        mode=Mode.NOT_STARTED,
        starts_on=starts_on,
        by=by,
    )


def _account(username: str, name: str, role: Role, password: str, by: User, at: datetime) -> User:
    return make_account(
        username=username,
        display_name=name,
        role=role,
        email=f"{username}@{settings.WORK_EMAIL_DOMAINS[0]}",
        password=password,
        is_own=True,
        by=by,
        at=at,
    )


def _join(user: User, teams: Iterable[Team], starts_on: date, by: User) -> None:
    for team in teams:
        join_team(user=user, team=team, starts_on=starts_on, by=by)

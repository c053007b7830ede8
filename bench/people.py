"""The wards, teams and accounts of the made world, and the trial that some wards were in."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property

from django.utils import timezone

from local.demo.trials import begin_trial
from outcomes.recording.reference import load_outcome_codes
from referrals.models import (
    Bcu,
    BcuMembership,
    Mode,
    Team,
    TeamMembership,
    Trial,
    Ward,
    WardMode,
)
from referrals.places.actions.wards import load_places
from referrals.rules.trial.allocation import MOST_UNITS
from src_app.accounts.models import User
from src_app.accounts.roles import Role
from src_app.audit.record import acting

OFFICERS_WARDS = ("Tooting Bec", "Tooting Broadway", "Balham", "Furzedown")
SUPERVISED = "Wandsworth"
TRIAL_BOROUGHS = ("Merton", "Wandsworth")
TRIAL_BEGAN, TRIAL_RAN = timedelta(days=3 * 365), timedelta(days=120)
OFFICERS_A_TEAM = 3
LONG_AGO = date(2020, 1, 1)


@dataclass(frozen=True)
class World:
    """Who and what there is in one database."""

    now: datetime
    bcu: Bcu
    wards: list[Ward]
    trial: Trial
    people: dict[str, User]
    crews: dict[int, list[int]]

    @cached_property
    def trial_wards(self) -> dict[int, str]:
        """The borough's code, by ward, of those that were in the trial."""
        return {ward.pk: ward.borough.code for ward in self.wards if ward.borough.name in TRIAL_BOROUGHS}


def make_world(now: datetime) -> World:
    """The real wards of one BCU, an account for each role, and officers in every team."""
    system = User.objects.system()
    with acting("bench", by=system):
        load_places(by=system)
        load_outcome_codes(by=system)
        bcu = Bcu.objects.get()
        wards = list(Ward.objects.select_related("borough").order_by("code"))
        people = _people(bcu)
        return World(
            now=now,
            bcu=bcu,
            wards=wards,
            trial=_trial(bcu, wards, people["trial_lead"], people["leader"], now),
            people={**people, "system": system},
            crews=_crews(),
        )


def _people(bcu: Bcu) -> dict[str, User]:
    """An account for each role that has pages to measure; nobody can sign in to one."""
    people = {
        role.value: User.objects.create_user(role.value, role=role, display_name=role.label)
        for role in (Role.HCOP, Role.SUPERVISOR, Role.OFFICER, Role.AUDITOR, Role.TRIAL_LEAD, Role.LEADER)
    }
    for role in (Role.HCOP, Role.TRIAL_LEAD, Role.LEADER):
        BcuMembership.objects.create(user=people[role], bcu=bcu, starts_on=LONG_AGO)
    _join(people[Role.SUPERVISOR], list(Team.objects.filter(borough__name=SUPERVISED)))
    _join(people[Role.OFFICER], list(Team.objects.filter(wards__name__in=OFFICERS_WARDS)))
    return people


def _crews() -> dict[int, list[int]]:
    """Officers who made the contacts of the past, by team."""
    crews: dict[int, list[int]] = {}
    for team in Team.objects.order_by("pk"):
        members = User.objects.bulk_create(
            User(
                username=f"crew-{team.pk}-{number}",
                role=Role.OFFICER,
                display_name=f"PC {1000 + 10 * team.pk + number}SW",
                password="!",  # noqa: S106 - one that nothing matches
            )
            for number in range(OFFICERS_A_TEAM)
        )
        for member in members:
            _join(member, [team])
        crews[team.pk] = [member.pk for member in members]
    return crews


def _join(user: User, teams: list[Team]) -> None:
    TeamMembership.objects.bulk_create(
        TeamMembership(user=user, team=team, starts_on=LONG_AGO) for team in teams
    )


def _trial(bcu: Bcu, wards: list[Ward], lead: User, leader: User, now: datetime) -> Trial:
    """A trial of four months, two boroughs and three years ago; after it those wards gave SRC to all."""
    trial = begin_trial(
        bcu=bcu,
        name="Secondary reassurance contact, two boroughs",
        target=MOST_UNITS,
        boroughs=TRIAL_BOROUGHS,
        lead=lead,
        leader=leader,
        at=now - TRIAL_BEGAN,
    )
    began = timezone.localdate(now - TRIAL_BEGAN)
    there = [ward for ward in wards if ward.borough.name in TRIAL_BOROUGHS]
    WardMode.objects.bulk_create(
        WardMode(ward=ward, mode=mode, trial=of, starts_on=starts_on)
        for ward in there
        for mode, of, starts_on in (
            (Mode.TRIAL, trial, began),
            (Mode.SRC_FOR_ALL, None, began + TRIAL_RAN),
        )
    )
    return trial

"""Who and what there is: wards with their mode, people with their places."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date

from django.db.models import Exists, OuterRef, QuerySet

from referrals.models import (
    BcuMembership,
    Case,
    Postcode,
    Team,
    TeamMembership,
    Ward,
)
from referrals.places.ward_modes import EffectiveMode, WardModes
from src_app.accounts.models import User
from src_app.accounts.roles import Permission


def wards_to_keep(user: User) -> QuerySet[Ward]:
    """Every ward with its team, by name; for those who keep teams and wards."""
    if not user.can(Permission.MANAGE_PLACES):
        return Ward.objects.none()
    return Ward.objects.select_related("borough__bcu", "team").order_by("name", "pk")


def wards_without_postcode() -> QuerySet[Ward]:
    """Wards that no postcode leads to: a report from there finds no team."""
    has_one = Postcode.objects.filter(ward=OuterRef("pk"))
    return Ward.objects.filter(~Exists(has_one)).order_by("name", "pk")


def people_to_keep(user: User) -> QuerySet[User]:
    """Every account, by name; for those who keep accounts."""
    if not user.can(Permission.MANAGE_ACCOUNTS):
        return User.objects.none()
    return User.objects.order_by("display_name", "pk")


@dataclass(frozen=True)
class WardRow:
    """A ward, its team and what happens to its suitable cases today."""

    ward: Ward
    mode: str


def modes_on(wards: Collection[Ward], day: date) -> list[WardRow]:
    """The wards with the words for the mode that counts on that day."""
    modes = WardModes(wards)
    return [WardRow(ward=ward, mode=mode_words(modes.effective_mode(ward.pk, day))) for ward in wards]


def mode_words(effective: EffectiveMode) -> str:
    """The mode that counts, with the trial where one recruits."""
    label = str(effective.mode.label)
    return f"{label}: {effective.trial}" if effective.trial else label


@dataclass(frozen=True)
class Person:
    """An account and where it belongs today."""

    user: User
    places: list[str]


def with_places(users: Iterable[User], day: date) -> list[Person]:
    """The accounts with the teams and BCUs each belongs to on that day."""
    listed = list(users)
    found = defaultdict(list)
    teams = TeamMembership.objects.filter(TeamMembership.current(day), user__in=listed)
    for team in teams.select_related("team__borough").order_by("team__name"):
        found[team.user_id].append(f"{team.team}, {team.team.borough}")
    bcus = BcuMembership.objects.filter(BcuMembership.current(day), user__in=listed)
    for bcu in bcus.select_related("bcu").order_by("bcu__name"):
        found[bcu.user_id].append(bcu.bcu.name)
    return [Person(user=user, places=found[user.pk]) for user in listed]


def teams_to_pick_from(case: Case) -> QuerySet[Team]:
    """Every team of the case's BCU, for a case whose ward cannot decide."""
    return Team.objects.filter(borough__bcu=case.bcu_id).select_related("borough")

"""Wards with their mode, and the teams to choose from."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date

from django.db.models import Exists, F, OuterRef, QuerySet

from referrals.models import (
    Case,
    Leave,
    Postcode,
    Team,
    TeamMembership,
    Ward,
)
from referrals.places.ward_modes import EffectiveMode, WardModes
from referrals.scope import teams_led_by, today
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


def people_of(teams: QuerySet[Team], day: date) -> QuerySet[User]:
    """Those with an open account who belong to one of the teams on that day, by name, at work or away."""
    members = TeamMembership.objects.filter(TeamMembership.current(day), team__in=teams)
    return User.objects.filter(is_active=True, pk__in=members.values("user")).order_by("display_name", "pk")


def is_away(day: date) -> Exists:
    """A condition for accounts: on leave on that day."""
    return Exists(Leave.objects.filter(Leave.current(day), user=OuterRef("pk")))


def may_set_leave(user: User, setter: User) -> bool:
    """Whether ``setter`` may set the leave of ``user``: everybody their own, and that of those they lead."""
    return user == setter or people_of(teams_led_by(setter), today()).filter(pk=user.pk).exists()


def leave_to_come(people: Iterable[User], day: date) -> QuerySet[Leave]:
    """Their leave that is not over on that day, the first to begin first."""
    leave = Leave.objects.filter(user__in=people, back_on__gt=day, starts_on__lt=F("back_on"))
    return leave.select_related("user", "set_by").order_by("starts_on", "pk")


def teams_to_pick_from(case: Case) -> QuerySet[Team]:
    """Every team of the case's BCU, for a case whose ward cannot decide."""
    return Team.objects.filter(borough__bcu=case.bcu_id).select_related("borough")

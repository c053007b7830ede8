"""Wards with their mode, and the teams to choose from."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from django.db.models import Exists, OuterRef, QuerySet

from referrals.models import (
    Case,
    Postcode,
    Team,
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


def teams_to_pick_from(case: Case) -> QuerySet[Team]:
    """Every team of the case's BCU, for a case whose ward cannot decide."""
    return Team.objects.filter(borough__bcu=case.bcu_id).select_related("borough")

"""Referrals that a team had and another has now: where each went, and nothing about the victim."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from referrals.models import HandOver, HandOverReason, Team
from referrals.scope import places_of, teams_led_by
from src_app.accounts.models import User
from src_app.accounts.roles import Permission


@dataclass(frozen=True)
class Went:
    """A referral by its number, and when it went from one team to another.

    Not why: that may tell where the victim lives now, to somebody who is not to know. So does the team that
    has it now: ``to_team`` is empty for officers, unless wards or teams were reorganised.
    """

    number: str
    from_team: str
    to_team: str
    at: datetime


def went_from_own_teams(user: User, since: datetime, most: int) -> list[Went]:
    """What went elsewhere from the teams that the account is in, the latest first."""
    own = Team.objects.filter(pk__in=places_of(user).teams)
    names_teams = user.can(Permission.CHASE_REFERRALS)
    return _went(own, since, most, names_teams=names_teams) if user.can(Permission.CONTACT_VICTIMS) else []


def went_from_led_teams(user: User, since: datetime, most: int) -> list[Went]:
    """What went elsewhere from the teams whose work the account sees to, the latest first."""
    return _went(teams_led_by(user), since, most, names_teams=True)


def _went(teams: QuerySet[Team], since: datetime, most: int, *, names_teams: bool) -> list[Went]:
    """What went from these teams to one that is not among them, and has not come back."""
    left = HandOver.objects.filter(handed_at__gte=since, from_team__in=teams)
    left = left.exclude(to_team__in=teams).exclude(referral__team__in=teams)
    related = ("referral", "from_team", "to_team")
    listed = []
    for each in left.select_related(*related).order_by("-handed_at", "-pk")[:most]:
        is_named = names_teams or each.reason == HandOverReason.REORGANISED
        to_team = str(each.to_team) if is_named else ""
        listed.append(Went(each.referral.number, str(each.from_team), to_team, each.handed_at))
    return listed

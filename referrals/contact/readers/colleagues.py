"""Who of a team can have a referral: at work today, and not the officer in the case."""

from dataclasses import dataclass

from django.db.models import Count, QuerySet

from referrals.models import (
    Leave,
    Referral,
    ReferralStatus,
    Team,
)
from referrals.places.readers import is_away, people_of
from referrals.rules.contact import same_person
from referrals.scope import today
from src_app.accounts.models import User
from src_app.templatetags.words import counted, day


@dataclass(frozen=True)
class Colleague:
    """Somebody who can have a referral, and how many open ones they have."""

    user: User
    has: int

    @property
    def words(self) -> str:
        return f"{self.user}: has {counted(self.has, 'open referral,open referrals')}"


def colleagues_of(teams: QuerySet[Team]) -> list[Colleague]:
    """Those of the teams who are at work today, by name."""
    has: dict[int | None, int] = dict(
        Referral.objects.filter(status=ReferralStatus.OPEN, taken_by__isnull=False, team__in=teams)
        .values("taken_by")
        .annotate(has=Count("pk"))
        .values_list("taken_by", "has")
    )
    people = people_of(teams, today()).filter(~is_away(today()))
    return [Colleague(user, has.get(user.pk, 0)) for user in people]


def why_not_at_work(user: User) -> str:
    """That somebody is on leave today, in a sentence; empty where they are not."""
    leave = Leave.objects.filter(Leave.current(today()), user=user).first()
    if leave is None:
        return ""
    return f"{user} is on leave, and back on {day(leave.back_on)}. End the leave first."


def why_not_give(referral: Referral, to: User) -> str:
    """Why somebody cannot have the referral, in a sentence; empty where they can."""
    if not people_of(Team.objects.filter(pk=referral.team_id), today()).filter(pk=to.pk).exists():
        return f"{referral.number} is with {referral.team}, and {to} is not in it: choose somebody who is."
    if same_person(referral.case.officer_in_case, to.display_name):
        return f"{to} is the officer in the case of {referral.number}: choose a colleague."
    return why_not_at_work(to)

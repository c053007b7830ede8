"""Who of a team can have a referral: at work today, and not the officer in the case."""

from dataclasses import dataclass
from datetime import date

from django.db.models import Count, QuerySet

from referrals.models import (
    Leave,
    Referral,
    ReferralStatus,
    Team,
    TeamMembership,
)
from referrals.places.readers import is_away, leave_to_come, people_of
from referrals.rules.contact import same_person
from referrals.scope import today
from src_app.accounts.models import User
from src_app.templatetags.words import counted, day

MOST_TEAMS_NAMED = 2


@dataclass(frozen=True)
class Colleague:
    """Somebody who can have a referral, and how many open ones they have."""

    user: User
    has: int
    teams: list[str]
    away_from: date | None

    @property
    def words(self) -> str:
        more = len(self.teams) - MOST_TEAMS_NAMED
        teams = ", ".join(self.teams[:MOST_TEAMS_NAMED]) + (f" and {more} more" if more > 0 else "")
        leave = f", on leave from {day(self.away_from)}" if self.away_from else ""
        return f"{self.user}, {teams}: has {counted(self.has, 'open referral,open referrals')}{leave}"


def colleagues_of(teams: QuerySet[Team]) -> list[Colleague]:
    """Those of the teams who are at work today, by name; four queries."""
    people = list(people_of(teams, today()).filter(~is_away(today())))
    has: dict[int | None, int] = dict(
        Referral.objects.filter(status=ReferralStatus.OPEN, taken_by__in=people)
        .values("taken_by")
        .annotate(has=Count("pk"))
        .values_list("taken_by", "has")
    )
    members = TeamMembership.objects.filter(
        TeamMembership.current(today()), user__in=people, team__in=teams
    ).order_by("team__name")
    names: dict[int, list[str]] = {}
    for user, name in members.values_list("user", "team__name"):
        names.setdefault(user, []).append(name)
    soon = {each.user_id: each.starts_on for each in reversed(leave_to_come(people, today()))}
    return [
        Colleague(user, has.get(user.pk, 0), names.get(user.pk, []), soon.get(user.pk)) for user in people
    ]


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

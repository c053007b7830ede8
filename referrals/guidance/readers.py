"""Who is briefed and who is not, and the banner of the moment."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Count, Q, QuerySet

from referrals.models import Banner, Briefing, BriefingAttendance, Team, TeamMembership
from referrals.places.readers import people_of
from referrals.scope import teams_led_by
from src_app.accounts.models import User
from src_app.accounts.roles import Permission


def teams_to_brief(user: User) -> QuerySet[Team]:
    """Open teams whose briefings the account records: all (administrator), or those whose work it sees to."""
    if not user.can(Permission.RECORD_BRIEFINGS):
        return Team.objects.none()
    teams = Team.objects.all() if user.can(Permission.MANAGE_PLACES) else teams_led_by(user)
    return teams.filter(closed_at__isnull=True)


def people_to_brief(user: User, on: date) -> QuerySet[User]:
    """Those who belong to one of these teams on that day, by name."""
    return people_of(teams_to_brief(user), on)


def briefed(people: Iterable[int]) -> set[int]:
    """Those of the people, by key, who were at a briefing."""
    attended = BriefingAttendance.objects.filter(user__in=people, was_there=True)
    return set(attended.values_list("user_id", flat=True))


def briefings_seen_by(user: User, on: date) -> QuerySet[Briefing]:
    """Every briefing, the latest first, with how many of the account's own people were ``there``."""
    own = people_to_brief(user, on).values("pk")
    there = Count("attendances", filter=Q(attendances__user__in=own, attendances__was_there=True))
    return Briefing.objects.annotate(there=there).order_by("-held_on", "-pk")


@dataclass(frozen=True)
class TeamCoverage:
    """A team, how many belong to it, and how many of them were briefed."""

    team: Team
    people: int
    briefed: int


@dataclass(frozen=True)
class Coverage:
    """The teams by borough and name; of all people together, each once, how many and who is missing."""

    teams: list[TeamCoverage]
    people: int
    missing: list[str]

    @property
    def briefed(self) -> int:
        return self.people - len(self.missing)


def coverage(user: User, on: date) -> Coverage:
    """How far the account's teams are briefed on that day."""
    teams = teams_to_brief(user).select_related("borough").order_by("borough__name", "name", "pk")
    members = TeamMembership.objects.filter(
        TeamMembership.current(on), team__in=teams, user__is_active=True
    ).order_by("user__display_name", "user")
    of_team: dict[int, set[int]] = defaultdict(set)
    names: dict[int, str] = {}
    for team, key, name in members.values_list("team_id", "user_id", "user__display_name"):
        of_team[team].add(key)
        names[key] = name
    done = briefed(names)
    rows = [
        TeamCoverage(team=team, people=len(of_team[team.pk]), briefed=len(of_team[team.pk] & done))
        for team in teams
    ]
    missing = [name for key, name in names.items() if key not in done]
    return Coverage(teams=rows, people=len(names), missing=missing)


def banner_at(at: datetime) -> Banner | None:
    """The banner that stands on every page at that moment."""
    last = Banner.objects.order_by("-pk").first()
    return last if last and last.ends_at > at else None

"""The list of people: every account, where its person belongs, and in which state it is."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from allauth.mfa.models import Authenticator
from django.db.models import Exists, OuterRef, Q, QuerySet

from referrals.models import BcuMembership, Team, TeamMembership
from src_app.accounts import second_factor
from src_app.accounts.models import User
from src_app.accounts.roles import Permission, Role

# Of a person, with the words for each.
ROLES = [choice for choice in Role.choices if choice[0] != Role.SYSTEM]


def people_to_keep(user: User) -> QuerySet[User]:
    """Every account of a person, by name, with ``has_factor``; for those who keep accounts."""
    if not user.can(Permission.MANAGE_ACCOUNTS):
        return User.objects.none()
    factors = Authenticator.objects.filter(user=OuterRef("pk"), type__in=second_factor.FACTORS)
    people = User.objects.exclude(role=Role.SYSTEM).annotate(has_factor=Exists(factors))
    return people.order_by("display_name", "pk")


def members_of(team: Team | int, on: date) -> QuerySet[TeamMembership]:
    """Who belongs to the team on that day."""
    return TeamMembership.objects.filter(TeamMembership.current(on), team=team)


@dataclass(frozen=True)
class Person:
    """An account and where it belongs today."""

    user: User
    places: list[str]


def with_places(users: Iterable[User], on: date) -> list[Person]:
    """The accounts with the teams and BCUs each belongs to on that day."""
    listed = list(users)
    found = defaultdict(list)
    teams = TeamMembership.objects.filter(TeamMembership.current(on), user__in=listed)
    for team in teams.select_related("team__borough").order_by("team__name"):
        found[team.user_id].append(f"{team.team}, {team.team.borough}")
    bcus = BcuMembership.objects.filter(BcuMembership.current(on), user__in=listed)
    for bcu in bcus.select_related("bcu").order_by("bcu__name"):
        found[bcu.user_id].append(bcu.bcu.name)
    return [Person(user=user, places=found[user.pk]) for user in listed]


def without_email(user: User) -> int:
    """How many open accounts have no e-mail address."""
    return people_to_keep(user).filter(is_active=True, email__isnull=True).count()


def in_state(people: QuerySet[User], state: str) -> QuerySet[User]:
    """Those of the people who are in one of :data:`STATES`."""
    return people.filter(_CONDITIONS[state])


STATES = (
    ("open", "Open"),
    ("closed", "Closed"),
    ("no_email", "Open, without an e-mail address"),
    ("no_factor", "Open, without a second factor"),
    ("never", "Open, never signed in"),
)
_OPEN = Q(is_active=True)
_CONDITIONS = {
    "open": _OPEN,
    "closed": ~_OPEN,
    "no_email": _OPEN & Q(email__isnull=True),
    "no_factor": _OPEN & Q(has_factor=False),
    "never": _OPEN & Q(last_login__isnull=True),
}

"""Accounts as the administrator keeps them: the list, and what is known of one person."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from allauth.mfa.models import Authenticator
from django.apps import apps
from django.conf import settings
from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Subquery
from django.utils import timezone

from referrals.models import (
    AccessAnswer,
    AccessReview,
    BcuMembership,
    Referral,
    ReferralStatus,
    Team,
    TeamMembership,
)
from referrals.places.actions.membership import IN_BCUS, IN_TEAMS
from referrals.scope import today
from src_app.accounts import second_factor
from src_app.accounts.models import ClosedBecause, User
from src_app.accounts.roles import Permission, Role
from src_app.audit.models import Action, AuditEntry, Purpose
from src_app.templatetags.words import day

MOST_CHANGES = 100
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


@dataclass(frozen=True)
class Stay:
    """Where somebody belonged, belongs, or will belong; from the day ``ends_on`` they do no more."""

    place: str
    starts_on: date
    ends_on: date | None
    is_over: bool


def stays_of(user: User, on: date) -> list[Stay]:
    """Every membership that lasted for a day at least, the latest first."""
    teams = TeamMembership.objects.filter(user=user).select_related("team__borough")
    bcus = BcuMembership.objects.filter(user=user).select_related("bcu")
    named = [
        *((f"{each.team}, {each.team.borough}", each) for each in teams),
        *((each.bcu.name, each) for each in bcus),
    ]
    stays = [
        Stay(place, each.starts_on, each.ends_on, is_over=each.ends_on is not None and each.ends_on <= on)
        for place, each in named
        if each.ends_on != each.starts_on
    ]
    return sorted(stays, key=lambda stay: (stay.starts_on, stay.place), reverse=True)


@dataclass(frozen=True)
class Kept:
    """Open referrals of one team that somebody has taken who belongs to it no more."""

    team: str
    count: int


def still_taken(user: User, on: date) -> list[Kept]:
    """How many referrals a supervisor of each team has to hand back. Which ones is not said here."""
    own = TeamMembership.objects.filter(TeamMembership.current(on), user=user)
    taken = Referral.objects.filter(taken_by=user, status=ReferralStatus.OPEN)
    counted = (
        taken.exclude(team__in=own.values("team"))
        .values("team__name")
        .annotate(count=Count("pk"))
        .order_by("team__name")
    )
    return [Kept(each["team__name"], each["count"]) for each in counted]


@dataclass(frozen=True)
class Change:
    """What was changed of an account, when and by whom; ``to`` is the value where it may be said."""

    at: datetime
    by: str
    what: str
    fields: list[str]
    to: str


_CHANGES = (
    Action.ACCOUNT_MADE,
    Action.ACCOUNT_CHANGED,
    Action.ACCOUNT_CLOSED,
    Action.ACCOUNT_REOPENED,
    Action.SIGN_IN_RESET,
)


def changes_of(user: User) -> list[Change]:
    """The last changes of an account and of its places, the latest first; in five queries."""
    entries = AuditEntry.objects.filter(
        references__contains=[user.username], purpose=Purpose.ADMINISTRATION, action__in=_CHANGES
    )
    events = _history("accounts", "UserEvent").filter(pgh_obj_id=user.pk).order_by("pk")
    after = {(event.pgh_context or {}).get("request"): event for event in events}
    changes = [
        Change(
            at=entry.at,
            by=str(entry.actor or ""),
            what=entry.get_action_display(),
            fields=[_FIELDS.get(name, name) for name in entry.fields],
            to=_said(after.get(str(entry.request_id)), entry.fields),
        )
        for entry in entries.select_related("actor").order_by("-at", "-pk")[:MOST_CHANGES]
    ]
    moves = sorted([*changes, *_moves(user)], key=lambda change: change.at, reverse=True)
    return moves[:MOST_CHANGES]


def _history(app: str, model: str) -> Any:
    return apps.get_model(app, model).objects


def _moves(user: User) -> list[Change]:
    """What was said of where the person belongs, each time it was said."""
    teams = _history("referrals", "TeamMembershipEvent").filter(user_id=user.pk).select_related("team")
    bcus = _history("referrals", "BcuMembershipEvent").filter(user_id=user.pk).select_related("bcu")
    events = [(each.team, each) for each in teams.order_by("-pk")[:MOST_CHANGES]]
    events += [(each.bcu, each) for each in bcus.order_by("-pk")[:MOST_CHANGES]]
    by = [(event.pgh_context or {}).get("user") for _, event in events]
    people = User.objects.in_bulk([pk for pk in by if pk is not None])
    return [
        Change(
            at=event.pgh_created_at,
            by=str(people.get(pk, "")),
            what=f"Belongs to {place}",
            fields=[],
            to=f"until {day(event.ends_on)}" if event.ends_on else f"from {day(event.starts_on)}",
        )
        for (place, event), pk in zip(events, by, strict=True)
    ]


_FIELDS = {
    "display_name": "name",
    "email": "e-mail address",
    "username": "user name",
    "is_active": "may sign in",
    "closed_because": "why",
    "second_factor": "second factor",
}


def _said(event: Any, fields: list[str]) -> str:
    """The name, role or reason as the change left it; an e-mail address is kept in no history."""
    if event is None:
        return ""
    words = {
        "display_name": event.display_name,
        "role": Role.label_of(event.role),
        "closed_because": ClosedBecause.label_of(event.closed_because),
    }
    return "; ".join(words[name] for name in ("display_name", "role", "closed_because") if name in fields)


def without_email(user: User) -> int:
    """How many open accounts have no e-mail address."""
    return people_to_keep(user).filter(is_active=True, email__isnull=True).count()


def may_belong(role: str) -> str:
    """Where somebody of that role may belong, in a sentence."""
    teams, bcus = role in IN_TEAMS, role in IN_BCUS
    if teams and bcus:
        return "A person of this role belongs to teams or to a BCU."
    if teams or bcus:
        return f"A person of this role belongs to {'teams' if teams else 'a BCU'}."
    return "A person of this role belongs to no team and to no BCU."


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


def open_review() -> AccessReview | None:
    """The access review that is open, if one is."""
    return AccessReview.objects.filter(ended_at=None).select_related("started_by").first()


def past_reviews() -> list[Any]:
    """The reviews that have ended, the latest first, with how many people each answer was given for."""
    ended = AccessReview.objects.filter(ended_at__isnull=False).select_related("started_by", "ended_by")
    # Of each person the last answer counts.
    last = AccessAnswer.objects.order_by("review", "person", "-pk").distinct("review", "person")
    counts = Counter(AccessAnswer.objects.filter(pk__in=last).values_list("review", "said"))
    return [
        {
            "review": review,
            "kept": counts[review.pk, AccessAnswer.Said.KEEP.value],
            "to_close": counts[review.pk, AccessAnswer.Said.CLOSE.value],
        }
        for review in ended.order_by("-pk")
    ]


def accounts_in_review(user: User) -> QuerySet[User]:
    """Every open account, by name, with what was ``said`` of it in the review that is open."""
    answers = AccessAnswer.objects.filter(review__ended_at=None, person=OuterRef("pk")).order_by("-pk")
    open_accounts = people_to_keep(user).filter(is_active=True)
    return open_accounts.annotate(said=Subquery(answers.values("said")[:1]))


def supervisors_to_ask() -> QuerySet[User]:
    """Every open account of a supervisor who has a team today, by name."""
    members = TeamMembership.objects.filter(TeamMembership.current(today()))
    supervisors = User.objects.filter(role=Role.SUPERVISOR, is_active=True, pk__in=members.values("user"))
    return supervisors.order_by("display_name", "pk")


def to_confirm(supervisor: User) -> QuerySet[User]:
    """The open accounts of the supervisor's own teams today, by name; not the supervisor's own."""
    now = TeamMembership.objects.filter(TeamMembership.current(today()))
    own = now.filter(user=supervisor)
    colleagues = now.filter(team__in=own.values("team"))
    people = User.objects.filter(is_active=True, pk__in=colleagues.values("user"))
    return people.exclude(pk=supervisor.pk).order_by("display_name", "pk")


def left_to_confirm(user: User) -> int:
    """Of how many people of the own teams the open review has no answer yet."""
    if not user.can(Permission.CONFIRM_ACCESS):
        return 0
    review = open_review()
    if review is None:
        return 0
    return to_confirm(user).exclude(pk__in=review.answers.values("person")).count()


def answers_in(review: AccessReview | None, people: Iterable[User]) -> dict[int, AccessAnswer]:
    """The last answer about each of the people in the review, by the person's key."""
    answers = AccessAnswer.objects.filter(review=review, person__in=[person.pk for person in people])
    return {answer.person_id: answer for answer in answers.select_related("answered_by").order_by("pk")}


@dataclass(frozen=True)
class AccessRow(Person):
    """An account as the access review lists it."""

    answer: AccessAnswer | None
    is_unused: bool


def access_rows(users: list[User], at: datetime) -> list[AccessRow]:
    """The accounts with their places, the answer about each, and whether each is used."""
    answers = answers_in(open_review(), users)
    before = at - settings.UNUSED_AFTER
    return [
        AccessRow(
            user=person.user,
            places=person.places,
            answer=answers.get(person.user.pk),
            is_unused=(person.user.last_login or person.user.created_at) < before,
        )
        for person in with_places(users, timezone.localdate(at))
    ]


ACCESS_STATES = (
    ("unused", "Not signed in for long"),
    ("to_close", "Should be closed"),
    ("unanswered", "Not answered"),
)


def in_access_state(accounts: QuerySet[User], state: str) -> QuerySet[User]:
    """Those of the accounts in review who are in one of :data:`ACCESS_STATES`."""
    before = timezone.now() - settings.UNUSED_AFTER
    never = Q(last_login__isnull=True, created_at__lt=before)
    conditions = {
        "unused": Q(last_login__lt=before) | never,
        "to_close": Q(said=AccessAnswer.Said.CLOSE),
        "unanswered": Q(said__isnull=True),
    }
    return accounts.filter(conditions[state])

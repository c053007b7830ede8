"""The access review: which accounts, who is asked of whom, and what was said."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.utils import timezone

from referrals.models import AccessAnswer, AccessReview, TeamMembership
from referrals.people.readers.people import Person, people_to_keep, with_places
from referrals.scope import today
from src_app.accounts.models import User
from src_app.accounts.roles import Permission, Role


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
class Asked:
    """Whom a review that starts now asks, and how many people no supervisor is asked about."""

    supervisors: list[User]
    nobody_asked_about: int

    @property
    def without_mail(self) -> list[User]:
        """Those of the supervisors who have no address: they are asked on their first page alone."""
        return [user for user in self.supervisors if not user.email]

    @property
    def mails(self) -> int:
        """How many of them get an e-mail."""
        return len(self.supervisors) - len(self.without_mail)


def to_be_asked(user: User) -> Asked:
    """Whom a review that the account starts now asks."""
    people = list(accounts_in_review(user))
    asked = asked_about(people)
    return Asked(list(supervisors_to_ask()), sum(person.pk not in asked for person in people))


def asked_about(people: Iterable[User]) -> dict[int, list[User]]:
    """By the key of each person: the supervisors of the same teams, who are asked about them, by name."""
    now = TeamMembership.objects.filter(TeamMembership.current(today()))
    supervisors = {user.pk: user for user in supervisors_to_ask()}
    leads: dict[int, list[int]] = defaultdict(list)
    for team, user in now.filter(user__in=supervisors).values_list("team", "user"):
        leads[team].append(user)
    found: dict[int, set[int]] = defaultdict(set)
    for team, person in now.filter(user__in=[each.pk for each in people]).values_list("team", "user"):
        found[person] |= {lead for lead in leads[team] if lead != person}
    return {
        person: [user for key, user in supervisors.items() if key in found[person]]
        for person in found
        if found[person]
    }


@dataclass(frozen=True)
class AccessRow(Person):
    """An account as the access review lists it. ``asked``: who is asked about it while a review is open."""

    answer: AccessAnswer | None
    is_unused: bool
    is_open: bool
    asked: list[User]


def access_rows(users: list[User], at: datetime) -> list[AccessRow]:
    """The accounts with their places, the answer about each, and whether each is used."""
    review = open_review()
    answers, asked = answers_in(review, users), asked_about(users) if review else {}
    before = at - settings.UNUSED_AFTER
    return [
        AccessRow(
            user=person.user,
            places=person.places,
            answer=answers.get(person.user.pk),
            is_unused=(person.user.last_login or person.user.created_at) < before,
            is_open=review is not None,
            asked=asked.get(person.user.pk, []),
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

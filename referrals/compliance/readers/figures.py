"""Compliance in detail: by team, borough, week and officer, how long it took, and how contact was tried."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import (
    BooleanField,
    Count,
    DateField,
    DurationField,
    ExpressionWrapper,
    F,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    prefetch_related_objects,
)
from django.db.models.expressions import Combinable
from django.db.models.functions import Cast, Concat, TruncWeek

from referrals.compliance.readers.contact import (
    Chosen,
    Compliance,
    Contact,
    WardContact,
    counted_by_week,
    due_in,
    standings,
)
from referrals.compliance.readers.overdue import chased_officers
from referrals.compliance.readers.periods import Period
from referrals.contact.readers.referrals import standing_attempts
from referrals.models import Case, ContactAttempt, Method, Referral, Result, Ward
from referrals.scope import referrals_led_by
from src_app.accounts.models import User
from src_app.accounts.roles import Permission

WARD, TEAM, BOROUGH, WEEK, OFFICER = "ward", "team", "borough", "week", "officer"


@dataclass(frozen=True)
class Took:
    """How long a step took in the middle, and what 9 in 10 did not exceed, of ``number`` referrals."""

    number: int = 0
    median: timedelta | None = None
    nine_in_ten: timedelta | None = None


@dataclass(frozen=True)
class Steps:
    """How long decision and contact took, of referrals due in a period: time stopped is part of it."""

    decision: Took = Took()
    contact: Took = Took()


@dataclass(frozen=True)
class Group:
    """Referrals of a ward, team, borough, week or officer; ``asks`` is what narrows a list to them.

    ``opens``: the address of that list, empty where the account sees no list.
    """

    key: int
    name: str
    contact: Contact
    steps: Steps
    asks: dict[str, str]
    opens: str = ""


def _length(end: str, start: str) -> "ExpressionWrapper[Combinable]":
    between: Combinable = F(end) - F(start)
    return ExpressionWrapper(between, output_field=DurationField())


def referrals_counted(user: User, period: Period, at: datetime, chosen: Chosen) -> "QuerySet[Referral]":
    """The referrals that the page's counts are of."""
    return Referral.objects.filter(_counted(user, period, at, chosen))


def referrals_listed(user: User, period: Period, at: datetime, chosen: Chosen) -> "QuerySet[Referral]":
    """Those of them that the account may see, each by itself."""
    return referrals_led_by(user).filter(_counted(user, period, at, chosen))


def _counted(user: User, period: Period, at: datetime, chosen: Chosen) -> Q:
    # Keys and no subquery, as in ``referrals.scope``.
    wards = list(chosen.wards(user).values_list("pk", flat=True))
    return due_in(period, at) & chosen.taken & Q(ward__in=wards, made_at__lte=at)


def steps_of(referrals: "QuerySet[Referral]") -> Steps:
    """How long decision and contact took, of all of them."""
    return _steps_by(Value(0), referrals).get(0, Steps())


_OF_REFERRALS: dict[str, Any] = {
    WARD: "ward",
    TEAM: "ward__team",
    BOROUGH: "ward__borough",
    WEEK: Cast(TruncWeek("due_at"), DateField()),
    OFFICER: "taken_by",
}


# What is empty counts for nothing.
_STEPS = """
    SELECT key, count(decision), percentile_cont(ARRAY[0.5, 0.9]) WITHIN GROUP (ORDER BY decision),
        count(contact), percentile_cont(ARRAY[0.5, 0.9]) WITHIN GROUP (ORDER BY contact)
    FROM ({referrals}) AS referral (key, decision, contact) GROUP BY key
"""


def _steps_by(key: str | Combinable, referrals: "QuerySet[Referral]") -> dict[Any, Steps]:
    """In one query. Each case is looked up by its key: a join would read the cases of all others as well."""
    decision = Case.objects.filter(pk=OuterRef("case")).values_list(_length("decided_at", "reported_at"))
    rows = referrals.order_by().values_list(key, Subquery(decision), _length("contacted_at", "made_at"))
    try:
        statement, given = rows.query.sql_with_params()
    except EmptyResultSet:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(_STEPS.format(referrals=statement), given)
        return {
            key: Steps(Took(decided, *(decision or ())), Took(contacted, *(contact or ())))
            for key, decided, decision, contacted, contact in cursor.fetchall()
        }


def groups(
    kind: str, user: User, counted: Compliance, *, period: Period, at: datetime, chosen: Chosen
) -> list[Group]:
    """The groups that have a referral to count; weeks the latest first, the others by name.

    Officers are those whose figures the account may see.
    """
    if kind == OFFICER:
        officers = officers_in_sight(user).in_bulk()
        referrals = referrals_listed(user, period, at, chosen).filter(taken_by__in=officers)
        rows = _by_officer(referrals, at, officers)
    else:
        referrals = referrals_counted(user, period, at, chosen)
        rows = _by_week(user, period, at, chosen) if kind == WEEK else _by_place(kind, counted.wards)
    steps = _steps_by(_OF_REFERRALS[kind], referrals)
    return [
        Group(_number(key), name, contact, steps.get(key, Steps()), asks) for key, name, contact, asks in rows
    ]


_Counted = tuple[Any, str, Contact, dict[str, str]]


def _number(key: Any) -> int:
    return key.toordinal() if isinstance(key, date) else key


def _by_place(by: str, wards: list[WardContact]) -> list[_Counted]:
    if by == TEAM:
        prefetch_related_objects([row.ward for row in wards], "team")
    place_of: dict[str, Callable[[Ward], Any]] = {
        WARD: lambda ward: ward,
        TEAM: lambda ward: ward.team,
        BOROUGH: lambda ward: ward.borough,
    }
    named: dict[int, Any] = {}
    sums: dict[int, Contact] = {}
    for row in wards:
        place = place_of[by](row.ward)
        named[place.pk] = place
        sums[place.pk] = sums.get(place.pk, Contact()) + row.contact
    return [
        (pk, place.name, sums[pk], {"list-ward" if by == WARD else by: str(pk if by == TEAM else place.code)})
        for pk, place in sorted(named.items(), key=lambda item: (item[1].name, item[0]))
        if sums[pk]
    ]


def _by_week(user: User, period: Period, at: datetime, chosen: Chosen) -> list[_Counted]:
    spans = counted_by_week(user, period=period, at=at, chosen=chosen)
    return [(span.first, "", span.contact, asks_week(span.first)) for span in reversed(spans)]


def asks_week(monday: date) -> dict[str, str]:
    """What narrows a list to the due dates of a week."""
    return asks_days(monday, monday + timedelta(days=6))


def asks_days(first: date, last: date) -> dict[str, str]:
    """What narrows a list to the due dates from one day to another."""
    return {"list-first": first.isoformat(), "list-last": last.isoformat()}


def officers_in_sight(user: User) -> "QuerySet[User]":
    """The officers whose figures the account may see: their supervisor's own teams."""
    return chased_officers(user) if user.can(Permission.VIEW_OFFICER_FIGURES) else User.objects.none()


def _by_officer(referrals: "QuerySet[Referral]", at: datetime, officers: dict[Any, User]) -> list[_Counted]:
    counted = referrals.order_by().values_list("taken_by").annotate(**standings(at))
    found = {pk: Contact(*counts) for pk, *counts in counted}
    return [
        (pk, str(officer), found[pk], {"officer": str(pk)}) for pk, officer in officers.items() if pk in found
    ]


@dataclass(frozen=True)
class Mix:
    """Attempts by one method, and how many of them reached the victim; ``asks`` narrows a list to them."""

    name: str
    number: int
    reached: int
    asks: str


@dataclass(frozen=True)
class Tried:
    """How contact was tried: attempts that stand, by method, and how many of each reached the victim.

    ``contacts``: referrals with contact made; ``first`` and ``second`` of them at the first and the second
    attempt, and ``needed`` the attempts at them, all together.
    """

    attempts: int = 0
    reached: int = 0
    methods: list[Mix] = field(default_factory=list)
    contacts: int = 0
    first: int = 0
    second: int = 0
    needed: int = 0

    @property
    def later(self) -> int:
        """Contacts that took three attempts or more."""
        return self.contacts - self.first - self.second

    @property
    def each(self) -> float:
        """Attempts a contact, on average; 0 without a contact."""
        return self.needed / self.contacts if self.contacts else 0.0


def tried(referrals: "QuerySet[Referral]") -> Tried:
    """In one query: how each was tried, and how many of them in that way.

    The attempts at each are looked up by its key: a join would read the attempts at all others as well.
    """
    each = standing_attempts().filter(referral=OuterRef("pk")).order_by("method", "result")
    counted = (
        referrals.order_by()
        .annotate(how=ArraySubquery(each.values_list(Concat("method", Value(" "), "result"))))
        .annotate(is_made=ExpressionWrapper(Q(contacted_at__isnull=False), BooleanField()))
        .values_list("how", "is_made")
        .annotate(Count("pk"))
    )
    attempts: Counter[str] = Counter()
    reached: Counter[str] = Counter()
    contacts: Counter[int] = Counter()
    for how, is_made, number in counted:
        for method, result in map(str.split, how):
            attempts[method] += number
            reached[method] += number * (result == Result.CONTACT_MADE)
        contacts[len(how)] += number * (is_made and bool(how))
    return Tried(
        attempts=attempts.total(),
        reached=reached.total(),
        methods=[
            Mix(method.label, attempts[method], reached[method], f"list-method={method}")
            for method in Method
            if attempts[method]
        ],
        contacts=contacts.total(),
        first=contacts[1],
        second=contacts[2],
        needed=sum(tries * number for tries, number in contacts.items()),
    )


def attempts_at(referrals: "QuerySet[Referral]") -> "QuerySet[ContactAttempt]":
    """The attempts at them that stand."""
    return standing_attempts().filter(referral__in=referrals.order_by().values("pk"))


# Steps that a referral has taken, in words.
STEPS = {
    "decision": "Decided",
    "contact": "Contact made",
    "first": "Contact made at the first attempt",
    "second": "Contact made at the second attempt",
    "later": "Contact made at a later attempt",
    "early": "Ended before the due time, which is still to come",
}
_NTH = {"first": Q(tries=1), "second": Q(tries=2), "later": Q(tries__gte=3)}


def that_took(step: str, referrals: "QuerySet[Referral]", at: datetime) -> "QuerySet[Referral]":
    """Those of the referrals that have taken the step, one of ``STEPS``."""
    if step in _NTH:
        tries = standing_attempts().filter(referral=OuterRef("pk")).order_by().values("referral")
        made = referrals.filter(contacted_at__isnull=False)
        return made.annotate(tries=Subquery(tries.annotate(Count("pk")).values("pk__count"))).filter(
            _NTH[step]
        )
    taken = {
        "decision": Q(case__decided_at__isnull=False),
        "contact": Q(contacted_at__isnull=False),
        "early": Q(closed_at__isnull=False, due_at__gte=at),
    }
    return referrals.filter(taken[step])

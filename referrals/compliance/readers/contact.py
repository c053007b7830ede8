"""Contact compliance: counts and shares, computed by the database.

Nothing here reads an allocation.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime, timedelta
from functools import cache
from operator import add
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import Count, F, Q, QuerySet
from django.utils import timezone

from referrals.compliance.readers.periods import Period, default_period, last_months
from referrals.models import Borough, Referral, Team, Ward
from referrals.models.counts import COUNTS_BY
from referrals.scope import wards_visible_to
from src_app.accounts.models import User
from src_app.database import read_sql


@dataclass(frozen=True)
class Contact:
    """How referrals stand towards their due time, as ``referrals.rules.deadlines.standing`` defines it."""

    in_time: int = 0
    late: int = 0
    overdue: int = 0
    not_yet_due: int = 0
    closed_without_contact: int = 0
    stopped: int = 0

    @property
    def open(self) -> int:
        """The denominator of those whose clock is stopped."""
        return self.overdue + self.not_yet_due + self.stopped

    @property
    def due(self) -> int:
        """The denominator: all but those that are open and not yet due, or whose clock is stopped."""
        return self.in_time + self.late + self.overdue + self.closed_without_contact

    @property
    def share(self) -> float:
        """The share contacted in time, from 0 to 1; 0 where none was due."""
        return self.in_time / self.due if self.due else 0.0

    def __add__(self, other: "Contact") -> "Contact":
        return Contact(*map(add, vars(self).values(), vars(other).values()))

    def __bool__(self) -> bool:
        """Whether there is any."""
        return any(vars(self).values())


# How a referral stands, in words.
STANDINGS = {
    "in_time": "Contacted in time",
    "late": "Contacted late",
    "closed_without_contact": "Closed without contact",
    "overdue": "Overdue",
    "not_yet_due": "Not yet due",
    "stopped": "Clock stopped",
}
_CONTACT = [field.name for field in fields(Contact)]


@dataclass(frozen=True)
class Chosen:
    """What the counts are narrowed to: a borough, a team's wards, one ward, what one officer has taken."""

    borough: Borough | None = None
    team: Team | None = None
    ward: Ward | None = None
    officer: User | None = None

    def wards(self, user: User) -> QuerySet[Ward]:
        """Those of the wards in the account's sight."""
        return wards_visible_to(user).filter(self._places(""))

    @property
    def taken(self) -> Q:
        """A condition for referrals: who has taken them."""
        return Q(taken_by=self.officer) if self.officer else Q()

    @property
    def where(self) -> Q:
        """A condition for referrals and cases: their ward."""
        return self._places("ward__")

    @property
    def names(self) -> list[str]:
        """Of what was chosen, in words."""
        taken = [f"taken by {self.officer}"] if self.officer else []
        return [*(str(place) for place in (self.borough, self.team, self.ward) if place), *taken]

    def _places(self, prefix: str) -> Q:
        places = {"borough": self.borough, "team": self.team, "pk": self.ward and self.ward.pk}
        return Q(**{f"{prefix}{name}": place for name, place in places.items() if place})


EVERYTHING = Chosen()


@dataclass(frozen=True)
class _Group:
    """What counts are grouped by, in SQL: as referrals have it, and as the kept counts have it."""

    of_referrals: str
    of_counts: str
    by_week: bool = True


def _begin(span: str) -> tuple[str, str]:
    """The first day of the week or month of a due time, and of a due day."""
    due_on = f"due_at AT TIME ZONE '{settings.TIME_ZONE}'"
    return f"date_trunc('{span}', {due_on})::date", f"date_trunc('{span}', due_on)::date"


_WARD = _Group("ward_id", "ward_id")
_WEEK = _Group(*_begin("week"))
_MONTH = _Group(*_begin("month"), by_week=False)


def _runs(at: datetime) -> Q:
    """A condition for open referrals: their clock runs. None is overdue whose clock stands."""
    return Q(stopped_until__isnull=True) | Q(stopped_until__lte=at)


def standing_conditions(at: datetime) -> dict[str, Q]:
    """Conditions for referrals: how they stand at a moment."""
    opened = Q(contacted_at__isnull=True, closed_at__isnull=True)
    return {
        "in_time": Q(contacted_at__lte=F("due_at")),
        "late": Q(contacted_at__gt=F("due_at")),
        "overdue": opened & Q(due_at__lt=at),
        "not_yet_due": opened & Q(due_at__gte=at) & _runs(at),
        "closed_without_contact": Q(contacted_at__isnull=True, closed_at__isnull=False),
        "stopped": opened & ~_runs(at),
    }


def standings(at: datetime, within: Q | None = None) -> dict[str, Count]:
    """Aggregates that count referrals by their standing at a moment, of those ``within``."""
    within = Q() if within is None else within
    return {
        name: Count("pk", filter=condition & within) for name, condition in standing_conditions(at).items()
    }


@dataclass(frozen=True)
class WardContact:
    """One ward: its counts within the period, and what is overdue now whatever the period.

    ``ended_early`` of those counts were ended before their due time, which is still to come. ``opens``: the
    address of the list of what is counted, empty where the account sees none.
    """

    ward: Ward
    contact: Contact
    overdue_now: int
    ended_early: int
    opens: str = ""


@dataclass(frozen=True)
class Compliance:
    """The wards in sight, by name, and their sums.

    ``stopped_for``: how long the clocks of the referrals due in the period have stood, all together.
    """

    wards: list[WardContact]
    total: Contact
    overdue_now: int
    ended_early: int
    stopped_for: timedelta


def contact_by_ward(at: datetime) -> dict[int, Contact]:
    """Counts of all referrals made by then, whatever their due date, by the ward's key."""
    counted = Referral.objects.filter(made_at__lte=at).values("ward").annotate(**standings(at)).order_by()
    return {ward: Contact(*counts) for ward, *counts in counted.values_list("ward", *_CONTACT)}


def compliance_of(
    user: User, *, period: Period, at: datetime, chosen: Chosen = EVERYTHING, order: str = "name"
) -> Compliance:
    """Contact compliance of the account's wards, in two queries.

    ``order``: by ``name``, the most ``overdue`` first, or the smallest ``share`` contacted in time first.

    Wards without a referral to count are left out. What is overdue now counts whatever the period.
    """
    wards = list(chosen.wards(user).select_related("borough").order_by("name", "pk"))
    counted = _counted(_WARD, period, at, [ward.pk for ward in wards], chosen)
    listed = [
        WardContact(ward, each.contact, each.overdue_now, each.ended_early)
        for ward in wards
        if (each := counted.get(ward.pk)) and (each.contact or each.overdue_now)
    ]
    return Compliance(
        wards=sorted(listed, key=_ORDERS[order]),
        total=sum((row.contact for row in listed), Contact()),
        overdue_now=sum(row.overdue_now for row in listed),
        ended_early=sum(row.ended_early for row in listed),
        stopped_for=sum((each.stood for each in counted.values()), timedelta()),
    )


@dataclass(frozen=True)
class _Counted:
    """The counts of a group, and how long its clocks have stood until now, or until the referral ended."""

    contact: Contact
    overdue_now: int
    ended_early: int
    stood: timedelta


# Of one officer nothing is kept count of; their referrals are few.
_ENDED_OF_OFFICER = """
    SELECT key, coalesce(contacted_at <= due_at, false)::int AS in_time,
        coalesce(contacted_at > due_at, false)::int AS late,
        (contacted_at IS NULL)::int AS closed_without_contact
    FROM own WHERE closed_at IS NOT NULL AND in_period
"""


def _counted(
    group: _Group, period: Period, at: datetime, wards: list[int], chosen: Chosen
) -> dict[Any, _Counted]:
    """By ward, or by week or month of the due time; in one statement, as the page is asked for all day."""
    asked: dict[str, Any] = {
        "wards": wards,
        "officer": chosen.officer and chosen.officer.pk,
        "at": at,
        "first": period.first,
        "begins": period.begins,
        "last": period.last,
        "ends": period.ends,
    }
    if period.reaches(at):
        asked |= {"last": date.max, "ends": datetime.max.replace(tzinfo=UTC)}
    # The counts by week serve where neither the period nor the group cuts one.
    is_whole = period.first.weekday() == 0 and (period.reaches(at) or period.last.weekday() == 6)
    span = "week" if is_whole and group.by_week else "day"
    with connection.cursor() as cursor:
        cursor.execute(_statement(group, span, of_officer=chosen.officer is not None), asked)
        return {key: _Counted(Contact(*numbers[:6]), *numbers[6:]) for key, *numbers in cursor.fetchall()}


@cache
def _statement(group: _Group, span: str, *, of_officer: bool) -> str:
    kept = f"""
        SELECT {group.of_counts} AS key, in_time, late, closed_without_contact FROM {COUNTS_BY[span]}
        WHERE due_on >= %(first)s AND due_on <= %(last)s AND ward_id = ANY (%(wards)s)
    """  # noqa: S608 - names that the code gives
    return read_sql(
        "referrals/compliance/readers/counted.sql",
        key=group.of_referrals,
        taken="taken_by_id = %(officer)s" if of_officer else "true",
        ended=_ENDED_OF_OFFICER if of_officer else kept,
    )


# What sorts alike stays in the order of names.
_ORDERS: dict[str, Callable[[WardContact], float | str]] = {
    "name": lambda row: row.ward.name,
    "overdue": lambda row: -row.overdue_now,
    "share": lambda row: row.contact.share if row.contact.due else 2.0,
}


def due_in(period: Period, at: datetime) -> Q:
    """A condition for referrals: they are due in the period."""
    due = Q(due_at__gte=period.begins)
    return due if period.reaches(at) else due & Q(due_at__lt=period.ends)


@dataclass(frozen=True)
class Week:
    """The referrals due in one week that is over, and how many of them were contacted in time.

    ``opens`` as of a ward.
    """

    monday: date
    in_time: int
    due: int
    opens: str = ""

    @property
    def share(self) -> float:
        """From 0 to 1."""
        return self.in_time / self.due


def weeks(user: User, *, period: Period, at: datetime, chosen: Chosen = EVERYTHING) -> list[Week]:
    """The weeks (Monday to Sunday, London) of due dates that lie in the period and are over.

    A week that still runs would show only those contacted early. A week without a due referral is left out.
    """
    first = period.first + timedelta(days=-period.first.weekday() % 7)
    end = min(period.last + timedelta(days=1), timezone.localdate(at))
    over = Period(first, end - timedelta(days=end.weekday() + 1))
    counted = _spans(_WEEK, user, over, at, chosen)
    return [Week(span.first, span.contact.in_time, span.contact.due) for span in counted if span.contact.due]


@dataclass(frozen=True)
class Span:
    """The referrals due in one week or month, which its first day names; ``opens`` as of a ward."""

    first: date
    contact: Contact
    opens: str = ""


def this_and_last_month(user: User, *, at: datetime, chosen: Chosen) -> tuple[Span, Span]:
    """What was due in the present month so far, and in the one before."""
    day = timezone.localdate(at)
    this = day.replace(day=1)
    last = (this - timedelta(days=1)).replace(day=1)
    found = {span.first: span for span in _spans(_MONTH, user, Period(last, day), at, chosen)}
    return found.get(this, Span(this, Contact())), found.get(last, Span(last, Contact()))


def by_week(user: User, *, at: datetime, chosen: Chosen) -> list[Span]:
    """The last twelve weeks of due dates and the present one, with what is due later; the oldest first."""
    return _spans(_WEEK, user, default_period(at), at, chosen)


def counted_by_week(user: User, *, period: Period, at: datetime, chosen: Chosen) -> list[Span]:
    """The weeks of due dates of the period, with what is due later where it reaches today; oldest first."""
    return _spans(_WEEK, user, period, at, chosen)


def by_month(user: User, *, at: datetime, chosen: Chosen) -> list[Span]:
    """The last twelve months of due dates, the present one among them; the oldest first."""
    return _spans(_MONTH, user, last_months(at), at, chosen)


def _spans(group: _Group, user: User, period: Period, at: datetime, chosen: Chosen) -> list[Span]:
    """In two queries; a span in which no referral was due is left out."""
    wards = list(chosen.wards(user).values_list("pk", flat=True))
    counted = _counted(group, period, at, wards, chosen)
    return [Span(first, each.contact) for first, each in sorted(counted.items()) if each.contact]

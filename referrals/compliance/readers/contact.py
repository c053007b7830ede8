"""Contact compliance: counts and shares, computed by the database.

Nothing here reads an allocation.
"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import asdict, dataclass, fields
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import (
    Count,
    DateField,
    DurationField,
    ExpressionWrapper,
    F,
    Q,
    QuerySet,
    Sum,
    Value,
)
from django.db.models.functions import Least, TruncMonth, TruncWeek
from django.utils import timezone

from referrals.compliance.readers.periods import Period, default_period, last_months
from referrals.models import Borough, ClockStop, ContactCount, Referral, ReferralStatus, Team, Ward
from referrals.scope import wards_visible_to
from src_app.accounts.models import User


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
        return Contact(**{name: count + getattr(other, name) for name, count in asdict(self).items()})


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
    """What counts are grouped by, as the kept counts and as referrals have it."""

    kept: Any
    referrals: Any


_WARD = _Group("ward", "ward")
_WEEK = _Group(TruncWeek("due_on"), TruncWeek("due_at", output_field=DateField()))
_MONTH = _Group(TruncMonth("due_on"), TruncMonth("due_at", output_field=DateField()))


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
    """Contact compliance of the account's wards, in five queries.

    ``order``: by ``name``, the most ``overdue`` first, or the smallest ``share`` contacted in time first.

    Wards without a referral to count are left out. What is overdue now counts whatever the period. Of what
    ended, the database keeps count; only what is open, or ended before a due time to come, is counted here.
    """
    wards = chosen.wards(user).select_related("borough", "team").order_by("name", "pk").in_bulk()
    ended = _ended(_WARD, period, at, wards, chosen)
    opened, overdue_now = {}, {}
    for ward, late, to_come, stopped, all_late in _opened(_WARD, period, at, wards, chosen):
        opened[ward] = Contact(overdue=late, not_yet_due=to_come, stopped=stopped)
        overdue_now[ward] = all_late
    early = dict(
        Referral.objects.filter(
            due_in(period, at), chosen.taken, due_at__gte=at, closed_at__isnull=False, ward__in=wards
        )
        .values_list("ward")
        .annotate(Count("pk"))
    )
    listed = [
        WardContact(
            ward,
            ended.get(pk, Contact()) + opened.get(pk, Contact()),
            overdue_now.get(pk, 0),
            early.get(pk, 0),
        )
        for pk, ward in wards.items()
        if any(asdict(ended.get(pk, Contact())).values()) or pk in opened
    ]
    return Compliance(
        wards=sorted(listed, key=_ORDERS[order]),
        total=sum((row.contact for row in listed), Contact()),
        overdue_now=sum(row.overdue_now for row in listed),
        ended_early=sum(row.ended_early for row in listed),
        stopped_for=_stopped_for(period, at, wards, chosen),
    )


def _stopped_for(period: Period, at: datetime, wards: "Wards", chosen: Chosen) -> timedelta:
    """How long clocks have stood until now, or until the referral ended."""
    referrals = Referral.objects.filter(due_in(period, at), chosen.taken, ward__in=wards)
    stood = Least("ends_at", "referral__closed_at", Value(at)) - F("starts_at")
    stops = ClockStop.objects.filter(referral__in=referrals, starts_at__lt=at)
    found = stops.aggregate(stood=Sum(ExpressionWrapper(stood, DurationField())))
    return found["stood"] or timedelta()


Wards = Collection[int] | QuerySet[Ward, Any]


def _ended(group: _Group, period: Period, at: datetime, wards: Wards, chosen: Chosen) -> dict[Any, Contact]:
    """Of the referrals due in the period, those that ended, by group."""
    names = ("in_time", "late", "closed_without_contact")
    counted: Iterable[tuple[Any, ...]]
    if chosen.officer is None:
        kept = _kept(period, at).filter(ward__in=wards).values_list(group.kept)
        counted = kept.annotate(*(Sum(name) for name in names))
    else:
        # The kept counts do not say who had taken a referral; those of one officer are few.
        standing = standings(at)
        ended = Referral.objects.filter(
            due_in(period, at), chosen.taken, closed_at__isnull=False, ward__in=wards
        )
        counted = ended.values_list(group.referrals).annotate(**{name: standing[name] for name in names})
    return {key: Contact(**dict(zip(names, counts, strict=True))) for key, *counts in counted}


def _kept(period: Period, at: datetime) -> QuerySet[ContactCount]:
    """The counts of referrals that ended, due in the period."""
    counts = ContactCount.objects.filter(due_on__gte=period.first)
    return counts if period.reaches(at) else counts.filter(due_on__lte=period.last)


def _opened(
    group: _Group, period: Period, at: datetime, wards: Wards, chosen: Chosen
) -> QuerySet[Referral, Any]:
    """Of the open referrals, by group: how many of the period are late, not yet due, or stopped.

    Then how many are late whatever the period.
    """
    in_period = due_in(period, at)
    return (
        Referral.objects.filter(
            in_period | Q(due_at__lt=at),
            chosen.taken,
            status=ReferralStatus.OPEN,
            ward__in=wards,
            made_at__lte=at,
        )
        .values_list(group.referrals)
        .annotate(
            late=Count("pk", filter=in_period & Q(due_at__lt=at)),
            to_come=Count("pk", filter=in_period & Q(due_at__gte=at) & _runs(at)),
            stopped=Count("pk", filter=in_period & ~_runs(at)),
            all_late=Count("pk", filter=Q(due_at__lt=at)),
        )
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
    """The referrals due in one week that is over, and how many of them were contacted in time."""

    monday: date
    in_time: int
    due: int

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
    wards = chosen.wards(user).values("pk")
    counts = _ended(group, period, at, wards, chosen)
    for first, late, to_come, stopped, _ in _opened(group, period, at, wards, chosen):
        opened = Contact(overdue=late, not_yet_due=to_come, stopped=stopped)
        counts[first] = counts.get(first, Contact()) + opened
    return [Span(first, counts[first]) for first in sorted(counts) if any(asdict(counts[first]).values())]

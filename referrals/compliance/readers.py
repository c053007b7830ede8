"""Contact compliance: counts and shares, computed by the database.

Nothing here reads an allocation.
"""

from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import asdict, dataclass, fields
from datetime import date, datetime, timedelta

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce, TruncWeek
from django.utils import timezone

from referrals.models import (
    ContactAttempt,
    ContactCount,
    MailKind,
    Notification,
    Referral,
    ReferralStatus,
    Ward,
)
from referrals.scope import referrals_visible_to, wards_visible_to
from src_app.accounts.models import User
from src_app.accounts.roles import Permission

WEEKS_SHOWN = 12


@dataclass(frozen=True)
class Period:
    """Due dates from the start of one day in London to the end of another."""

    first: date
    last: date

    @property
    def begins(self) -> datetime:
        return _midnight(self.first)

    @property
    def ends(self) -> datetime:
        """The first moment after it."""
        return _midnight(self.last + timedelta(days=1))

    def reaches(self, at: datetime) -> bool:
        """Whether it runs up to today or beyond: then what is due later belongs to it too."""
        return self.last >= timezone.localdate(at)


def default_period(at: datetime) -> Period:
    """Twelve whole weeks of due dates, from a Monday, and the present one up to today."""
    today = timezone.localdate(at)
    monday = today - timedelta(days=today.weekday())
    return Period(monday - timedelta(weeks=WEEKS_SHOWN), today)


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime(day.year, day.month, day.day))  # noqa: DTZ001 - made aware here


@dataclass(frozen=True)
class Contact:
    """How referrals stand towards their due time, as ``referrals.rules.deadlines.standing`` defines it."""

    in_time: int = 0
    late: int = 0
    overdue: int = 0
    not_yet_due: int = 0
    closed_without_contact: int = 0

    @property
    def due(self) -> int:
        """The denominator: all but those that are open and not yet due."""
        return self.in_time + self.late + self.overdue + self.closed_without_contact

    @property
    def share(self) -> float:
        """The share contacted in time, from 0 to 1; 0 where none was due."""
        return self.in_time / self.due if self.due else 0.0

    def __add__(self, other: "Contact") -> "Contact":
        return Contact(**{name: count + getattr(other, name) for name, count in asdict(self).items()})


_CONTACT = [field.name for field in fields(Contact)]


def standings(at: datetime, within: Q | None = None) -> dict[str, Count]:
    """Aggregates that count referrals by their standing at a moment, of those ``within``."""
    within = Q() if within is None else within
    opened = Q(contacted_at__isnull=True, closed_at__isnull=True)
    conditions = {
        "in_time": Q(contacted_at__lte=F("due_at")),
        "late": Q(contacted_at__gt=F("due_at")),
        "overdue": opened & Q(due_at__lt=at),
        "not_yet_due": opened & Q(due_at__gte=at),
        "closed_without_contact": Q(contacted_at__isnull=True, closed_at__isnull=False),
    }
    return {name: Count("pk", filter=condition & within) for name, condition in conditions.items()}


@dataclass(frozen=True)
class WardContact:
    """One ward: its counts within the period, and what is overdue now whatever the period.

    ``ended_early`` of those counts were ended before their due time, which is still to come.
    """

    ward: Ward
    contact: Contact
    overdue_now: int
    ended_early: int


@dataclass(frozen=True)
class Compliance:
    """The wards in sight, by name, and their sums."""

    wards: list[WardContact]
    total: Contact
    overdue_now: int
    ended_early: int


def contact_by_ward(at: datetime) -> dict[int, Contact]:
    """Counts of all referrals made by then, whatever their due date, by the ward's key."""
    counted = Referral.objects.filter(made_at__lte=at).values("ward").annotate(**standings(at)).order_by()
    return {ward: Contact(*counts) for ward, *counts in counted.values_list("ward", *_CONTACT)}


def compliance_of(
    user: User, *, period: Period, at: datetime, borough: str = "", order: str = "name"
) -> Compliance:
    """Contact compliance of the account's wards, in four queries; ``borough`` is an ONS code.

    ``order``: by ``name``, the most ``overdue`` first, or the smallest ``share`` contacted in time first.

    Wards without a referral to count are left out. What is overdue now counts whatever the period. Of what
    ended, the database keeps count; only what is open, or ended before a due time to come, is counted here.
    """
    wards = _wards(user, borough).select_related("borough").order_by("name", "pk").in_bulk()
    ended = {
        ward: Contact(in_time=in_time, late=late, closed_without_contact=closed)
        for ward, in_time, late, closed in _kept(period, at)
        .filter(ward__in=wards)
        .values_list("ward")
        .annotate(Sum("in_time"), Sum("late"), Sum("closed_without_contact"))
    }
    opened, overdue_now = _opened(period, at, wards)
    early = dict(
        Referral.objects.filter(_due_in(period, at), due_at__gte=at, closed_at__isnull=False, ward__in=wards)
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
    )


def _kept(period: Period, at: datetime) -> QuerySet[ContactCount]:
    """The counts of referrals that ended, due in the period."""
    counts = ContactCount.objects.filter(due_on__gte=period.first)
    return counts if period.reaches(at) else counts.filter(due_on__lte=period.last)


def _opened(
    period: Period, at: datetime, wards: Collection[int]
) -> tuple[dict[int, Contact], dict[int, int]]:
    """Of the open referrals: those due in the period, and those overdue now, by ward."""
    in_period = _due_in(period, at)
    opened, overdue_now = {}, {}
    for ward, late, to_come, all_late in (
        Referral.objects.filter(
            in_period | Q(due_at__lt=at), status=ReferralStatus.OPEN, ward__in=wards, made_at__lte=at
        )
        .values_list("ward")
        .annotate(
            late=Count("pk", filter=in_period & Q(due_at__lt=at)),
            to_come=Count("pk", filter=in_period & Q(due_at__gte=at)),
            all_late=Count("pk", filter=Q(due_at__lt=at)),
        )
    ):
        opened[ward] = Contact(overdue=late, not_yet_due=to_come)
        overdue_now[ward] = all_late
    return opened, overdue_now


# What sorts alike stays in the order of names.
_ORDERS: dict[str, Callable[[WardContact], float | str]] = {
    "name": lambda row: row.ward.name,
    "overdue": lambda row: -row.overdue_now,
    "share": lambda row: row.contact.share if row.contact.due else 2.0,
}


def _wards(user: User, borough: str) -> QuerySet[Ward]:
    wards = wards_visible_to(user)
    return wards.filter(borough__code=borough) if borough else wards


def _due_in(period: Period, at: datetime) -> Q:
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


def weeks(user: User, *, period: Period, at: datetime, borough: str = "") -> list[Week]:
    """The weeks (Monday to Sunday, London) of due dates that lie in the period and are over.

    A week that still runs would show only those contacted early. A week without a due referral is left out.
    """
    first = period.first + timedelta(days=-period.first.weekday() % 7)
    end = min(period.last + timedelta(days=1), timezone.localdate(at))
    end -= timedelta(days=end.weekday())
    wards = _wards(user, borough).values("pk")
    in_time: Counter[date] = Counter()
    due: Counter[date] = Counter()
    for week, contacted, late, closed in (
        ContactCount.objects.filter(ward__in=wards, due_on__gte=first, due_on__lt=end)
        .values_list(TruncWeek("due_on"))
        .annotate(Sum("in_time"), Sum("late"), Sum("closed_without_contact"))
    ):
        in_time[week] = contacted
        due[week] = contacted + late + closed
    for week, still_open in (
        Referral.objects.filter(
            ward__in=wards,
            status=ReferralStatus.OPEN,
            due_at__gte=_midnight(first),
            due_at__lt=_midnight(end),
        )
        .values_list(TruncWeek("due_at", tzinfo=timezone.get_default_timezone()))
        .annotate(Count("pk"))
    ):
        due[timezone.localdate(week)] += still_open
    return [Week(week, in_time[week], due[week]) for week in sorted(due) if due[week]]


def overdue(user: User, *, at: datetime, borough: str = "") -> QuerySet[Referral]:
    """Open referrals whose due time has passed, the longest overdue first.

    Each with ``tries``, the attempts that stand, ``reminded_at``, when a reminder was last sent, and
    ``reminder_waits``, whether one is still to be sent. For those who chase referrals, and nobody else.
    """
    place = Q(ward__borough__code=borough) if borough else Q()
    if not user.can(Permission.CHASE_REFERRALS):
        return Referral.objects.none()
    asked = Notification.objects.filter(referral=OuterRef("pk"), kind=MailKind.CHASED).order_by("-created_at")
    standing = ContactAttempt.objects.filter(
        referral=OuterRef("pk"), withdraws__isnull=True, withdrawn_by__isnull=True
    )
    return (
        referrals_visible_to(user)
        .filter(place, status=ReferralStatus.OPEN, due_at__lt=at)
        .select_related("ward", "taken_by")
        .annotate(
            # Of the rows shown alone: a join would count the attempts of all.
            tries=Coalesce(
                Subquery(standing.values("referral").annotate(Count("pk")).values("pk__count")), 0
            ),
            reminded_at=Subquery(asked.filter(sent_at__isnull=False).values("sent_at")[:1]),
            reminder_waits=Exists(asked.filter(sent_at__isnull=True, abandoned_at__isnull=True)),
        )
        .order_by("due_at", "pk")
    )

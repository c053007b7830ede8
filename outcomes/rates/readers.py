"""Outcomes of SRC and usual service together, counted by the database; never by arm."""

from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta

from django.db.models import Count, IntegerField, Max, OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import TruncWeek
from django.utils import timezone

from outcomes.models import OutcomeCode, OutcomeCount, RateSnapshot, RecordedOutcome
from referrals.models import (
    Case,
)
from referrals.scope import places_of
from src_app.accounts.models import User
from src_app.accounts.roles import Permission

WEEKS_SHOWN = 12


@dataclass(frozen=True)
class Outcomes:
    """Suitable, decided cases, SRC and usual service together, and what became of them.

    Each of the three measures is stated over two denominators: all ``cases``, and ``closed`` ones only.
    """

    cases: int = 0
    closed: int = 0
    attrition: int = 0
    charge: int = 0
    positive: int = 0

    def __add__(self, other: "Outcomes") -> "Outcomes":
        return Outcomes(**{name: count + getattr(other, name) for name, count in asdict(self).items()})


def outcomes_so_far(user: User) -> Outcomes:
    """Totals over the account's BCUs, for those who may see them, as the database keeps them."""
    if not user.can(Permission.VIEW_OUTCOMES):
        return Outcomes()
    counts = (
        OutcomeCount.objects.filter(bcu__in=places_of(user).bcus).values_list("code").annotate(Sum("cases"))
    )
    measures = _measures()
    return sum((_outcomes(measures.get(code), number) for code, number in counts), Outcomes())


@dataclass(frozen=True)
class Night:
    """What the nightly task counted on one day, as it was computed then."""

    day: date
    computed_at: datetime
    outcomes: Outcomes


def night_of(user: User, day: date) -> Night | None:
    """The counts of that day over the account's BCUs; ``None`` where none were computed."""
    return next(iter(_nights(_snapshots(user).filter(day=day))), None)


def weekly_nights(user: User, *, at: datetime) -> list[Night]:
    """For each of the last twelve weeks and the present one the last night that was counted, oldest first.

    A week runs from Monday to Sunday. A week without a counted night is left out.
    """
    today = timezone.localdate(at)
    first = today - timedelta(days=today.weekday(), weeks=WEEKS_SHOWN)
    snapshots = _snapshots(user).filter(day__range=(first, today))
    last_of_weeks = snapshots.values(week=TruncWeek("day")).annotate(last=Max("day")).values("last")
    return _nights(snapshots.filter(day__in=last_of_weeks))


def _snapshots(user: User) -> QuerySet[RateSnapshot]:
    """The nightly counts of whole BCUs that the account may see."""
    if not user.can(Permission.VIEW_OUTCOMES):
        return RateSnapshot.objects.none()
    return RateSnapshot.objects.filter(bcu__in=places_of(user).bcus, ward__isnull=True)


def _nights(snapshots: QuerySet[RateSnapshot]) -> list[Night]:
    names = list(asdict(Outcomes()))
    summed = snapshots.values_list("day").annotate(Max("computed_at"), *(Sum(name) for name in names))
    return [
        Night(day, computed_at, Outcomes(**dict(zip(names, counts, strict=True))))
        for day, computed_at, *counts in summed.order_by("day")
    ]


def _measures() -> dict[int, OutcomeCode]:
    return {code.code: code for code in OutcomeCode.objects.all()}


def _outcomes(code: OutcomeCode | None, number: int) -> Outcomes:
    """So many cases whose latest outcome is this one; of no outcome, they are not closed."""
    return Outcomes(
        cases=number,
        closed=number if code else 0,
        attrition=number if code and code.attrition else 0,
        charge=number if code and code.charge else 0,
        positive=number if code and code.positive else 0,
    )


def outcomes_by(cases: QuerySet[Case], *places: str) -> dict[tuple[int | None, ...], Outcomes]:
    """Counts of the suitable, submitted ones among ``cases``, for each combination of ``places``' keys.

    The outcome recorded last counts. Two queries, and at most 23 rows for each combination.
    """
    measures = _measures()
    latest = RecordedOutcome.objects.filter(case=OuterRef("pk")).order_by("-recorded_at", "-pk")
    counted = (
        cases.filter(decided_at__isnull=False, decision__suitable=True)
        .annotate(latest=Subquery(latest.values("code")[:1], output_field=IntegerField()))
        .values(*places, "latest")
        .annotate(number=Count("pk"))
        .order_by()
    )
    totals: dict[tuple[int | None, ...], Outcomes] = {}
    for row in counted:
        place = tuple(row[name] for name in places)
        outcomes = _outcomes(measures.get(row["latest"]), row["number"])
        totals[place] = totals.get(place, Outcomes()) + outcomes
    return totals

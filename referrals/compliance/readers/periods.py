"""Which due dates are counted: days, and the periods that have a word."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.utils import timezone

WEEKS_SHOWN = 12
MONTHS_SHOWN = 12
USUAL = "last-12-weeks"


@dataclass(frozen=True)
class Period:
    """Due dates from the start of one day in London to the end of another."""

    first: date
    last: date

    @property
    def begins(self) -> datetime:
        return midnight(self.first)

    @property
    def ends(self) -> datetime:
        """The first moment after it."""
        return midnight(self.last + timedelta(days=1))

    def reaches(self, at: datetime) -> bool:
        """Whether it runs up to today or beyond: then what is due later belongs to it too."""
        return self.last >= timezone.localdate(at)


def periods(at: datetime) -> dict[str, Period]:
    """The periods that have a word, which stands in the address, so that a bookmark moves on with time.

    Weeks are whole ones, from a Monday, and the present one up to today.
    """
    day = timezone.localdate(at)
    monday, first = day - timedelta(days=day.weekday()), day.replace(day=1)
    last_month = first - timedelta(days=1)
    return {
        "last-4-weeks": Period(monday - timedelta(weeks=4), day),
        USUAL: Period(monday - timedelta(weeks=WEEKS_SHOWN), day),
        "this-month": Period(first, day),
        "last-month": Period(last_month.replace(day=1), last_month),
    }


def default_period(at: datetime) -> Period:
    """Twelve whole weeks of due dates, from a Monday, and the present one up to today."""
    return periods(at)[USUAL]


def last_months(at: datetime) -> Period:
    """Eleven whole months and the present one up to today."""
    day = timezone.localdate(at)
    month = day.year * 12 + day.month - MONTHS_SHOWN
    return Period(date(month // 12, month % 12 + 1, 1), day)


def midnight(day: date) -> datetime:
    """The first moment of that day in London."""
    return timezone.make_aware(datetime(day.year, day.month, day.day))  # noqa: DTZ001 - made aware here

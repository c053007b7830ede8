"""The days that this system takes, and the moment that London's clock shows.

Beyond those days a day's end, or the days after it, may be no date any more.
"""

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

from django.core.exceptions import ValidationError
from django.utils import timezone

FIRST, LAST = date(2000, 1, 1), date(2099, 12, 31)
BEYOND = "Give a date from 2000 to 2099."


def check_day(value: date | datetime) -> None:
    """Raises ValidationError for a day or a moment beyond; of every field that takes one."""
    day = value.date() if isinstance(value, datetime) else value
    if not FIRST <= day <= LAST:
        raise ValidationError(BEYOND)


def moment_shown(clock: datetime) -> tuple[datetime, bool]:
    """The moment (UTC) at which London's clock shows this, and whether it shows it twice.

    Of the hour that comes twice, as the clocks go back, the earlier is taken. Raises ValueError for a time in
    the hour that they leave out, and OverflowError at the ends of time.
    """
    offset, twice = _offset_in(datetime(clock.year, clock.month, clock.day, clock.hour))  # noqa: DTZ001
    return clock.replace(tzinfo=UTC) - offset, twice


@lru_cache(maxsize=4_096)
def _offset_in(hour: datetime) -> tuple[timedelta, bool]:
    """London's offset in that hour, and whether the clock shows it twice: clocks change on the hour."""
    placed = hour.replace(tzinfo=timezone.get_default_timezone())
    first, second = placed.utcoffset(), placed.replace(fold=1).utcoffset()
    assert first is not None
    assert second is not None
    if second > first:
        raise ValueError("There was no such time: the clocks went forward over it.")
    return first, second != first

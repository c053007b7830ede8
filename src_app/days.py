"""The days that this system takes: beyond them a day's end, or the days after it, may be no date any more."""

from datetime import date, datetime

from django.core.exceptions import ValidationError

FIRST, LAST = date(2000, 1, 1), date(2099, 12, 31)
BEYOND = "Give a date from 2000 to 2099."


def check_day(value: date | datetime) -> None:
    """Raises ValidationError for a day or a moment beyond; of every field that takes one."""
    day = value.date() if isinstance(value, datetime) else value
    if not FIRST <= day <= LAST:
        raise ValidationError(BEYOND)

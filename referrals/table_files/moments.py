"""Dates and times as British police systems and spreadsheets write them. Pure: no database, no clock."""

import re
from datetime import UTC, date, datetime, timedelta, timezone

from src_app.days import moment_shown

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
# 18:07, 18.07, 18:07:30, 1807
_TIME = r"(?P<hour>\d{1,2}(?=[:.])|\d{2})[:.]?(?P<minute>\d{2})(?::(?P<second>\d{2}(?:\.\d+)?))?"
_DAY = (
    r"(?P<day>\d{1,2})(?:st|nd|rd|th)?(?P<mark>[/.\- ])(?P<month>\d{1,2}|[a-z]{3,9})(?P=mark)"
    r"(?P<year>\d{4}|\d{2})"
)
# 22/11/2026 18:07, 22.11.26 6:07 pm, 22-Nov-2026 18:07:30, 22nd November 2026, 18:07 hrs
_BRITISH = rf"{_DAY}[ ,]+(?:at +)?{_TIME} ?(?P<half>[ap]m)?(?: ?hrs)?"
# 2026-11-22T18:07:30+00:00, 2026-11-22 18:07, 2026-11-22 18:07:30Z
_ISO = (
    r"(?P<year>\d{4})-(?P<month>\d{1,2})-(?P<day>\d{1,2})[T ]+"
    rf"{_TIME} ?(?P<offset>Z|[+-]\d{{2}}:?\d{{2}})?"
)
_FORMS = tuple(re.compile(form, re.ASCII | re.IGNORECASE) for form in (_BRITISH, _ISO))
# A spreadsheet's day comes with midnight, and its seconds.
_MIDNIGHT = r"(?:[T ]00:00:00)?"
_BRITISH_DAY = re.compile(_DAY + _MIDNIGHT, re.ASCII | re.IGNORECASE)
_ISO_DAY = re.compile(rf"(?P<year>\d{{4}})-(?P<month>\d{{1,2}})-(?P<day>\d{{1,2}}){_MIDNIGHT}", re.ASCII)
_PLAIN = re.compile(r"(\d\d)/(\d\d)/(\d{4}) (\d\d):(\d\d)(?::(\d\d))?", re.ASCII)
# A spreadsheet's days since 30 December 1899, from 2000 to 2099.
_SERIAL = re.compile(r"(\d{5})(\.\d+)?", re.ASCII)
_FIRST_SERIAL, _LAST_SERIAL = 36_526, 73_050
_EPOCH = date(1899, 12, 30)


def read_moment(text: str) -> tuple[datetime, bool]:
    """The moment (UTC) that the text names in London, and whether the clock showed it twice.

    The day comes before the month; a year of two digits is of this century; a text with an offset is that
    moment. For the nights on which the clocks change see :func:`~src_app.days.moment_shown`. Raises
    ValueError, its text for the person.
    """
    try:
        local = _plain(text) or _serial(text) or _written(" ".join(text.split()))
    except (ValueError, OverflowError):
        raise ValueError("There is no such date and time.") from None
    if local is None:
        raise ValueError("Not a date and time such as 23/11/2026 07:32.")
    try:
        return moment_shown(local) if local.tzinfo is None else (local.astimezone(UTC), False)
    except OverflowError:
        raise ValueError("There is no such date and time.") from None


def read_day(text: str) -> date | None:
    """The day that the text names without a time; None where it names none, or a time too.

    Raises ValueError for a day that does not exist.
    """
    text = " ".join(text.split())
    try:
        if (serial := _SERIAL.fullmatch(text)) and not float(serial[2] or 0):
            moment = _serial(text)
            return moment.date() if moment else None
        found = _BRITISH_DAY.fullmatch(text) or _ISO_DAY.fullmatch(text)
        month = _month(found["month"]) if found else None
        if found is None or month is None:
            return None
        year = int(found["year"])
        return date(year + 2000 if len(found["year"]) == 2 else year, month, int(found["day"]))
    except (ValueError, OverflowError):
        raise ValueError("There is no such day.") from None


def _plain(text: str) -> datetime | None:
    """The form that nearly all texts have, read at a third of the cost of trying them all."""
    found = _PLAIN.fullmatch(text)
    if found is None:
        return None
    day, month, year, hour, minute, second = found.groups("0")
    return datetime(int(year), int(month), int(day), int(hour), int(minute), int(second))  # noqa: DTZ001


def _written(text: str) -> datetime | None:
    """The date and time of a text, with a time zone only where it has an offset; ValueError for none such."""
    found = next((match for form in _FORMS if (match := form.fullmatch(text))), None)
    if found is None:
        return None
    parts = found.groupdict()
    month = _month(parts["month"])
    if month is None:
        return None
    year = int(parts["year"])
    # A spreadsheet keeps 07:32 as a fraction of a day, which may lie a little under it.
    seconds = float(parts["second"] or 0)
    if seconds >= 60:
        raise ValueError
    minute = datetime(
        year + 2000 if len(parts["year"]) == 2 else year,
        month,
        int(parts["day"]),
        _hour(int(parts["hour"]), (parts.get("half") or "").lower()),
        int(parts["minute"]),
        tzinfo=_offset(parts.get("offset")),
    )
    return minute + timedelta(seconds=round(seconds))


def _month(text: str) -> int | None:
    """By number, or by name of at least three letters."""
    if text.isdigit():
        return int(text)
    short = text[:3].lower()
    return _MONTHS.index(short) + 1 if short in _MONTHS else None


def _hour(hour: int, half: str) -> int:
    if not half:
        return hour
    if not 1 <= hour <= 12:
        raise ValueError
    return hour % 12 + (12 if half == "pm" else 0)


def _offset(text: str | None) -> timezone | None:
    if not text:
        return None
    if text in "Zz":
        return UTC
    sign = -1 if text[0] == "-" else 1
    return timezone(sign * timedelta(hours=int(text[1:3]), minutes=int(text[-2:])))


def _serial(text: str) -> datetime | None:
    """A spreadsheet's number for a day and its fraction, to the second."""
    found = _SERIAL.fullmatch(text)
    if not found or not _FIRST_SERIAL <= int(found[1]) < _LAST_SERIAL:
        return None
    seconds = round(float(found[2] or 0) * 86_400)
    return datetime.combine(_EPOCH, datetime.min.time()) + timedelta(days=int(found[1]), seconds=seconds)

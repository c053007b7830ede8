"""From the text of one cell to its value. Pure: no database, no clock."""

import re
from datetime import UTC, datetime

from django.utils import timezone

from referrals.models import Strand

STRANDS: dict[str, Strand] = {
    "race": Strand.RACE,
    "religion": Strand.RELIGION,
    "sexual orientation": Strand.SEXUAL_ORIENTATION,
    "disability": Strand.DISABILITY,
    "transgender": Strand.TRANSGENDER,
}
YES_OR_NO = {"y": True, "yes": True, "n": False, "no": False, "": False}

_MOMENT = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4}) +(\d{1,2}):(\d{2})", re.ASCII)
_POSTCODE = re.compile(r"([A-Z]{1,2}\d[A-Z\d]?)(\d[A-Z]{2})", re.ASCII)


def folded(text: str) -> str:
    """Lower case, with single spaces: how words of a cell are compared."""
    return " ".join(text.split()).casefold()


def read_moment(text: str) -> tuple[datetime, bool]:
    """The moment (UTC) that ``dd/mm/yyyy hh:mm`` names in London, and whether the clock showed it twice.

    In the hour that the clocks go back over, the earlier moment is taken. Raises ValueError, its text for
    the person, for what is no date and for a time that the clocks went forward over.
    """
    found = _MOMENT.fullmatch(text.strip())
    if not found:
        raise ValueError("Not a date and time such as 23/11/2026 07:32.")
    day, month, year, hour, minute = map(int, found.groups())
    zone = timezone.get_default_timezone()
    try:
        local = datetime(year, month, day, hour, minute, tzinfo=zone)
    except ValueError:
        raise ValueError("There is no such date and time.") from None
    moment = local.astimezone(UTC)
    if moment.astimezone(zone).replace(tzinfo=None) != local.replace(tzinfo=None):
        raise ValueError("There was no such time: the clocks went forward over it.")
    return moment, local.utcoffset() != local.replace(fold=1).utcoffset()


def read_strands(text: str) -> tuple[list[str], list[str]]:
    """The monitored strands of ``Race; Disability``, in the order of :class:`Strand`, and what is none."""
    named = [part.strip() for part in text.split(";") if part.strip()]
    found = {STRANDS[folded(part)] for part in named if folded(part) in STRANDS}
    unknown = [part for part in named if folded(part) not in STRANDS]
    return [strand.value for strand in Strand if strand in found], unknown


def read_postcode(text: str) -> str:
    """The postcode with one space, upper case; empty for what has not the form of one."""
    found = _POSTCODE.fullmatch("".join(text.split()).upper())
    return f"{found[1]} {found[2]}" if found else ""

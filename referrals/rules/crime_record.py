"""What on the crime record rules a case out, and whose flag should be there.

Words of grounds are the values the database keeps.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

CANCELLED = "cancelled"
TRANSFERRED = "transferred"
RECLASSIFIED = "reclassified"
UNFLAGGED = "unflagged"

# To be read again before the next call, whatever else has changed.
_FOR_SAFETY = frozenset({"safety_note", "review_safety", "restrictions", "victim_under_18", "other_method"})


def grounds(*, is_crime: bool, crime_status: str, hate_flag: bool) -> list[str]:
    """Why it is no hate crime of the BCU, the weightiest first; empty while it is one."""
    found = [crime_status] if crime_status in (CANCELLED, TRANSFERRED) else []
    if not is_crime:
        found.append(RECLASSIFIED)
    if not hate_flag:
        found.append(UNFLAGGED)
    return found


def is_for_safety(changed: Collection[str]) -> bool:
    """Whether a change bears on what the officer may do without putting anybody at risk."""
    return bool(_FOR_SAFETY & set(changed))


class FlagStanding(StrEnum):
    """How the flag of a case stands, as a list of flags from the crime management system shows it."""

    MISSING = "missing"
    NOT_CONFIRMED = "not_confirmed"
    TO_REMOVE = "to_remove"
    OFF = "off"
    EXTRA = "extra"
    MATCHING = "matching"


@dataclass(frozen=True)
class RecordedFlag:
    """What is recorded here of a referral's flag, by days; ``ruled_out``: it has to go."""

    referred_on: date
    confirmed_on: date | None = None
    ruled_out: bool = False
    removed_on: date | None = None


def flag_standing(flag: RecordedFlag | None, *, in_list: bool, taken_on: date) -> FlagStanding | None:
    """How the flag stands by a list that was taken on that day; ``flag`` is None without a referral.

    None where nothing is wrong or the list is too old to tell. Of two things on one day it is not known which
    came first: then a flag may be called missing, which sends somebody to look, but never off.
    """
    if flag is None:
        return FlagStanding.EXTRA if in_list else None
    if in_list:
        return _listed(flag, taken_on)
    if flag.ruled_out:
        was_on = flag.confirmed_on is not None and flag.confirmed_on < taken_on
        return FlagStanding.OFF if was_on and flag.removed_on is None else None
    known_on = max(flag.referred_on, flag.confirmed_on or flag.referred_on)
    return FlagStanding.MISSING if known_on <= taken_on else None


def _listed(flag: RecordedFlag, taken_on: date) -> FlagStanding | None:
    if not flag.ruled_out:
        return FlagStanding.MATCHING if flag.confirmed_on else FlagStanding.NOT_CONFIRMED
    is_off_since = flag.removed_on is not None and flag.removed_on >= taken_on
    return None if is_off_since else FlagStanding.TO_REMOVE
